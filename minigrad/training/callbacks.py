"""Callbacks: plain objects that a Trainer tells how far it is.

A callback has any of the methods `on_step(trainer)`, `on_epoch(trainer, row)`, called after each
row of the history, and `on_end(trainer)`. If it has `state_dict()` and `load_state_dict(state)`,
it is saved with the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from operator import setitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd import Array, bare, note_change
from minigrad.checks import needing, undoing, whole, write
from minigrad.nn import Module
from minigrad.saving import save
from minigrad.training.saver import better

if TYPE_CHECKING:
    from minigrad.training.trainer import Trainer

Row = dict[str, float]


class EarlyStopping:
    """End the run when a column of the history has not become better for some rows.

    Parameters
    ----------
    patience : int
        How many rows to wait for a better one.
    metric : str
        The column. The smallest is best for names that end with `loss` or `error`, else the
        largest.

    Examples
    --------
    >>> from minigrad import nn, optim
    >>> from minigrad.training import Trainer
    >>> model = nn.Linear(4, 2)
    >>> stop = EarlyStopping(patience=3)
    >>> trainer = Trainer(model, optim.SGD(model.parameters()), callbacks=[stop])
    """

    def __init__(self, patience: int = 5, metric: str = "validation_loss"):
        self.patience = whole("EarlyStopping: patience", patience, 1)
        self.metric = metric

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Count the rows since the best one."""
        _check("EarlyStopping", self.metric, row)
        values = [one[self.metric] for one in trainer.history.epochs if self.metric in one]
        best = max(i for i in range(len(values)) if better(self.metric, values[i], values[:i]))
        if len(values) - 1 - best >= self.patience:
            trainer.stop = (
                f"{self.metric} has not become better than {values[best]:.6g} for "
                f"{self.patience} rows"
            )


class BestCheckpoint:
    """Write the model's weights to a file whenever a column of the history is at its best.

    Parameters
    ----------
    path
        As for `minigrad.save`; `model.load_state_dict(minigrad.load(path))` takes it back.
    metric : str
        As for `EarlyStopping`.

    Examples
    --------
    >>> from minigrad import nn, optim
    >>> from minigrad.training import Trainer
    >>> model = nn.Linear(4, 2)
    >>> best = BestCheckpoint("best.npz", metric="validation_accuracy")
    >>> trainer = Trainer(model, optim.SGD(model.parameters()), callbacks=[best])
    """

    def __init__(self, path: str | os.PathLike[str], metric: str = "validation_loss"):
        self.path, self.metric = Path(path), metric

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Write, if no row before was as good."""
        _check("BestCheckpoint", self.metric, row)
        others = [one[self.metric] for one in trainer.history.epochs[:-1] if self.metric in one]
        if better(self.metric, row[self.metric], others):
            save(self.path, trainer.model.state_dict())


class EMA:
    """Keep an exponential moving average of the weights, which often predicts better than the last.

    average += (1 - decay) (weight - average), after each step; in the first steps the decay is
    smaller, (1 + n) / (10 + n), so that the initial weights are soon forgotten.

    Parameters
    ----------
    decay : float
        How much of the average remains.

    Raises
    ------
    ValueError
        If `decay` is out of range.

    References
    ----------
    Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.

    Examples
    --------
    >>> from minigrad import nn, optim
    >>> from minigrad.training import Trainer
    >>> model, ema = nn.Linear(4, 2), EMA(0.99)
    >>> trainer = Trainer(model, optim.SGD(model.parameters()), callbacks=[ema], progress=False)
    >>> history = trainer.fit((np.ones((8, 4)), np.zeros(8, int)), epochs=1)
    >>> with ema.applied(model):
    ...     result = trainer.evaluate((np.ones((8, 4)), np.zeros(8, int)))
    """

    def __init__(self, decay: float = 0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"EMA: decay must be >= 0 and < 1, got {decay}")
        self.decay, self.steps = decay, 0
        self.average: dict[str, Array] = {}

    def on_step(self, trainer: Trainer) -> None:
        """Move the average towards the weights."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, p in trainer.model.named_parameters():
            average = self.average.setdefault(name, p.data.copy())
            average += share * (p.data - average)

    @contextmanager
    def applied(self, model: Module) -> Iterator[Module]:
        """Put the average into a model within this block: `with ema.applied(model): ...`."""
        own = {name: bare(p) for name, p in model.named_parameters()}
        with undoing([(setitem, array, ..., array.copy()) for array in own.values()]):
            note_change(*own.values())
            write(own.values(), [self.average[name] for name in own])
            try:
                yield model
            finally:
                note_change(*own.values())

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the average."""
        average = {name: array.copy() for name, array in self.average.items()}
        return {"steps": self.steps, "average": average}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self.steps = state["steps"]
        self.average = {name: np.array(array) for name, array in state["average"].items()}


class CSVLogger:
    """Write a line for each row of the history to a file, at once: `tail -f` can follow it.

    A run that goes on from a checkpoint takes back the lines that it will write again.

    Parameters
    ----------
    path
        The file; a new run begins it anew.

    Examples
    --------
    >>> from minigrad import nn, optim
    >>> from minigrad.training import Trainer
    >>> model = nn.Linear(4, 2)
    >>> log = CSVLogger("run.csv")
    >>> trainer = Trainer(model, optim.SGD(model.parameters()), callbacks=[log])
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path, self._size = Path(path), 0
        self._columns: list[str] = []

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Add a line; columns that the first row did not have are left out."""
        text = ""
        if not self._columns:
            self._columns = [*row]
            text = ",".join(self._columns) + "\n"
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes(b"")
        text += ",".join(f"{row[k]!r}" if k in row else "" for k in self._columns) + "\n"
        with self.path.open("r+b") as file:
            file.truncate(self._size)
            file.seek(self._size)
            file.write(text.encode())
            self._size = file.tell()

    def state_dict(self) -> dict[str, Any]:
        """Return how much of the file belongs to the run so far."""
        return {"size": self._size, "columns": self._columns}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after the lines that were written then, if the file still has them."""
        if self.path.exists() and self.path.stat().st_size >= state["size"]:
            self._size, self._columns = state["size"], list(state["columns"])


