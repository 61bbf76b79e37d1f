"""Training: the Trainer and its callbacks, checkpoints, and the history of what it measured."""

from minigrad.training.callbacks import EMA, BestCheckpoint, CSVLogger, EarlyStopping, TensorBoard
from minigrad.training.history import History
from minigrad.training.plots import smooth
from minigrad.training.trainer import Trainer

__all__ = [
    "EMA",
    "BestCheckpoint",
    "CSVLogger",
    "EarlyStopping",
    "History",
    "TensorBoard",
    "Trainer",
    "smooth",
]
