"""Padding: values around an array that are constants, copies, or computed from those inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.autograd import Tensor, alike, compose, differentiable

Widths = list[list[int]]


@differentiable(
    lambda g, _y, _x, widths: g[
        tuple(slice(before, before + n) for (before, _), n in zip(widths, _x.shape, strict=True))
    ]
)
def _pad_zeros(x: Any, widths: Any) -> Any:
    padded = np.zeros([n + sum(w) for n, w in zip(x.shape, widths, strict=True)], x.dtype)
    inside = tuple(slice(b, b + n) for (b, _), n in zip(widths, x.shape, strict=True))
    padded[inside] = x
    return padded


def _pairs(value: Any, ndim: int) -> list[tuple[Any, Any]]:
    """Give each axis its two values: of one for all, of one pair for all, or of a pair each."""
    shape = np.shape(value)
    if shape == ():
        return [(value, value)] * ndim
    rows = [value] * ndim if len(shape) == 1 or shape[0] == 1 < ndim else value
    rows = [row[0] if np.ndim(row) > 1 else row for row in rows]
    return [(row[0], row[-1]) if np.ndim(row) else (row, row) for row in rows]


def _at_ends(x: Any, widths: Widths, end: Callable[[Any, int, int, int], tuple[Any, Any]]) -> Any:
    """Pad axis by axis with what `end` makes of the array so far: two arrays of given widths."""
    for axis, (before, after) in enumerate(widths):
        if before or after:
            left, right = end(x, axis, before, after)
            x = np.concatenate([left, x, right], axis=axis)
    return x


def _spread(x: Any, value: Any, axis: int, n: int) -> Any:
    """Return `value`, which broadcasts, as n layers along an axis."""
    shape = [n if i == axis else k for i, k in enumerate(x.shape)]
    return np.broadcast_to(alike([value, x])[0], shape).astype(x.dtype)


def _edges(x: Any, axis: int) -> tuple[Any, Any]:
    before = (slice(None),) * axis
    return x[(*before, slice(0, 1))], x[(*before, slice(-1, None))]


def _constants(x: Any, widths: Widths, values: Any) -> Any:
    """Constants, which may be Tensors."""
    if not isinstance(values, Tensor) and not np.any(values):
        return _pad_zeros(x, widths=[tuple(w) for w in widths])
    pairs = _pairs(values, x.ndim)
    return _at_ends(
        x,
        widths,
        lambda y, axis, a, b: (
            _spread(y, pairs[axis][0], axis, a),
            _spread(y, pairs[axis][1], axis, b),
        ),
    )


def _ramps(x: Any, widths: Widths, values: Any) -> Any:
    pairs = _pairs(values, x.ndim)

    def ramp(y: Any, axis: int, before: int, after: int) -> tuple[Any, Any]:
        found = []
        for edge, value, n in zip(_edges(y, axis), pairs[axis], (before, after), strict=True):
            share = (np.arange(n) / max(n, 1)).reshape(
                [-1 if i == axis else 1 for i in range(y.ndim)]
            )
            found.append(value + (edge - value) * share.astype(y.dtype))
        return found[0], np.flip(found[1], axis)

    return _at_ends(x, widths, ramp)


def _statistics(x: Any, widths: Widths, function: Any, lengths: Any) -> Any:
    pairs = _pairs(lengths, x.ndim)

    def summary(y: Any, axis: int, before: int, after: int) -> tuple[Any, Any]:
        first, last = (y.shape[axis] if n is None else min(n, y.shape[axis]) for n in pairs[axis])
        key = (slice(None),) * axis
        parts = y[(*key, slice(0, first))], y[(*key, slice(y.shape[axis] - last, None))]
        left, right = (function(part, axis=axis, keepdims=True) for part in parts)
        return _spread(y, left, axis, before), _spread(y, right, axis, after)

    return _at_ends(x, widths, summary)


def _odd(x: Any, widths: Widths, mode: Any) -> Any:
    """Twice the edge, minus the reflection."""
    for axis, (before, after) in enumerate(widths):
        while before or after:
            n = x.shape[axis] - (mode == "reflect")
            now = [min(w, max(n, 1)) for w in (before, after)]
            where = np.pad(np.arange(x.shape[axis]), now, mode=mode)
            y = np.take(x, where, axis=axis)
            first, last = _edges(x, axis)
            key = (slice(None),) * axis
            parts = [
                2 * first - y[(*key, slice(0, now[0]))],
                x,
                2 * last - y[(*key, slice(y.shape[axis] - now[1], None))],
            ]
            x = np.concatenate(parts, axis=axis)
            before, after = before - now[0], after - now[1]
    return x


_STATISTICS: dict[str, Any] = {
    "maximum": np.max,
    "minimum": np.min,
    "mean": np.mean,
    "median": np.median,
}


@compose(np.pad)
def _pad(
    array: Any,
    pad_width: Any,
    mode: Any = "constant",
    *,
    constant_values: Any = 0,
    end_values: Any = 0,
    stat_length: Any = None,
    reflect_type: str = "even",
) -> Any:
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(a, pad_width.get(a - array.ndim, 0)) for a in range(array.ndim)]
        pad_width = [w if isinstance(w, tuple) else (w, w) for w in pad_width]
    widths = np.broadcast_to(pad_width, (array.ndim, 2)).tolist()
    if np.min(widths, initial=0) < 0:
        raise ValueError(f"pad: widths must be 0 or more, got {pad_width}: to cut, use slices")
    if mode in ("constant", "empty"):
        return _constants(array, widths, constant_values if mode == "constant" else 0)
    if any(n == 0 and any(w) for n, w in zip(array.shape, widths, strict=True)):
        raise ValueError(f"pad: mode={mode!r:.40} needs values along an axis, got {array.shape}")
    if mode == "linear_ramp":
        return _ramps(array, widths, end_values)
    if mode in _STATISTICS:
        return _statistics(array, widths, _STATISTICS[mode], stat_length)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"pad: mode={mode!r:.40} has no derivative here: NumPy's own modes have")
    if reflect_type == "odd" and mode in ("reflect", "symmetric"):
        return _odd(array, widths, mode)
    for axis, width in enumerate(widths):
        if any(width):
            where = np.pad(np.arange(array.shape[axis]), width, mode=mode)
            array = np.take(array, where, axis=axis)
    return array
