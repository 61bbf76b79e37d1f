"""Pullbacks of the reductions: sums, means, products, extremes, norms, and running sums."""

from __future__ import annotations

import math

import numpy as np

from minigrad.autograd import Array, Axis, Constant, Shape, compose, define, differentiable
from minigrad.kernels import rows

Order = float | str | None


def spread(g: Array, shape: Shape, axis: Axis, keepdims: bool) -> Array:
    """Give a reduced array its axes back: one value for all that were reduced to it."""
    if axis is not None and not keepdims and shape:  # a scalar has no axis, yet takes axis=0
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape)


def _count(shape: Shape, axis: Axis) -> int:
    """Return how many values were reduced to one."""
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[a] for a in (axis if isinstance(axis, tuple) else (axis,)))


def _sum(g: Array, _y: object, _x: Constant, axis: Axis = None, keepdims: bool = False) -> Array:
    return spread(g, _x.shape, axis, keepdims)


def _mean(g: Array, _y: object, _x: Constant, axis: Axis = None, keepdims: bool = False) -> Array:
    return spread(g / _count(_x.shape, axis), _x.shape, axis, keepdims)


def _prod(g: Array, y: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    if np.all(x != 0):
        return spread(g * y, x.shape, axis, keepdims) / x
    return spread(g, x.shape, axis, keepdims) * _product_of_others(x, axis)


def _product_of_others(x: Array, axis: Axis) -> Array:
    """For each value, the product of all others along `axis`, without a division by zero."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    last = sorted(a % x.ndim for a in axes)
    rest = [a for a in range(x.ndim) if a not in last]
    order = rest + last
    moved = np.transpose(x, order)
    others = _others(np.reshape(moved, (*moved.shape[: len(rest)], -1)))
    return np.transpose(np.reshape(others, moved.shape), np.argsort(order))


def _others(x: Array) -> Array:
    if x.shape[-1] == 1:
        return np.ones_like(x)
    left, right = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
    return np.concatenate(
        [
            _others(left) * np.prod(right, axis=-1, keepdims=True),
            _others(right) * np.prod(left, axis=-1, keepdims=True),
        ],
        axis=-1,
    )


def _var(
    g: Array, _y: object, x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False
) -> Array:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return spread(2 * g / (_count(x.shape, axis) - ddof), x.shape, axis, keepdims) * centred


def _std(
    g: Array, y: Array, x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False
) -> Array:
    return _var(g / (2 * np.where(y == 0, 1, y)), None, x, axis, ddof, keepdims)  # 0 at std 0


def _extreme(g: Array, y: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """A tie: equal shares."""
    mask = x == spread(y, x.shape, axis, keepdims)
    count = np.maximum(np.sum(mask, axis=axis, keepdims=True), 1)
    return spread(g, x.shape, axis, keepdims) * (mask / count).astype(x.dtype)


def _cumsum(g: Array, _y: object, _x: Constant, axis: int | None = None) -> Array:
    along = 0 if axis is None else axis
    return np.reshape(np.flip(np.cumsum(np.flip(g, along), axis=along), along), _x.shape)


define(np.sum, _sum)
define(np.mean, _mean)
define(np.prod, _prod)
define(np.var, _var)
define(np.std, _std)
define(np.cumsum, _cumsum)
for extreme in (np.max, np.min, np.amax, np.amin):
    define(extreme, _extreme)


def _by_rows(x: Array, axis: Axis) -> bool:
    """Tell whether `x` is an array that is reduced along its last axis, for which is a kernel."""
    return type(x) is np.ndarray and x.size > 0 and axis in (-1, x.ndim - 1)


def _logsumexp(g: Array, y: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    if _by_rows(x, axis) and isinstance(g, np.ndarray) and np.all(y > -np.inf):
        return rows.logsumexp_gradient(g, y, x)
    return spread(g, x.shape, axis, keepdims) * np.exp(x - spread(y, x.shape, axis, keepdims))


@differentiable(_logsumexp)
def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return log(sum(exp(x))) along `axis`, without overflow."""
    if _by_rows(x, axis):
        y = rows.logsumexp(x)
        return np.expand_dims(y, -1) if keepdims else y
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis=axis)


@differentiable(
    lambda g, y, x, axis=None, keepdims=False: (
        spread(g / np.where(y == 0, 1, y), x.shape, axis, keepdims) * x  # 0 at 0
    )
)
def _euclidean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


@compose(np.linalg.norm)
def _norm(x: Array, ord: Order = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Vector norms of any order, and the Frobenius norm."""
    axes = x.ndim if axis is None else np.size(axis)
    if axis is not None and axes not in (1, 2):
        raise ValueError(f"norm: expected one axis or two, got axis={axis}")
    if ord is None or (ord == "fro" and axes == 2):
        return _euclidean(x, axis=axis, keepdims=keepdims)
    if axes != 1:
        raise TypeError(
            f"norm: ord={ord!r} of matrices has no derivative here: use ord='fro', or one axis"
        )
    return _vector_norm(x, axis, keepdims=keepdims, ord=ord)


@compose(np.linalg.vector_norm)
def _vector_norm(x: Array, axis: Axis = None, *, keepdims: bool = False, ord: Order = 2) -> Array:
    if ord is None or ord == 2:
        return _euclidean(x, axis=axis, keepdims=keepdims)
    size = np.abs(x)
    if ord == math.inf:
        return np.max(size, axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return np.min(size, axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if not isinstance(ord, float | int) or ord == 0:
        raise TypeError(f"norm: ord={ord!r} has no derivative: use a nonzero number or inf")
    return np.power(np.sum(size**ord, axis=axis, keepdims=keepdims), 1 / ord)


compose(np.ptp)(
    lambda a, axis=None, keepdims=False: (
        np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)
    )
)
