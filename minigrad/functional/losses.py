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
    x, of_target = np.asarray(bare(prediction)), np.shape(target)
    if x.dtype.kind == "c":
        raise TypeError(messages.no_order(name))
    if x.shape != of_target:
        raise ValueError(
            f"{name}: prediction has shape {x.shape} but target {of_target}: "
            "broadcasting them would compare every pair of rows: reshape one to the other"
        )
    if isinstance(target, Tensor) and target.requires_grad:
        return target
    array = Tensor(target).data
    return array.astype(x.dtype, copy=False) if x.dtype.kind == "f" else array


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

    Returns
    -------
    Tensor
        Shape (), or that of the logits.

    Examples
    --------
    >>> logits = np.array([0.0, 1000.0, -1000.0])
    >>> print(binary_cross_entropy_with_logits(logits, np.array([1.0, 1.0, 0.0])).round(4))
    0.231
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
    """Return the mean of (prediction - target)**2 over all values, of equal shapes.

    Parameters
    ----------
    prediction, target : array_like
        The same shape: they are not broadcast.
    reduction : {"mean", "sum", "none"}
        How the losses of all values are put together.

    Returns
    -------
    Tensor
        Shape (), or that of the prediction.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> print(mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    losses = np.square(prediction - beside("mse_loss", prediction, target))
    return reduced("mse_loss", losses, reduction)


def l1_loss(prediction: T, target: ArrayLike, *, reduction: str = "mean") -> T:
    """Return the mean of abs(prediction - target) over all values, of equal shapes.

    Parameters
    ----------
    prediction, target : array_like
        The same shape: they are not broadcast.
    reduction : {"mean", "sum", "none"}
        How the losses of all values are put together.

    Returns
    -------
    Tensor
        Shape (), or that of the prediction.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> print(l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    losses = np.abs(prediction - beside("l1_loss", prediction, target))
    return reduced("l1_loss", losses, reduction)


def huber_loss(
    prediction: T, target: ArrayLike, *, delta: float = 1.0, reduction: str = "mean"
) -> T:
    """Return the mean of d^2 / 2 where abs(d) < delta, else delta (abs(d) - delta / 2).

    d is prediction - target, of equal shapes. It is the square near 0, the distance far from it.

    Parameters
    ----------
    prediction, target : array_like
        The same shape: they are not broadcast.
    delta : float
        Where the square ends.
    reduction : {"mean", "sum", "none"}
        How the losses of all values are put together.

    Returns
    -------
    Tensor
        Shape (), or that of the prediction.

    Raises
    ------
    ValueError
        If the shapes differ, or delta is not positive.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter", 1964.

    Examples
    --------
    >>> print(huber_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    0.75
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

    Parameters
    ----------
    prediction, target : array_like
        The same shape: they are not broadcast.
    margin : float
        From where on a prediction is right enough.
    reduction : {"mean", "sum", "none"}
        How the losses of all values are put together.

    Returns
    -------
    Tensor
        Shape (), or that of the prediction.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    Cortes and Vapnik, "Support-Vector Networks", 1995.

    Examples
    --------
    >>> print(hinge_loss(np.array([2.0, 0.5]), np.array([1.0, 1.0])))
    0.25
    """
    losses = np.maximum(0, margin - beside("hinge_loss", prediction, target) * prediction)
    return reduced("hinge_loss", losses, reduction)


def sum_squared_error(prediction: T, target: ArrayLike) -> T:
    """Return the book's 0.5 * sum((prediction - target)**2), not divided by the batch.

    Parameters
    ----------
    prediction, target : array_like
        The same shape: they are not broadcast.

    Returns
    -------
    Tensor
        Shape ().

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> print(sum_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    return 0.5 * np.sum(np.square(prediction - beside("sum_squared_error", prediction, target)))


def l2_penalty(parameters: Iterable[Tensor], weight_decay: float) -> Tensor | float:
    """Return 0.5 * weight_decay * sum(w**2) over the weights, those of two or more axes.

    It is what the book adds to the loss; an optimizer's `weight_decay` adds its gradient.

    Parameters
    ----------
    parameters : iterable of Tensors
        Such as `model.parameters()`; biases and other vectors are passed over.
    weight_decay : float
        The book's lambda.

    Returns
    -------
    Tensor
        Shape (); the number 0.0 if there are no weights.

    Examples
    --------
    >>> weight, bias = Tensor([[1.0, 2.0]], requires_grad=True), Tensor([5.0], requires_grad=True)
    >>> l2_penalty([weight, bias], 0.1).item()
    0.25
    """
    weights = [p for p in parameters if len(p.shape) > 1]
    return 0.5 * weight_decay * sum(np.sum(np.square(w)) for w in weights)
