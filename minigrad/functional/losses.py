"""Losses of values: shapes are never broadcast, and each can be given value by value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.autograd import Tensor, bare, differentiable
from minigrad.functional.activations import sigmoid, softplus


def _same_shape(name: str, prediction: Any, target: Any) -> None:
    if np.shape(prediction) != np.shape(target):
        raise ValueError(
            f"{name}: prediction has shape {np.shape(prediction)} but target {np.shape(target)}: "
            "broadcasting them would compare every pair of rows: reshape one to the other"
        )


def check_reduction(name: str, reduction: str) -> None:
    """Refuse what is none of the three."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(
            f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r:.60}"
        )


def reduced(name: str, losses: Any, reduction: str) -> Any:
    """Return the mean or the sum of losses, or themselves."""
    check_reduction(name, reduction)
    if reduction == "none":
        return losses
    return np.mean(losses) if reduction == "mean" else np.sum(losses)


@differentiable(lambda g, _y, x, t: g * (sigmoid(x) - t), lambda g, _y, x, _t: -g * x)
def _binary_cross_entropy(x: Any, t: Any) -> Any:
    return np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))


def binary_cross_entropy_with_logits(
    logits: Any,
    targets: Any,
    *,
    weight: Any = None,
    pos_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return the mean of -t log s - (1 - t) log(1 - s), s = sigmoid(logits), without overflow.

    Parameters
    ----------
    logits, targets : array_like
        Of one shape; targets in [0, 1].
    weight : array_like, optional
        What each value counts; it may be broadcast. The mean still divides by their number.
    pos_weight : array_like, optional
        What the first term counts, for example negatives / positives; it may be broadcast.
    reduction : {"mean", "sum", "none"}
        "none" gives the loss of each value.
    """
    name = "binary_cross_entropy_with_logits"
    _same_shape(name, logits, targets)
    kind = np.result_type(bare(logits), np.float16)  # weights must not widen the loss
    weight, pos_weight = (
        w if w is None else np.asarray(bare(w), kind) for w in (weight, pos_weight)
    )
    if pos_weight is None:
        losses = _binary_cross_entropy(logits, targets)
    else:
        losses = pos_weight * targets * softplus(-logits) + (1 - targets) * softplus(logits)
    return reduced(name, losses if weight is None else losses * weight, reduction)


def mse_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Return the mean of (prediction - target)**2 over all values, of equal shapes."""
    _same_shape("mse_loss", prediction, target)
    return reduced("mse_loss", np.square(prediction - target), reduction)


def l1_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Return the mean of |prediction - target| over all values, of equal shapes."""
    _same_shape("l1_loss", prediction, target)
    return reduced("l1_loss", np.abs(prediction - target), reduction)


def huber_loss(prediction: Any, target: Any, *, delta: float = 1.0, reduction: str = "mean") -> Any:
    """Return the mean of d^2 / 2 where |d| < delta, else delta (|d| - delta / 2).

    d is prediction - target, of equal shapes. It is the square near 0, the distance far from it.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter", 1964.
    """
    _same_shape("huber_loss", prediction, target)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}")
    size = np.abs(prediction - target)
    near = np.minimum(size, float(delta))
    return reduced("huber_loss", near * (size - 0.5 * near), reduction)


def hinge_loss(
    prediction: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """Return the mean of max(0, margin - target * prediction), for targets of -1 and 1.

    At the margin itself the gradient is half of that beside it.

    References
    ----------
    Cortes and Vapnik, "Support-Vector Networks", 1995.
    """
    _same_shape("hinge_loss", prediction, target)
    return reduced("hinge_loss", np.maximum(0, margin - target * prediction), reduction)


def sum_squared_error(prediction: Any, target: Any) -> Any:
    """Return the book's 0.5 * sum((prediction - target)**2), not divided by the batch."""
    _same_shape("sum_squared_error", prediction, target)
    return 0.5 * np.sum(np.square(prediction - target))


def l2_penalty(parameters: Iterable[Tensor], weight_decay: float) -> Any:
    """Return 0.5 * weight_decay * sum(w**2) over the weights, those of two or more axes.

    It is what the book adds to the loss; an optimizer's `weight_decay` adds its gradient.
    """
    weights = [p for p in parameters if len(p.shape) > 1]
    return 0.5 * weight_decay * sum(np.sum(np.square(w)) for w in weights)
