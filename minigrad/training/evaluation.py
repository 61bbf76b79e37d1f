"""Evaluation: what a model gives for data, and the loss and metrics of it, recording nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike

from minigrad import distributed as ranks
from minigrad import functional as F
from minigrad.autograd import Tensor, bare, no_grad
from minigrad.checks import undoing
from minigrad.data import DataLoader
from minigrad.nn import Module
from minigrad.optim import Optimizer
from minigrad.training.batches import (
    BATCH_SIZE,
    Batches,
    Data,
    Means,
    Value,
    as_batches,
    unpacked,
)
from minigrad.training.formats import HELD_OUT
from minigrad.training.objective import Loss, is_cross_entropy, outcome_of

Inputs = ArrayLike | tuple[ArrayLike, ...] | DataLoader
Metric = Callable[[Any, Any], SupportsFloat]

RESERVED = {"epoch", "loss", "lr", "seconds", "step", "step_loss"}


class Evaluator:
    """A model with its optimizer, loss and metrics; `Trainer` describes the arguments."""

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss: Loss | None,
        metrics: Mapping[str, Metric] | None,
    ):
        for name, value, kind in [("model", model, Module), ("optimizer", optimizer, Optimizer)]:
            if not isinstance(value, kind):
                raise TypeError(
                    f"Trainer: {name} must be an instance of {kind.__name__}, got {value!r:.60}"
                )
        if metrics is None:
            metrics = {"accuracy": F.accuracy} if is_cross_entropy(model, loss) else {}
        if taken := sorted(n for n in metrics if n in RESERVED or n.startswith(HELD_OUT)):
            raise ValueError(f"Trainer: the history needs {taken} itself: rename these metrics")
        self.model, self.optimizer, self.metrics = model, optimizer, dict(metrics)
        self._outcome = outcome_of(model, loss, measured=bool(metrics))

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
        return self._evaluate(as_batches("evaluate", data, batch_size)).result()

    def predict(self, data: Inputs, *, batch_size: int = BATCH_SIZE) -> Any:
        """Return what the model gives for inputs alone, in evaluation mode, recording nothing.

        Parameters
        ----------
        data : array_like, tuple of arrays, or DataLoader
            The inputs of the model, without targets.
        batch_size : int
            How many examples are computed at once, for arrays.

        Returns
        -------
        ndarray, or tuple of them
            One row for each example, for each output of the model.
        """
        if not isinstance(data, DataLoader):
            arrays = data if isinstance(data, tuple) else (data,)
            data = DataLoader(*map(bare, arrays), batch_size=batch_size)
        with self._modes_kept(), no_grad():
            self.model.eval()
            outputs = [bare(self.model(*inputs)) for inputs in data]
        if isinstance(outputs[0], tuple):
            return tuple(np.concatenate(parts) for parts in zip(*outputs, strict=True))
        return np.concatenate(outputs)

    def _measure(
        self, place: str, inputs: list[Value], target: Value
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of one batch, and its value beside those of the metrics."""
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
        return loss, measured

    def _evaluate(self, batches: Batches, shared: bool = False) -> Means:
        """Measure over batches; `shared`: each batch on one rank, then together."""
        means, all_of_them = Means(), unpacked("evaluate", batches)
        with self._modes_kept(), no_grad():
            self.model.eval()
            for place, inputs, target in ranks.every_other(all_of_them) if shared else all_of_them:
                means.add(len(target), self._measure(place, inputs, target)[1])
        return means.over_ranks() if shared else means

    def _modes_kept(self) -> undoing:
        """Return a block after which each module has its mode again."""
        modules = self.model.modules()
        return undoing([(setattr, module, "training", module.training) for module in modules])
