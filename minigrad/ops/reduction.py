"""Pullbacks of the reductions: sums, means, products, extremes, norms, and running sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd import bare, compose, define, differentiable

Axis = int | tuple[int, ...] | None


def spread(g: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """Give a reduced array its axes back: one value for all that were reduced to it."""
    if axis is not None and not keepdims and shape:  # a scalar has no axis, yet takes axis=0
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape)


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    """Return how many values were reduced to one."""
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[a] for a in (axis if isinstance(axis, tuple) else (axis,)))


def _sum(g: Any, _y: Any, _x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return spread(g, _x.shape, axis, keepdims)


def _mean(g: Any, _y: Any, _x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return spread(g / _count(_x.shape, axis), _x.shape, axis, keepdims)


def _prod(g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    if np.all(bare(x) != 0):
        return spread(g * y, x.shape, axis, keepdims) / x
    return spread(g, x.shape, axis, keepdims) * _product_of_others(x, axis)


def _product_of_others(x: Any, axis: Axis) -> Any:
    """For each value, the product of all others along `axis`, without a division by zero."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    last = sorted(a % x.ndim for a in axes)
    rest = [a for a in range(x.ndim) if a not in last]
    order = rest + last
    moved = np.transpose(x, order)
    others = _others(np.reshape(moved, (*moved.shape[: len(rest)], -1)))
    return np.transpose(np.reshape(others, moved.shape), np.argsort(order))


def _others(x: Any) -> Any:
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
    g: Any, _y: Any, x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False
) -> Any:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return spread(2 * g / (_count(x.shape, axis) - ddof), x.shape, axis, keepdims) * centred


def _std(g: Any, y: Any, x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    return _var(g / (2 * np.where(y == 0, 1, y)), None, x, axis, ddof, keepdims)  # 0 at std 0


def _extreme(g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """A tie: equal shares."""
    mask = x == spread(y, x.shape, axis, keepdims)
    count = np.maximum(np.sum(mask, axis=axis, keepdims=True), 1)
    return spread(g, x.shape, axis, keepdims) * (mask / count).astype(x.dtype)


def _cumsum(g: Any, _y: Any, _x: Any, axis: int | None = None) -> Any:
    along = 0 if axis is None else axis
    return np.reshape(np.flip(np.cumsum(np.flip(g, along), axis=along), along), _x.shape)


define(np.sum, _sum)
define(np.mean, _mean)
define(np.prod, _prod)
define(np.var, _var)
define(np.std, _std)
define(np.max, _extreme)
define(np.min, _extreme)
define(np.amax, _extreme)
define(np.amin, _extreme)
define(np.cumsum, _cumsum)


@differentiable(
    lambda g, y, x, axis=None, keepdims=False: (
        spread(g, x.shape, axis, keepdims) * np.exp(x - spread(y, x.shape, axis, keepdims))
    )
)
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return log(sum(exp(x))) along `axis`, without overflow."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis=axis)


@differentiable(
    lambda g, y, x, axis=None, keepdims=False: (
        spread(g / np.where(y == 0, 1, y), x.shape, axis, keepdims) * x  # 0 at 0
    )
)
def _euclidean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


@compose(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
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
def _vector_norm(x: Any, axis: Axis = None, *, keepdims: bool = False, ord: Any = 2) -> Any:
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
    return np.sum(size**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


compose(np.ptp)(
    lambda a, axis=None, keepdims=False: (
        np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)
    )
)
