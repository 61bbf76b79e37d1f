"""Labels of classes: checked against logits, written as one-hot rows, and counted where right."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import ArrayLike, DTypeLike

from minigrad.autograd import Array, Tensor, bare
from minigrad.ops.types import Values

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors


def checked_labels(
    name: str, logits: Values, targets: ArrayLike, ignore_index: int | None = None
) -> tuple[Array, bool]:
    """Check integer labels, or rows of probabilities, against logits of shape (N, C).

    Return them as an array, and whether some of them are to be ignored.
    """
    if isinstance(targets, Tensor) and targets.requires_grad:
        raise TypeError(f"{name}: targets get no gradient: pass targets.detach()")
    t: Any = targets
    t = t if t.__class__ is np.ndarray else Tensor(t).data
    shape = np.shape(bare(logits))
    if len(shape) < 2 or 0 in shape[:-1]:
        raise ValueError(f"{name}: logits must have shape (N, C) with N > 0, got {shape}")
    if t.shape == shape:
        return t, False
    if t.shape != shape[:-1]:
        n = " x ".join(map(str, shape[:-1]))
        raise ValueError(
            f"{name}: logits have shape {shape}, so targets must be {n} labels (shape "
            f"{shape[:-1]}) or one-hot rows (shape {shape}), got shape {t.shape}"
        )
    some = _beyond(name, t, shape[-1], ignore_index)
    if ignore_index is not None and 0 <= ignore_index < shape[-1]:
        some = bool((t == ignore_index).any())
    return t, some


def _beyond(name: str, labels: Array, classes: int, ignored: int | None = None) -> bool:
    """Refuse labels that are no class; tell whether there are some of those that are `ignored`."""
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: labels must be integers, got {labels.dtype}: convert with labels.astype(int)"
        )
    # As unsigned integers the negative ones are too large as well.
    if not labels.size or labels.astype(np.uint64, copy=False).max() < classes:
        return False
    wrong = (labels < 0) | (labels >= classes)
    wrong &= True if ignored is None else labels != ignored
    for at in np.argwhere(wrong)[:1].tolist():
        raise ValueError(
            f"{name}: labels must lie in 0..{classes - 1} for {classes} classes, but label "
            f"{', '.join(map(str, at))} is {labels[tuple(at)]}"
        )
    return True


def one_hot(labels: ArrayLike, num_classes: int, dtype: DTypeLike = numpy.float32) -> Array:
    """Return 1 at the label and 0 elsewhere: shape (N,) gives (N, num_classes).

    Parameters
    ----------
    labels : array_like
        Integers from 0 to num_classes - 1, any shape.
    num_classes : int
        The length of the rows.
    dtype : dtype
        The type of the result.

    Returns
    -------
    ndarray
        The shape of the labels, and `num_classes` behind it.

    Examples
    --------
    >>> one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    given: Array = np.asarray(bare(labels))
    _beyond("one_hot", given, num_classes)
    rows: Array = np.eye(num_classes, dtype=dtype)[given]
    return rows


def accuracy(logits: Values, targets: ArrayLike) -> float:
    """Return the share of rows whose largest logit is at the target (label or one-hot row).

    A row that holds a NaN has no largest logit, and is wrong.

    Parameters
    ----------
    logits : array_like
        Shape (N, C).
    targets : array_like
        Labels, shape (N,), or one-hot rows, shape (N, C).

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), [1, 1])
    0.5
    """
    t, _ = checked_labels("accuracy", logits, targets)
    rows = np.asarray(bare(logits))
    right = rows.argmax(axis=-1) == (t.argmax(axis=-1) if t.shape == rows.shape else t)
    if (top := rows.max()) != top:
        right &= ~np.isnan(rows).any(axis=-1)
    return float(np.count_nonzero(right) / right.size)
