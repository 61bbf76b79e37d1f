"""Losses and the accuracy; labels are checked, shapes are never broadcast."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.functional.activations import softmax
from minigrad.methods import Array
from minigrad.tensor import Tensor, bare, differentiable


def _same_shape(name: str, prediction: Any, target: Any) -> None:
    if np.shape(prediction) != np.shape(target):
        raise ValueError(
            f"{name}: prediction has shape {np.shape(prediction)} but target {np.shape(target)}: "
            "broadcasting them would compare every pair of rows: reshape one to the other"
        )


def _labels(name: str, logits: Any, targets: Any) -> Array:
    """Check integer labels, or rows of probabilities, against logits of shape (N, C)."""
    t = np.asarray(bare(targets))
    shape = np.shape(logits)
    if len(shape) != 2 or shape[0] == 0:
        raise ValueError(f"{name}: logits must have shape (N, C) with N > 0, got {shape}")
    if t.shape == shape:
        return t
    if t.shape != shape[:1]:
        raise ValueError(
            f"{name}: logits have shape {shape}, so targets must be {shape[0]} labels (shape "
            f"{shape[:1]}) or one-hot rows (shape {shape}), got shape {t.shape}"
        )
    if t.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: labels must be integers, got {t.dtype}: convert with labels.astype(int)"
        )
    if t.astype(np.uint64, copy=False).max() >= shape[1]:  # a negative one wraps to a large one
        wrong = int(np.flatnonzero((t < 0) | (t >= shape[1]))[0])
        raise ValueError(
            f"{name}: labels must lie in 0..{shape[1] - 1} for logits of shape {shape}, but "
            f"label {wrong} is {t[wrong]}"
        )
    return t


def one_hot(labels: Any, num_classes: int, dtype: Any = np.float32) -> Array:
    """Return rows that are 1 at the label and 0 elsewhere, shape (N, num_classes)."""
    labels = np.asarray(bare(labels))
    _labels("one_hot", np.empty((labels.size, num_classes)), labels)
    return np.eye(num_classes, dtype=dtype)[labels]


def _cross_entropy_pullback(g: Any, _y: Any, x: Any, targets: Any, residual: Any = None) -> Any:
    """(softmax(x) - onehot) / N; rows of targets that sum to s weigh the softmax by s."""
    if residual is not None:
        return g * residual
    rows = targets if targets.ndim == 2 else one_hot(targets, x.shape[1], x.dtype)
    return g * ((softmax(x) * rows.sum(axis=1, keepdims=True) - rows) / x.shape[0])


def _cross_entropy(x: Any, targets: Any) -> tuple[Any, Any]:
    n = x.shape[0]
    shifted = x - x.max(axis=1, keepdims=True)
    p = np.exp(shifted)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    log_total = np.log(total)
    if targets.ndim == 2:
        loss = ((log_total - shifted) * targets).sum() / n
        p *= targets.sum(axis=1, keepdims=True)
        p -= targets
    else:
        at = (np.arange(n), targets)
        loss = (log_total[:, 0] - shifted[at]).sum() / n
        p[at] -= 1
    p /= n
    return loss, p


_cross_entropy = differentiable(_cross_entropy_pullback, None, residual=True)(_cross_entropy)


def cross_entropy(logits: Any, targets: Any) -> Any:
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
        If labels are not integers.
    """
    return _cross_entropy(logits, _labels("cross_entropy", logits, targets))


def binary_cross_entropy_with_logits(logits: Any, targets: Any) -> Any:
    """Return the mean of -t log s - (1 - t) log(1 - s), s = sigmoid(logits), without overflow."""
    _same_shape("binary_cross_entropy_with_logits", logits, targets)
    return np.mean(np.logaddexp(logits, 0.0) - logits * targets)


def mse_loss(prediction: Any, target: Any) -> Any:
    """Return the mean of (prediction - target)**2 over all values, of equal shapes."""
    _same_shape("mse_loss", prediction, target)
    return np.mean(np.square(prediction - target))


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


def accuracy(logits: Any, targets: Any) -> float:
    """Return the share of rows whose largest logit is at the target (label or one-hot row)."""
    t = _labels("accuracy", logits, targets)
    t = t if t.ndim == 1 else t.argmax(axis=1)
    return float((np.asarray(bare(logits)).argmax(axis=1) == t).mean())
