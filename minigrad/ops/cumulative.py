"""Pullbacks of running sums and products, of differences and of sums along a curve."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from minigrad.autograd import alike, bare, compose, define, messages
from minigrad.ops.complex_numbers import is_complex, ordered


def _reverse_cumsum(g: Any, axis: int) -> Any:
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


def _cumsum_gradient(g: Any, _y: Any, _x: Any, axis: int | None = None) -> Any:
    return np.reshape(_reverse_cumsum(g, 0 if axis is None else axis), _x.shape)


def _cumprod_gradient(g: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    """The sum of g y from there on, divided by x; without a division where a value is 0."""
    if axis is None:
        return np.reshape(_cumprod_gradient(g, y, np.ravel(x), 0), x.shape)
    if np.all(bare(x) != 0):
        return _reverse_cumsum(g * y, axis) / x
    g, y, x = (np.moveaxis(a, axis, 0) for a in (g, y, x))
    before = np.concatenate([np.ones_like(bare(x[:1])), y[:-1]])
    after = [g[-1]]  # what the products from here on weigh: S_k = g_k + x_(k+1) S_(k+1)
    for k in range(x.shape[0] - 2, -1, -1):
        after.append(g[k] + x[k + 1] * after[-1])
    return np.moveaxis(before * np.stack(after[::-1]), 0, axis)


define(np.cumsum, _cumsum_gradient)
define(np.cumprod, _cumprod_gradient)


@compose(np.nancumsum)
def _nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return np.cumsum(np.where(np.isnan(a), 0, a), axis=axis, dtype=dtype)


@compose(np.nancumprod)
def _nancumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return np.cumprod(np.where(np.isnan(a), 1, a), axis=axis, dtype=dtype)


def _cumulative(running: Any, neutral: int) -> Any:
    """The same under the names of the array API, which can begin with the neutral element."""

    def run(
        x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: bool = False
    ) -> Any:
        if axis is None and x.ndim > 1:
            raise ValueError(f"{running.__name__}: name the axis of an array of {x.ndim} axes")
        axis = 0 if axis is None else axis
        y = running(x, axis=axis, dtype=dtype)
        if not include_initial:
            return y
        first = np.full([1 if a == axis % y.ndim else n for a, n in enumerate(y.shape)], neutral)
        return np.concatenate([first.astype(y.dtype), y], axis=axis)

    return run


if hasattr(np, "cumulative_sum"):  # since NumPy 2.1
    compose(np.cumulative_sum)(_cumulative(np.cumsum, 0))
    compose(np.cumulative_prod)(_cumulative(np.cumprod, 1))


def running_extreme(ufunc: Any, x: Any, axis: int = 0) -> Any:
    """`maximum.accumulate` and its like: the first of equal values gets the gradient."""
    array = bare(x)
    axis = normalize_axis_index(axis, array.ndim)
    so_far = ordered(ufunc.accumulate)(array, axis)
    shape = [-1 if a == axis else 1 for a in range(array.ndim)]
    position = np.arange(array.shape[axis]).reshape(shape)
    before = np.roll(so_far, 1, axis)
    new = (so_far != before) | (position == 0)
    return np.take_along_axis(x, np.maximum.accumulate(np.where(new, position, 0), axis), axis)


# ------------------------------------------------------------------------------------ differences
@compose(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n < 0:
        raise ValueError(f"diff: n must be 0 or more, got {n}")
    if n == 0:
        return a
    axis = normalize_axis_index(axis, a.ndim, "diff")
    ends = [np._NoValue, None]
    given = [x for x in (prepend, a, append) if not any(x is end for end in ends)]
    if len(given) > 1:
        shape = [1 if i == axis else k for i, k in enumerate(np.shape(a))]
        parts = [x if np.ndim(x) else np.broadcast_to(x, shape) for x in alike(given)]
        a = np.concatenate(parts, axis=axis)
    before = (slice(None),) * axis
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


@compose(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    flat = np.ravel(ary)
    parts = [to_begin, flat[1:] - flat[:-1], to_end]
    return np.concatenate([np.ravel(x) for x in alike(x for x in parts if x is not None)])


@compose(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Second order inside, of order `edge_order` at the ends."""
    (f,) = alike([f])
    axes: Any = range(f.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = [normalize_axis_index(a, f.ndim, "gradient") for a in axes]
    steps: Any = varargs or (1.0,)
    steps = [*steps] * len(axes) if len(steps) == 1 else steps
    if len(steps) != len(axes):
        raise TypeError(f"gradient: {len(varargs)} spacings for {len(axes)} axes")
    found = [_slope(f, h, a, edge_order) for h, a in zip(steps, axes, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slope(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"gradient: axis {axis} has {n} values, expected {edge_order + 1} or more")
    f = np.moveaxis(f, axis, -1)
    if np.ndim(h) == 0:
        d, e = h, h  # steps to the left and to the right
        first, last = (h, h), (h, h)
    else:
        step = np.diff(alike([h, f])[0])
        d, e = step[:-1], step[1:]
        first, last = (step[0], step[min(1, n - 2)]), (step[-1], step[max(-2, 1 - n)])
    inner = (
        -e / (d * (d + e)) * f[..., :-2]
        + (e - d) / (d * e) * f[..., 1:-1]
        + d / (e * (d + e)) * f[..., 2:]
    )
    if edge_order == 1:
        ends = (f[..., 1] - f[..., 0]) / first[0], (f[..., -1] - f[..., -2]) / last[0]
    else:
        ends = _end(f, *first, 0, 1), -_end(f, *last, -1, -1)
    left, right = (np.expand_dims(end, -1) for end in ends)
    return np.moveaxis(np.concatenate([left, inner, right], axis=-1), -1, axis)


def _end(f: Any, d: Any, e: Any, at: int, step: int) -> Any:
    """The slope of the parabola through three values at an end."""
    a, b, c = f[..., at], f[..., at + step], f[..., at + 2 * step]
    return -(2 * d + e) / (d * (d + e)) * a + (d + e) / (d * e) * b - d / (e * (d + e)) * c


@compose(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(y if hasattr(y, "ndim") else np.asarray(y), axis, -1)
    if x is not None:
        dx = np.diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1), axis=-1)
    return np.sum(dx * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)


@compose(np.unwrap)
def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """The jumps that are taken out are constants."""
    jumps = np.unwrap(bare(p), discont, axis, period=period) - bare(p)
    return p + jumps.astype(p.dtype)


@compose(np.interp)
def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Linear between the points; the slope at a point is that on its right."""
    if is_complex(x) or is_complex(xp):
        raise TypeError(messages.no_order("interp"))
    x, xp, fp = alike([x, xp, fp])
    if xp.ndim != 1 or xp.shape != fp.shape:
        raise ValueError(f"interp: expected vectors of one length, got {xp.shape} and {fp.shape}")
    if period is not None:
        x, xp = np.remainder(x, abs(period)), np.remainder(xp, abs(period))
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - abs(period), xp, xp[:1] + abs(period)])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    places, at = bare(xp), bare(x)
    n = len(places)
    i = np.clip(np.searchsorted(places, at, side="right") - 1, 0, max(n - 2, 0))
    j = np.minimum(i + 1, n - 1)
    x0, f0, width = xp[i], fp[i], xp[j] - xp[i]
    y = f0 + (fp[j] - f0) / np.where(bare(width) == 0, 1, width) * (x - x0)
    low = fp[0] if left is None or period is not None else left
    high = fp[-1] if right is None or period is not None else right
    y = np.where(at == places[-1], fp[-1], np.where(at > places[-1], high, y))
    return np.where(at < places[0], low, y)
