"""The losses of `minigrad.functional` as modules."""

from __future__ import annotations

from typing import Any

from minigrad import functional as F
from minigrad.nn.module import Module


class CrossEntropyLoss(Module):
    """The mean of -log softmax(logits) at the target, a label or a one-hot row."""

    def forward(self, logits: Any, targets: Any) -> Any:
        return F.cross_entropy(logits, targets)


class BCEWithLogitsLoss(Module):
    """The mean binary cross entropy of sigmoid(logits)."""

    def forward(self, logits: Any, targets: Any) -> Any:
        return F.binary_cross_entropy_with_logits(logits, targets)


class MSELoss(Module):
    """The mean of (prediction - target)**2."""

    def forward(self, prediction: Any, target: Any) -> Any:
        return F.mse_loss(prediction, target)


class SumSquaredError(Module):
    """The book's 0.5 * sum((prediction - target)**2)."""

    def forward(self, prediction: Any, target: Any) -> Any:
        return F.sum_squared_error(prediction, target)
