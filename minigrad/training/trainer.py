"""The Trainer: steps over batches, evaluation after each epoch, a history of both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sized
from typing import Any, SupportsFloat

from minigrad import functional as F
from minigrad.autograd import Tensor, bare, no_grad
from minigrad.checks import in_one_step, whole
from minigrad.nn import Module
from minigrad.optim import Optimizer, Schedule, clip_grad_norm
from minigrad.training.batches import Batches, Data, Value, batches_of, refuse_single, unpacked
from minigrad.training.formats import HELD_OUT
from minigrad.training.history import History
from minigrad.training.objective import Loss, is_cross_entropy, outcome_of
from minigrad.training.progress import Progress, shown

Metric = Callable[[Any, Any], SupportsFloat]

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
        loss: Loss | None = None,
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
            metrics = {"accuracy": F.accuracy} if is_cross_entropy(model, loss) else {}
        if taken := sorted(n for n in metrics if n in RESERVED or n.startswith(HELD_OUT)):
            raise ValueError(f"Trainer: the history needs {taken} itself: rename these metrics")
        self.model, self.optimizer, self.metrics = model, optimizer, dict(metrics)
        self._outcome = outcome_of(model, loss, measured=bool(metrics))
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
            If the data is empty or holds NaN or infinity, or if its last batch would be one
            example where batch normalisation needs more. A DataLoader and arrays are checked before
            the first step, other data batch by batch.
        FloatingPointError
            If the loss is not finite, before the step that would have spread it to the parameters.
        """
        epochs = whole("fit: epochs", epochs, 1)
        batches, held_out = batches_of("fit", train, batch_size, shuffle=True), None
        if validation is not None:
            size = batch_size if isinstance(validation, tuple) else None
            held_out = batches_of("fit, validation", validation, size)
        refuse_single(self.model, batches)
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
        batches = batches_of("evaluate", data, batch_size)
        modes = [(setattr, m, "training", m.training) for m in self.model.modules()]
        as_before = in_one_step(modes)
        means = _Means()
        try:
            self.model.eval()
            with no_grad():
                for place, inputs, target in unpacked("evaluate", batches):
                    self._measure(place, inputs, target, means)
        finally:
            as_before()
        return means.result()

    def _epoch(self, batches: Batches, held_out: Batches | None, show: Progress) -> None:
        history, optimizer = self.history, self.optimizer
        epoch = int(history.epochs[-1]["epoch"]) + 1 if history.epochs else 1
        began, means = time.perf_counter(), _Means()
        parameters = list(self.model.parameters())
        self.model.train()
        for place, inputs, target in unpacked(f"fit: epoch {epoch}", batches):
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
        output, loss = self._outcome(*inputs, target)
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
