"""Training: the Trainer, and the history of what it measured."""

from minigrad.training.history import History
from minigrad.training.plots import smooth
from minigrad.training.trainer import Trainer

__all__ = ["History", "Trainer", "smooth"]
