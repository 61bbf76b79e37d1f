"""Losses of values: shapes are never broadcast, and each can be given value by value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy
from numpy.typing import ArrayLike

from minigrad.autograd import Tensor, bare, differentiable, messages
from minigrad.functional.activations import sigmoid, softplus
from minigrad.ops.types import T, Values

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors


def beside(name: str, prediction: Values, target: ArrayLike) -> Any:
    """Return the target if it has the prediction's shape, in its dtype: it must not widen it."""
    if np.iscomplexobj(bare(prediction)):
        raise TypeError(messages.no_order(name))
    if np.shape(prediction) != np.shape(target):
        raise ValueError(
            f"{name}: prediction has shape {np.shape(prediction)} but target {np.shape(target)}: "
            "broadcasting them would compare every pair of rows: reshape one to the other"
        )
    if isinstance(target, Tensor) and target.requires_grad:
        return target
    array, dtype = Tensor(target).data, np.asarray(bare(prediction)).dtype
    return array.astype(dtype, copy=False) if dtype.kind == "f" else array


def check_reduction(name: str, reduction: str) -> None:
    """Refuse what is none of the three."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(
            f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r:.60}"
        )


def reduced(name: str, losses: T, reduction: str) -> T:
    """Return the mean or the sum of losses, or themselves."""
    check_reduction(name, reduction)
    if reduction == "none":
        return losses
    return np.mean(losses) if reduction == "mean" else np.sum(losses)


@differentiable(lambda g, _y, x, t: g * (sigmoid(x) - t), lambda g, _y, x, _t: -g * x)
def _binary_cross_entropy(x: T, t: ArrayLike) -> T:
    return np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))


def binary_cross_entropy_with_logits(
    logits: T,
    targets: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    reduction: str = "mean",
) -> T:
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
    t = beside(name, logits, targets)
    kind = np.result_type(bare(logits), np.float16)  # weights must not widen the loss
    weight, pos_weight = (
        w if w is None else np.asarray(bare(w), kind) for w in (weight, pos_weight)
    )
    if pos_weight is None:
        losses = _binary_cross_entropy(logits, t)
    else:
        losses = pos_weight * t * softplus(-logits) + (1 - t) * softplus(logits)
    return reduced(name, losses if weight is None else losses * weight, reduction)


def mse_loss(prediction: T, target: ArrayLike, *, reduction: str = "mean") -> T:
    """Return the mean of (prediction - target)**2 over all values, of equal shapes."""
    losses = np.square(prediction - beside("mse_loss", prediction, target))
    return reduced("mse_loss", losses, reduction)


def l1_loss(prediction: T, target: ArrayLike, *, reduction: str = "mean") -> T:
    """Return the mean of `|prediction - target|` over all values, of equal shapes."""
    losses = np.abs(prediction - beside("l1_loss", prediction, target))
    return reduced("l1_loss", losses, reduction)


def huber_loss(
    prediction: T, target: ArrayLike, *, delta: float = 1.0, reduction: str = "mean"
) -> T:
    """Return the mean of `d^2 / 2` where `|d| < delta`, else `delta (|d| - delta / 2)`.

    d is prediction - target, of equal shapes. It is the square near 0, the distance far from it.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter", 1964.
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}")
    size = np.abs(prediction - beside("huber_loss", prediction, target))
    near = np.minimum(size, float(delta))
    return reduced("huber_loss", near * (size - 0.5 * near), reduction)


def hinge_loss(
    prediction: T, target: ArrayLike, *, margin: float = 1.0, reduction: str = "mean"
) -> T:
    """Return the mean of max(0, margin - target * prediction), for targets of -1 and 1.

    At the margin itself the gradient is half of that beside it.

    References
    ----------
    Cortes and Vapnik, "Support-Vector Networks", 1995.
    """
    losses = np.maximum(0, margin - beside("hinge_loss", prediction, target) * prediction)
    return reduced("hinge_loss", losses, reduction)


def sum_squared_error(prediction: T, target: ArrayLike) -> T:
    """Return the book's 0.5 * sum((prediction - target)**2), not divided by the batch."""
    return 0.5 * np.sum(np.square(prediction - beside("sum_squared_error", prediction, target)))


def l2_penalty(parameters: Iterable[Tensor], weight_decay: float) -> Tensor | float:
    """Return 0.5 * weight_decay * sum(w**2) over the weights, those of two or more axes.

    It is what the book adds to the loss; an optimizer's `weight_decay` adds its gradient.
    """
    weights = [p for p in parameters if len(p.shape) > 1]
    return 0.5 * weight_decay * sum(np.sum(np.square(w)) for w in weights)
