"""Losses and the accuracy; labels are checked, shapes are never broadcast."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy
from numpy.typing import ArrayLike, DTypeLike

from minigrad.autograd import Array, Tensor, bare, differentiable, messages
from minigrad.functional.activations import sigmoid, softmax
from minigrad.ops.reduction import divided
from minigrad.ops.types import T, Values

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors


def _beside(name: str, prediction: Values, target: ArrayLike) -> Any:
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


def _labels(name: str, logits: Values, targets: ArrayLike) -> Array:
    """Check integer labels, or rows of probabilities, against logits of shape (N, C)."""
    if isinstance(targets, Tensor) and targets.requires_grad:
        raise TypeError(f"{name}: targets get no gradient: pass targets.detach()")
    t: Any = targets
    t = t if t.__class__ is np.ndarray else Tensor(t).data
    shape = np.shape(bare(logits))
    if len(shape) != 2 or shape[0] == 0:
        raise ValueError(f"{name}: logits must have shape (N, C) with N > 0, got {shape}")
    if t.shape == shape:
        return t
    if t.shape != shape[:1]:
        raise ValueError(
            f"{name}: logits have shape {shape}, so targets must be {shape[0]} labels (shape "
            f"{shape[:1]}) or one-hot rows (shape {shape}), got shape {t.shape}"
        )
    return _in_range(name, t, shape[1])


def _in_range(name: str, labels: Array, classes: int) -> Array:
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: labels must be integers, got {labels.dtype}: convert with labels.astype(int)"
        )
    # As unsigned integers the negative ones are too large as well.
    if labels.size and labels.astype(np.uint64, copy=False).max() >= classes:
        wrong = np.argwhere((labels < 0) | (labels >= classes))[0].tolist()
        raise ValueError(
            f"{name}: labels must lie in 0..{classes - 1} for {classes} classes, but label "
            f"{', '.join(map(str, wrong))} is {labels[tuple(wrong)]}"
        )
    return labels


def one_hot(labels: ArrayLike, num_classes: int, dtype: DTypeLike = numpy.float32) -> Array:
    """Return 1 at the label and 0 elsewhere: shape (N,) gives (N, num_classes)."""
    labels = _in_range("one_hot", np.asarray(bare(labels)), num_classes)
    return np.eye(num_classes, dtype=dtype)[labels]


def _cross_entropy_pullback(
    g: Array, _y: object, x: Array, targets: Array, residual: Array | None = None
) -> Array:
    """(softmax(x) - onehot) / N; rows of targets that sum to s weigh the softmax by s."""
    if residual is not None:
        return g * residual
    rows = targets if targets.ndim == 2 else one_hot(targets, x.shape[1], x.dtype)
    return divided(g * (softmax(x) * rows.sum(axis=1, keepdims=True) - rows), x.shape[0])


@differentiable(_cross_entropy_pullback, None, residual=True)
def _cross_entropy(x: Any, targets: Array) -> Any:
    if x.dtype == np.float16:  # in which the sum over many rows is infinite
        loss, slope = _loss_and_slope(x.astype(np.float32), targets)
        return loss.astype(x.dtype), slope.astype(x.dtype)
    return _loss_and_slope(x, targets)


def _loss_and_slope(x: Array, targets: Array) -> tuple[Any, Array]:
    n = x.shape[0]
    shifted = x.T.copy()  # classes first: NumPy reduces across rows much faster than along them
    shifted -= shifted.max(axis=0)
    p = np.exp(shifted)
    total = p.sum(axis=0)
    p /= total
    if targets.ndim == 2:
        loss = ((np.log(total) - shifted) * targets.T).sum() / n
        p *= targets.sum(axis=1)
        p -= targets.T
    else:
        at = (targets, np.arange(n))
        loss = (np.log(total) - shifted[at]).sum() / n
        p[at] -= 1
    p /= n
    return loss, p.T


def cross_entropy(logits: T, targets: ArrayLike) -> T:
    """Return the mean over the batch of -log softmax(logits) at the target.

    Parameters
    ----------
    logits : array_like
        Shape (N, C), before the softmax.
    targets : array_like
        Integer labels, shape (N,), or rows of probabilities such as one-hot rows, shape (N, C).

    Returns
    -------
    Tensor
        Shape (). Its gradient is (softmax - onehot) / N.

    Raises
    ------
    ValueError
        If shapes do not fit, the batch is empty, or a label is out of range.
    TypeError
        If labels are not integers, or if targets require a gradient.
    """
    t = _labels("cross_entropy", logits, targets)
    if t.ndim == 2:  # rows of another type must not widen the loss
        t = t.astype(np.result_type(bare(logits), np.float16))
    return _cross_entropy(logits, t)


@differentiable(lambda g, _y, x, t: g * (sigmoid(x) - t), lambda g, _y, x, _t: -g * x)
def _binary_cross_entropy(x: T, t: ArrayLike) -> T:
    return np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))


def binary_cross_entropy_with_logits(logits: T, targets: ArrayLike) -> T:
    """Return the mean of -t log s - (1 - t) log(1 - s), s = sigmoid(logits), without overflow."""
    targets = _beside("binary_cross_entropy_with_logits", logits, targets)
    return np.mean(_binary_cross_entropy(logits, targets))


def mse_loss(prediction: T, target: ArrayLike) -> T:
    """Return the mean of (prediction - target)**2 over all values, of equal shapes."""
    return np.mean(np.square(prediction - _beside("mse_loss", prediction, target)))


def sum_squared_error(prediction: T, target: ArrayLike) -> T:
    """Return the book's 0.5 * sum((prediction - target)**2), not divided by the batch."""
    return 0.5 * np.sum(np.square(prediction - _beside("sum_squared_error", prediction, target)))


def l2_penalty(parameters: Iterable[Tensor], weight_decay: float) -> Tensor | float:
    """Return 0.5 * weight_decay * sum(w**2) over the weights, those of two or more axes.

    It is what the book adds to the loss; an optimizer's `weight_decay` adds its gradient.
    """
    weights = [p for p in parameters if len(p.shape) > 1]
    return 0.5 * weight_decay * sum(np.sum(np.square(w)) for w in weights)


def accuracy(logits: Values, targets: ArrayLike) -> float:
    """Return the share of rows whose largest logit is at the target (label or one-hot row).

    A row that holds a NaN has no largest logit, and is wrong.
    """
    t = _labels("accuracy", logits, targets)
    t = t if t.ndim == 1 else t.argmax(axis=1)
    rows = np.asarray(bare(logits))
    right = (rows.argmax(axis=1) == t) & ~np.isnan(rows.max(axis=1))
    return float(right.mean())
