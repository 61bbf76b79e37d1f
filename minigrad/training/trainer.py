"""The Trainer: steps over batches, evaluation, prediction, and a state to go on from."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import islice
from typing import Any

from minigrad import distributed as ranks
from minigrad.checks import whole
from minigrad.data import DataLoader
from minigrad.nn import Module
from minigrad.optim import Optimizer, Schedule, clip_grad_norm
from minigrad.training import state
from minigrad.training.batches import (
    Batch,
    Batches,
    Data,
    Means,
    as_batches,
    number_of,
    refuse_single,
    unpacked,
)
from minigrad.training.evaluation import Evaluator, Metric
from minigrad.training.formats import HELD_OUT
from minigrad.training.history import History
from minigrad.training.limits import Limits
from minigrad.training.objective import Loss
from minigrad.training.progress import Progress, shown
from minigrad.training.saver import Saver


class Trainer(Evaluator):
    """Train a network: for each batch compute the loss, sweep back, let the optimizer step.

    Data is a `DataLoader` (or another iterable of batches that can be repeated), or a tuple of
    arrays `(x, t)`. The last array of a batch is the target, those before it are the
    inputs of the model.

    Parameters
    ----------
    model : Module
        What is trained.
    optimizer : Optimizer
        Made with the parameters of the model.
    loss : callable, optional
        `loss(output, target)`, the mean over the batch as a Tensor. By default the method
        `loss(*inputs, target)` that the model's class defines, as the book's networks do, with
        what it adds for weight decay; else the cross entropy.
    metrics : dict of callables, optional
        By name, `metric(output, target)`, means over the batch as numbers. By default the accuracy
        if the loss is the cross entropy or that of the book's networks, else none.
    schedule : Schedule, optional
        Its `step()` is called after each step.
    max_grad_norm : float, optional
        Clips the gradients, see `minigrad.optim.clip_grad_norm`.
    accumulate : int
        How many batches make a step: their gradients are averaged, as if they were one batch.
    callbacks : iterable of objects
        With any of the methods `on_step(trainer)`, `on_epoch(trainer, row)` (after each row of the
        history) and `on_end(trainer)`: see `minigrad.training.callbacks`. One that sets
        `trainer.stop` to a reason ends the run after this step.
    distributed : bool
        Whether the ranks of MPI share each batch, see `minigrad.distributed`.
    progress : bool or str
        Whether to show on stderr how far training has come: a bar where tqdm is installed and
        stderr is a terminal, else a line for each epoch. A string stands in front of it.

    Attributes
    ----------
    history : History
        What was measured so far, by all calls of `fit`, also by one that was interrupted.
    epoch : int
        How many epochs are complete.
    stop : str or None
        Why the run ended early, if it did.

    Raises
    ------
    TypeError, ValueError
        If the arguments do not fit one another.

    Examples
    --------
    >>> from minigrad import manual_seed, nn, optim
    >>> from minigrad.data import load_digits
    >>> manual_seed(0)
    >>> train, test = load_digits()
    >>> model = nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))
    >>> trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.01), progress=False)
    >>> history = trainer.fit(train, test, epochs=5)
    >>> history["validation_accuracy"][-1] > 0.8
    True
    """

    state_dict, load_state_dict = state.state_dict, state.load_state_dict
    save, load = state.save, state.load

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss: Loss | None = None,
        *,
        metrics: Mapping[str, Metric] | None = None,
        schedule: Schedule | None = None,
        max_grad_norm: float | None = None,
        accumulate: int = 1,
        callbacks: Iterable[Any] = (),
        distributed: bool = False,
        progress: bool | str = True,
    ):
        super().__init__(model, optimizer, loss, metrics)
        if schedule is not None and schedule.optimizer is not optimizer:
            raise ValueError(
                "Trainer: the schedule is that of another optimizer: make it with this one"
            )
        self.schedule, self.max_grad_norm, self.progress = schedule, max_grad_norm, progress
        self.accumulate = whole("Trainer: accumulate", accumulate, 1)
        self.callbacks = list(callbacks)
        self.distributed = distributed and ranks.size() > 1
        self.history = History()
        self.epoch = 0
        self.stop: str | None = None
        self._batch = 0  # how many batches of the epoch under way were taken
        self._means = Means()  # since the last row of the history
        self._seconds, self._since = 0.0, time.perf_counter()  # likewise, up to `_since`
        self._places: dict[str, Any] = {}  # where the loaders were left
        self._goes_on = False  # whether the next fit begins there
        self._loaders: dict[str, Any] = {}
        if self.distributed:
            ranks.broadcast(model)
            ranks.diverge(model)

    def fit(
        self,
        train: Data,
        validation: Data | None = None,
        *,
        epochs: int | None = None,
        steps: int | None = None,
        max_seconds: float | None = None,
        batch_size: int | None = None,
        validate_every: int | None = None,
        checkpoints: str | os.PathLike[str] | None = None,
        every: int | datetime.timedelta | None = None,
        keep: int = 3,
        best: str | None = None,
    ) -> History:
        """Train for some epochs, and evaluate on the validation data after each.

        With `checkpoints`, the same script started again goes on from the newest of them and ends
        in the same bits as one that was never stopped.

        Parameters
        ----------
        train, validation : DataLoader, iterable of batches, or tuple of arrays
            See above; arrays of `train` are shuffled.
        epochs, steps : int, optional
            How many times to go through `train`, how many steps to take: one of them, or both, or
            only `max_seconds`. A second `fit` goes on where the first ended, within an epoch too.
            With `checkpoints` they are totals.
        max_seconds : float, optional
            End after the step that takes longer than this from now.
        batch_size : int, optional
            For data given as arrays, 100 by default.
        validate_every : int, optional
            Every so many steps a row of the history, with validation; also within an epoch.
        checkpoints : path, optional
            A folder for checkpoints: one after each epoch, one at the end, one at Ctrl-C.
        every : int or timedelta, optional
            And one every so many steps, or every so often.
        keep : int
            How many of the newest checkpoints stay.
        best : str, optional
            A column of the history: the checkpoint with its best value stays as `best.npz`. The
            smallest is best for names that end with `loss` or `error`, else the largest.

        Returns
        -------
        History
            `self.history`. The loss and metrics of an epoch are means over its batches, each
            measured before its step.

        Raises
        ------
        ValueError
            If the data is empty or holds NaN or infinity, or if its last batch would be one
            example where batch normalisation needs more. A DataLoader and arrays in memory are
            checked before the first step, other data batch by batch. If the checkpoints are of
            another model.
        FloatingPointError
            If the loss is not finite, before the step that would have spread it to the parameters.
        BlockingIOError
            If another process trains with the same `checkpoints`.
        """
        limits = Limits(self, epochs, steps, max_seconds, total=checkpoints is not None)
        batches = as_batches("fit", train, batch_size, shuffle=True)
        refuse_single(self.model, batches)
        if self.distributed:
            batches = ranks.shard(batches)
        held_out = self._held_out(validation, batch_size)
        number, on_step, self.stop = number_of(batches), self._listeners("on_step"), None
        with (
            Saver(self, checkpoints, every, keep, best) as saver,
            ExitStack() as leave,
            shown(self.progress, limits.begin(number), validate_every) as show,
        ):
            leave.push(self._leave)
            self._begin(batches, held_out)
            while not limits.reached():
                for group in self._groups(batches):
                    self._step(group)
                    show.step(group)
                    for tell in on_step:
                        tell(self)
                    if validate_every and len(self.history.losses) % validate_every == 0:
                        self._row(held_out, saver, show)
                    saver.after_step()
                    if limits.reached() and self._batch != number:
                        break
                else:
                    self.epoch, self._batch = self.epoch + 1, 0
                    self._row(held_out, saver, show)
                    saver.after_epoch()
            if limits.measured:
                self._row(held_out, saver, show)
            saver.at_end()
            for tell in self._listeners("on_end"):
                tell(self)
        return self.history

    # ------------------------------------------------------------------------ what a fit is made of
    def _begin(self, batches: Batches, held_out: Batches | None) -> None:
        """Take the data to be gone through, where a state that was loaded left it."""
        self._loaders = {"train": batches, "validation": held_out}
        for name, loader in self._loaders.items():
            if self._goes_on and isinstance(loader, DataLoader) and self._places.get(name):
                loader.load_state_dict(self._places[name])
        self._since, self._places = time.perf_counter(), {}

    def _leave(self, *error: object) -> None:
        """Remember the place within the epoch; after an error the epoch will begin again."""
        if error[0] is not None:
            self._batch, self._means = 0, Means()
        self._places, self._loaders = state.places(self), {}
        self._goes_on = self._batch > 0

    def _groups(self, batches: Batches) -> Iterator[list[Batch]]:
        """Yield the batches of each step, from where the epoch was left."""
        done = self._batch
        if done and not isinstance(batches, DataLoader):
            batches = islice(batches, done, None)
        self.model.train()
        rest = unpacked(f"fit: epoch {self.epoch + 1}", batches, done + 1)
        while group := list(islice(rest, self.accumulate)):
            self._batch += len(group)
            yield group

    def _step(self, group: list[Batch]) -> None:
        """Sweep back from the mean loss over a group of batches, and let the optimizer step."""
        self.optimizer.zero_grad()
        n, value = sum([len(target) for _, _, target in group]), 0.0
        share = ranks.share_of(n) if self.distributed else 1.0
        for place, inputs, target in group:
            loss, measured = self._measure(place, inputs, target)
            weight = share * len(target) / n
            (loss if weight == 1 else weight * loss).backward()
            self._means.add(len(target), measured)
            value += weight * measured["loss"]
        if self.distributed:
            (value,) = ranks.average_gradients(self.model.parameters(), value)
        if self.max_grad_norm is not None:
            clip_grad_norm(self.model.parameters(), self.max_grad_norm)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        self.history.losses.append(value)

    def _row(self, held_out: Batches | None, saver: Saver, show: Progress) -> None:
        """Add a row to the history, of what was measured since the last one, if anything was."""
        if not self._means.n:
            return
        seconds = self._seconds + time.perf_counter() - self._since
        epoch = self.epoch + (self._batch > 0)
        means = self._means.over_ranks() if self.distributed else self._means
        row = {"epoch": epoch, "step": len(self.history.losses), **means.result()}
        self.history.epochs.append(row)
        self._means, self._seconds = Means(), 0.0
        if held_out is not None:
            measured = self._evaluate(held_out, shared=self.distributed).result()
            row |= {HELD_OUT + name: value for name, value in measured.items()}
        row |= {"lr": self.optimizer.lr, "seconds": seconds}
        show.epoch(row)
        for tell in self._listeners("on_epoch"):
            tell(self, row)
        saver.after_row(row)
        self.model.train()
        self._since = time.perf_counter()

    def _held_out(self, validation: Data | None, batch_size: int | None) -> Batches | None:
        size = batch_size if isinstance(validation, tuple) else None
        return None if validation is None else as_batches("fit, validation", validation, size)

    def _listeners(self, event: str) -> list[Callable[..., Any]]:
        return [getattr(one, event) for one in self.callbacks if hasattr(one, event)]