class TensorBoard:
    """Write the rows of the history, and the loss of steps, for TensorBoard.

    Parameters
    ----------
    to : path or writer
        A folder, written to by tensorboardX (the extra `tensorboard`), or a `SummaryWriter`, also
        PyTorch's.
    every : int
        Between the steps whose loss is written.

    Examples
    --------
    >>> from minigrad import nn, optim
    >>> from minigrad.training import Trainer
    >>> model = nn.Linear(4, 2)
    >>> board = TensorBoard("runs/first")
    >>> trainer = Trainer(model, optim.SGD(model.parameters()), callbacks=[board])
    """

    def __init__(self, to: Any, every: int = 10):
        self.every = whole("TensorBoard: every", every, 1)
        self.writer = to if hasattr(to, "add_scalar") else None
        self.folder = to

    def on_step(self, trainer: Trainer) -> None:
        """Write the loss of the step."""
        step = len(trainer.history.losses)
        if step % self.every == 0:
            self._open(step).add_scalar("step/loss", trainer.history.losses[-1], step)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Write each column: `loss` as `training/loss`, `validation_loss` as `validation/loss`."""
        writer = self._open(int(row["step"]))
        for name, value in row.items():
            place = (
                name.replace("_", "/", 1) if name.startswith("validation_") else f"training/{name}"
            )
            writer.add_scalar(place, value, int(row["step"]))
        writer.flush()

    def on_end(self, trainer: Trainer) -> None:
        """Write what is left."""
        if self.writer is not None:
            self.writer.flush()

    def _open(self, step: int) -> Any:
        if self.writer is None:
            with needing("tensorboardX", "TensorBoard", extra="tensorboard"):
                from tensorboardX import SummaryWriter
            # what a run wrote after its last checkpoint is not shown
            self.writer = SummaryWriter(os.fspath(self.folder), purge_step=step)
        return self.writer


def _check(caller: str, metric: str, row: Row) -> None:
    if metric not in row:
        raise ValueError(f"{caller}: {metric!r} is no column of the history: {', '.join(row)}")
