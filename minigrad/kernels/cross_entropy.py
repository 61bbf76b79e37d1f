"""Cross-entropy of rows of logits, and the softmax that its gradient is made of."""

from __future__ import annotations

import numpy as np

from minigrad.kernels.columns import Array
from minigrad.kernels.rows import exponentials, in_rows, matrix

FEW_CLASSES = 32  # for these NumPy reduces across rows much faster than along them


def cross_entropy(x: Array, targets: Array, scale: Array | None) -> tuple[Array, Array]:
    """Return the loss of each row of `x` (N, C), and its gradient, both times `scale` (N,).

    The targets are labels (N,), or rows (N, C). Without a scale the losses are left as they are,
    and the gradient is that of their mean. Both are float32 at least: in float16 the sum over many
    rows is infinite.
    """
    x = x.astype(np.result_type(x, np.float32), copy=False)
    if x.shape[1] <= FEW_CLASSES:
        return _across(x, targets, scale)
    mean = scale is None
    scale = np.full(len(x), 1 / len(x), x.dtype) if scale is None else scale
    a = matrix(x)
    losses, p = np.empty(len(x), a.dtype), np.empty_like(a)

    def work(a: Array, p: Array, losses: Array, targets: Array, scale: Array) -> None:
        total, top = exponentials(a, p)
        np.log(total, out=losses)
        if targets.ndim == 2:
            s = targets.sum(axis=1)
            losses += top
            losses *= s
            losses -= np.vecdot(a, targets)
            p *= (s / total * scale)[:, None]
            p -= targets * scale[:, None]
        else:
            at = np.arange(len(a)), targets
            losses -= a[at] - top
            p *= (scale / total)[:, None]
            p[at] -= scale
        if not mean:
            losses *= scale

    in_rows(work, a, p, losses, targets, scale)
    return losses, p


def _across(x: Array, targets: Array, scale: Array | None) -> tuple[Array, Array]:
    shifted = x.T.copy()  # classes first
    shifted -= shifted.max(axis=0)
    p = np.exp(shifted)
    total = p.sum(axis=0)
    p /= total
    losses = np.log(total)
    if targets.ndim == 2:
        losses = ((losses - shifted) * targets.T).sum(axis=0)
        p *= targets.sum(axis=1)
        p -= targets.T
    else:
        at = (targets, np.arange(len(x)))
        losses -= shifted[at]
        p[at] -= 1
    if scale is None:
        p /= len(x)
    else:
        p *= scale
        losses *= scale
    return losses, p.T
