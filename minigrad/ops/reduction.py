"""Pullbacks of the reductions: sums, means, products, extremes, norms, and running sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from minigrad.autograd import Array, Axis, Constant, Shape, compose, define, differentiable
from minigrad.ops.complex_numbers import conj, ordered, squared

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


def divided(g: Array, n: float) -> Array:
    """Return g / n, also where n is too large for float16, whose numbers end at 65,504."""
    if g.dtype != np.float16 or abs(n) < 2**15:
        return g / n
    _, exponent = math.frexp(n)
    return g / math.ldexp(n, 8 - exponent) / 2.0 ** (exponent - 8)


def _mean(g: Array, _y: object, _x: Constant, axis: Axis = None, keepdims: bool = False) -> Array:
    return spread(divided(g, _count(_x.shape, axis)), _x.shape, axis, keepdims)


def _prod(g: Array, y: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    if np.all(x != 0):
        return spread(g * y, x.shape, axis, keepdims) / x
    return spread(g, x.shape, axis, keepdims) * _product_of_others(x, axis)


def _product_of_others(x: Array, axis: Axis) -> Array:
    """For each value, the product of all others along `axis`, without a division by zero."""
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    ends = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, ends)
    others = _others(np.reshape(moved, (*moved.shape[: x.ndim - len(axes)], -1)))
    return np.moveaxis(np.reshape(others, moved.shape), ends, axes)


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
    centred = centred - np.mean(
        centred, axis=axis, keepdims=True
    )  # the mean is rounded, far from 0
    share = divided(2 * g, _count(x.shape, axis) - ddof)
    return spread(share, x.shape, axis, keepdims) * conj(centred)


def _std(
    g: Array, y: Array, x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False
) -> Array:
    return _var(g / (2 * np.where(y == 0, 1, y)), None, x, axis, ddof, keepdims)  # 0 at std 0


def _extreme(g: Array, y: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """A tie: equal shares. NaNs are the extreme wherever there are some."""
    mask = (x == spread(y, x.shape, axis, keepdims)) | np.isnan(x)
    share = 1 / np.maximum(np.sum(mask, axis=axis, keepdims=True), 1)
    return np.where(mask, spread(g, x.shape, axis, keepdims) * share.astype(x.dtype), 0)


define(np.sum, _sum)
define(np.mean, _mean)
define(np.prod, _prod)
define(np.var, _var)
define(np.std, _std)
for extreme in (np.max, np.min, np.amax, np.amin):
    define(extreme, _extreme, forward=ordered(extreme))


@differentiable(
    lambda g, y, x, axis=None, keepdims=False: (
        spread(g / np.where(y == 0, 1, y), x.shape, axis, keepdims) * conj(x)  # 0 at 0
    )
)
def _euclidean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.sqrt(np.sum(squared(x), axis=axis, keepdims=keepdims))


@compose(np.linalg.norm)
def _norm(x: Array, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Norms of vectors and of matrices, of any order."""
    axes = x.ndim if axis is None else len(normalize_axis_tuple(axis, x.ndim, "axis"))
    if axes not in (1, 2) and (axis, ord) != (None, None):
        got = f"shape {x.shape}" if axis is None else f"axis={axis}"
        raise ValueError(f"norm: expected one axis or two, got {got}")
    if axes == 1 and isinstance(ord, str):
        raise ValueError(f"norm: ord={ord!r} is a norm of matrices, got axis={axis} of {x.shape}")
    if ord is None or (ord == "fro" and axes == 2):
        return _euclidean(x, axis=axis, keepdims=keepdims)
    if axes == 2:
        axis = (0, 1) if axis is None else axis
        y = np.linalg.matrix_norm(np.moveaxis(x, axis, (-2, -1)), ord=ord)
        return np.expand_dims(y, axis) if keepdims else y  # type: ignore[return-value]
    return _vector_norm(x, axis, keepdims=keepdims, ord=ord)


@compose(np.linalg.vector_norm)
def _vector_norm(x: Array, axis: Axis = None, *, keepdims: bool = False, ord: Order = 2) -> Array:
    if ord is None or ord == 2:
        return _euclidean(x, axis=axis, keepdims=keepdims)
    size = np.abs(x)
    if ord == 1 or (ord == math.inf and _count(x.shape, axis) == 0):
        return np.sum(size, axis=axis, keepdims=keepdims)
    if ord in (math.inf, -math.inf):
        return (np.max if ord == math.inf else np.min)(size, axis=axis, keepdims=keepdims)
    if not isinstance(ord, float | int) or ord == 0:
        raise TypeError(f"norm: ord={ord!r} has no derivative: use a nonzero number or inf")
    total = np.sum(_power(size, ord), axis=axis, keepdims=keepdims)
    return _power(total, 1 / ord)


def _power(x: Array, exponent: float) -> Array:
    """Return x**exponent for x of no sign; the gradient at 0 is 0."""
    zero = x == 0
    return np.where(zero, 0.0 if exponent > 0 else math.inf, np.where(zero, 1, x) ** exponent)


compose(np.ptp)(lambda a, *axis, **how: np.max(a, *axis, **how) - np.min(a, *axis, **how))
