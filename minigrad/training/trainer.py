"""The Trainer: steps over batches, evaluation, and refusing data that would spoil a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike

from minigrad import functional as F
from minigrad.autograd import Array, Tensor, bare, no_grad
from minigrad.checks import whole
from minigrad.data import DataLoader
from minigrad.nn import CrossEntropyLoss, Module
from minigrad.optim import Optimizer, Schedule, clip_grad_norm
from minigrad.training.formats import HELD_OUT
from minigrad.training.history import History
from minigrad.training.progress import Progress, shown

Loss = Callable[[Any, Any], Tensor]  # of the output, whatever the model gives, and the target
Metric = Callable[[Any, Any], SupportsFloat]
Value = Array | Tensor
Batches = Iterable[Sequence[Value]]
Data = Batches | tuple[ArrayLike, ...]

BATCH_SIZE = 100  # for arrays, unless another is given
RESERVED = {"epoch", "loss", "lr", "seconds", "step", "step_loss"}


class Trainer:
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
    loss : callable
        `loss(output, target)`, the mean over the batch as a Tensor.
    metrics : dict of callables, optional
        By name, `metric(output, target)`, means over the batch as numbers. By default the accuracy
        if the loss is the cross entropy, else none.
    schedule : Schedule, optional
        Its `step()` is called after each step.
    max_grad_norm : float, optional
        Clips the gradients, see `minigrad.optim.clip_grad_norm`.
    progress : bool or str
        Whether to show on stderr how far training has come: a bar where tqdm is installed and
        stderr is a terminal, else a line for each epoch. A string stands in front of it.

    Attributes
    ----------
    history : History
        What was measured so far, by all calls of `fit`, also by one that was interrupted.

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

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss: Loss = F.cross_entropy,
        *,
        metrics: Mapping[str, Metric] | None = None,
        schedule: Schedule | None = None,
        max_grad_norm: float | None = None,
        progress: bool | str = True,
    ):
        for name, value, kind in [("model", model, Module), ("optimizer", optimizer, Optimizer)]:
            if not isinstance(value, kind):
                raise TypeError(
                    f"Trainer: {name} must be an instance of {kind.__name__}, got {value!r:.60}"
                )
        if schedule is not None and schedule.optimizer is not optimizer:
            raise ValueError(
                "Trainer: the schedule is that of another optimizer: make it with this one"
            )
        if metrics is None:
            classifies = loss is F.cross_entropy or isinstance(loss, CrossEntropyLoss)
            metrics = {"accuracy": F.accuracy} if classifies else {}
        if taken := sorted(n for n in metrics if n in RESERVED or n.startswith(HELD_OUT)):
            raise ValueError(f"Trainer: the history needs {taken} itself: rename these metrics")
        self.model, self.optimizer, self.loss, self.metrics = model, optimizer, loss, dict(metrics)
        self.schedule, self.max_grad_norm, self.progress = schedule, max_grad_norm, progress
        self.history = History()

    def fit(
        self,
        train: Data,
        validation: Data | None = None,
        *,
        epochs: int,
        batch_size: int | None = None,
    ) -> History:
        """Train for some epochs, and evaluate on the validation data after each.

        Parameters
        ----------
        train, validation : DataLoader, iterable of batches, or tuple of arrays
            See above; arrays of `train` are shuffled.
        epochs : int
            How many times to go through `train`; a second `fit` goes on where the first ended.
        batch_size : int, optional
            For data given as arrays, 100 by default.

        Returns
        -------
        History
            `self.history`. The loss and metrics of an epoch are means over its batches, each
            measured before its step.

        Raises
        ------
        ValueError
            If the data is empty or holds NaN or infinity. A DataLoader and arrays are checked
            before the first step, other data batch by batch.
        FloatingPointError
            If the loss is not finite, before the step that would have spread it to the parameters.
        """
        epochs = whole("fit: epochs", epochs, 1)
        batches, held_out = _batches("fit", train, batch_size, shuffle=True), None
        if validation is not None:
            size = batch_size if isinstance(validation, tuple) else None
            held_out = _batches("fit, validation", validation, size)
        steps = epochs * len(batches) if isinstance(batches, Sized) else None
        with shown(self.progress, epochs, steps) as show:
            for _ in range(epochs):
                self._epoch(batches, held_out, show)
        return self.history

    def evaluate(self, data: Data, *, batch_size: int | None = None) -> dict[str, float]:
        """Return the mean loss and metrics over data, in evaluation mode, recording nothing.

        Every example weighs the same, those of a smaller last batch too. Each module has its mode
        (`training`) again afterwards.

        Parameters
        ----------
        data, batch_size
            As for `fit`; nothing is shuffled.

        Raises
        ------
        ValueError, FloatingPointError
            As for `fit`.
        """
        batches = _batches("evaluate", data, batch_size)
        modes = [(module, module.training) for module in self.model.modules()]
        means = _Means()
        try:
            self.model.eval()
            with no_grad():
                for place, inputs, target in _unpacked("evaluate", batches):
                    self._measure(place, inputs, target, means)
        finally:
            for module, mode in modes:
                module.training = mode
        return means.result()

    def _epoch(self, batches: Batches, held_out: Batches | None, show: Progress) -> None:
        history, optimizer = self.history, self.optimizer
        epoch = int(history.epochs[-1]["epoch"]) + 1 if history.epochs else 1
        began, means = time.perf_counter(), _Means()
        parameters = list(self.model.parameters())
        self.model.train()
        for place, inputs, target in _unpacked(f"fit: epoch {epoch}", batches):
            optimizer.zero_grad()
            loss = self._measure(place, inputs, target, means)
            loss.backward()
            if self.max_grad_norm is not None:
                clip_grad_norm(parameters, self.max_grad_norm)
            optimizer.step()
            if self.schedule is not None:
                self.schedule.step()
            history.losses.append(loss.item())
            show.step()
        seconds = time.perf_counter() - began
        row = {"epoch": epoch, "step": len(history.losses), **means.result()}
        history.epochs.append(row)
        if held_out is not None:
            row |= {HELD_OUT + name: value for name, value in self.evaluate(held_out).items()}
        row |= {"lr": optimizer.lr, "seconds": seconds}
        show.epoch(row)

    def _measure(self, place: str, inputs: list[Value], target: Value, means: _Means) -> Tensor:
        """Return the loss of one batch, and add it and the metrics to the means."""
        output = self.model(*inputs)
        loss = self.loss(output, target)
        if not isinstance(loss, Tensor) or loss.size != 1:
            raise TypeError(f"{place}: the loss must be a Tensor of one value, got {loss!r:.60}")
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(
                f"{place}: the loss is {value}: the run has diverged; try a lower learning rate "
                f"(lr is {self.optimizer.lr:g}), other initial weights, or max_grad_norm=1.0"
            )
        measured = {"loss": value}
        if self.metrics:
            output = output.detach() if isinstance(output, Tensor) else output
            for name, metric in self.metrics.items():
                measured[name] = float(bare(metric(output, target)))
        means.add(len(target), measured)
        return loss


class _Means:
    """Means over examples, from means over batches of any size."""

    def __init__(self) -> None:
        self.n, self.totals = 0, dict[str, float]()

    def add(self, n: int, measured: dict[str, float]) -> None:
        self.n += n
        for name, value in measured.items():
            self.totals[name] = self.totals.get(name, 0.0) + n * value

    def result(self) -> dict[str, float]:
        return {name: total / self.n for name, total in self.totals.items()}


def _batches(caller: str, data: Data, batch_size: int | None, shuffle: bool = False) -> Batches:
    """Return data as an iterable of batches, checking what a loader holds as a whole."""
    if isinstance(data, tuple):
        size = BATCH_SIZE if batch_size is None else batch_size
        data = DataLoader(*data, batch_size=size, shuffle=shuffle)
    elif isinstance(data, np.ndarray | Tensor) or not isinstance(data, Iterable):
        raise TypeError(
            f"{caller}: expected a DataLoader, an iterable of batches, or a tuple of arrays "
            f"(x, t), got {type(data).__name__}"
        )
    elif batch_size is not None:
        raise ValueError(
            f"{caller}: batch_size={batch_size} is for data given as a tuple of arrays; "
            f"{type(data).__name__} makes its own batches"
        )
    if isinstance(data, DataLoader):
        _refuse_nonfinite(caller, data.arrays)
    return data


def _unpacked(caller: str, batches: Batches) -> Iterator[tuple[str, list[Value], Value]]:
    """Yield where we are, the inputs, and the target of each batch."""
    checked = isinstance(batches, DataLoader) and batches.transform is None
    n = 0
    for n, batch in enumerate(batches, 1):
        place = f"{caller}, batch {n}"
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise TypeError(f"{place}: expected a tuple of arrays (x, t), got {batch!r:.60}")
        if not checked:
            _refuse_nonfinite(place, batch)
        *inputs, target = batch
        yield place, inputs, target
    if not n:
        raise ValueError(
            f"{caller}: the data set is empty: it gave no batch (an iterator gives its batches "
            "once: pass a DataLoader or a list)"
        )


def _refuse_nonfinite(caller: str, arrays: Iterable[Value]) -> None:
    for i, array in enumerate(map(np.asarray, map(bare, arrays))):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            wrong = np.argwhere(~np.isfinite(array))
            at = tuple(map(int, wrong[0]))
            raise ValueError(
                f"{caller}: array {i} (shape {array.shape}) holds {len(wrong)} values that are NaN "
                f"or infinite, the first {array[at]} at {list(at)}: replace them, or leave out "
                "these examples"
            )
