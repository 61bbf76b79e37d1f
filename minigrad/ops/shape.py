"""Pullbacks of the functions that move values around without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from minigrad.autograd import Tensor, alike, compose, define, differentiable


# -------------------------------------------------------------------------- reshaping, permuting
def _as_before(g: Any, _y: Any, _x: Any) -> Any:
    return np.reshape(g, _x.shape)


def _inverse(axes: Any) -> Any:
    return None if axes is None else tuple(np.argsort([a % len(axes) for a in axes]))


def _negative(shift: Any) -> Any:
    return tuple(-s for s in shift) if isinstance(shift, tuple | list) else -shift


@differentiable(lambda g, _y, _x, shape: np.reshape(g, _x.shape))
def reshape(x: Any, shape: Any) -> Any:
    """Give the values of `x` another shape, in C order."""
    return np.reshape(x, shape)


@compose(np.reshape)
def _reshape(a: Any, /, shape: Any = None, order: str = "C", **keywords: Any) -> Any:
    if order != "C":
        raise TypeError(f"reshape: order={order!r} has no derivative here: use transpose, reshape")
    return reshape(a, keywords.get("newshape", shape))


define(np.ravel, _as_before)
define(np.squeeze, lambda g, _y, _x, axis=None: np.reshape(g, _x.shape))
define(np.expand_dims, lambda g, _y, _x, axis: np.reshape(g, _x.shape))
define(np.transpose, lambda g, _y, _x, axes=None: np.transpose(g, _inverse(axes)))
define(np.swapaxes, lambda g, _y, _x, axis1, axis2: np.swapaxes(g, axis1, axis2))
define(np.moveaxis, lambda g, _y, _x, source, destination: np.moveaxis(g, destination, source))
define(np.broadcast_to, lambda g, _y, _x, shape: g)  # the sweep sums it
define(np.flip, lambda g, _y, _x, axis=None: np.flip(g, axis))
define(np.roll, lambda g, _y, _x, shift, axis=None: np.roll(g, _negative(shift), axis))
define(np.tril, lambda g, _y, _m, k=0: np.tril(g, k))
define(np.triu, lambda g, _y, _m, k=0: np.triu(g, k))
compose(np.flipud)(lambda m: np.flip(m, 0))
compose(np.fliplr)(lambda m: np.flip(m, 1))
compose(np.matrix_transpose)(lambda x: np.swapaxes(x, -1, -2))


@compose(np.broadcast_arrays)
def _broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*(np.shape(a) for a in arrays))
    return tuple(np.broadcast_to(a, shape) for a in arrays)


# --------------------------------------------------------------------------------------- joining
def _pieces(g: Any, lengths: Sequence[int], axis: int) -> list[Any]:
    before, ends = (slice(None),) * (axis % g.ndim), np.cumsum(lengths)
    return [g[(*before, slice(end - n, end))] for n, end in zip(lengths, ends, strict=True)]


def _split_gradient(needs: Any, g: Any, _y: Any, *_xs: Any, axis: int | None = 0) -> list[Any]:
    if axis is None:
        flat = _pieces(g, [math.prod(x.shape) for x in _xs], 0)
        return [np.reshape(piece, x.shape) for piece, x in zip(flat, _xs, strict=True)]
    return _pieces(g, [x.shape[axis] for x in _xs], axis)


def _unstack_gradient(needs: Any, g: Any, _y: Any, *_xs: Any, axis: int = 0) -> list[Any]:
    before = (slice(None),) * (axis % g.ndim)
    return [g[(*before, i)] for i in range(len(_xs))]


@differentiable(joint=_split_gradient)
def _concatenate(*arrays: Any, axis: int | None = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


@differentiable(joint=_unstack_gradient)
def _stack(*arrays: Any, axis: int = 0) -> Any:
    return np.stack(arrays, axis=axis)


compose(np.concatenate)(lambda arrays, axis=0: _concatenate(*alike(arrays), axis=axis))
compose(np.stack)(lambda arrays, axis=0: _stack(*alike(arrays), axis=axis))


def _at_least(ndim: int, x: Any) -> Any:
    """Add axes as `np.atleast_1d`, `_2d` and `_3d` do."""
    shape = np.shape(x)
    if len(shape) >= ndim:
        return x
    if ndim == 3 and len(shape) > 0:
        return np.reshape(x, (1, *shape, 1) if len(shape) == 1 else (*shape, 1))
    return np.reshape(x, (1,) * (ndim - len(shape)) + shape)


def _join(ndim: int, axis: int) -> Any:
    return lambda tup: np.concatenate([_at_least(ndim, x) for x in alike(tup)], axis=axis)


compose(np.vstack)(_join(2, 0))
compose(np.dstack)(_join(3, 2))
compose(np.hstack)(
    lambda tup: np.concatenate(
        [_at_least(1, x) for x in alike(tup)], axis=0 if np.ndim(tup[0]) < 2 else 1
    )
)
compose(np.column_stack)(
    lambda tup: np.concatenate(
        [x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in alike(tup)], axis=1
    )
)
compose(np.append)(lambda arr, values, axis=None: np.concatenate([arr, values], axis=axis))
for _n, _name in enumerate(("atleast_1d", "atleast_2d", "atleast_3d"), start=1):
    compose(getattr(np, _name))(
        lambda *xs, n=_n: (
            _at_least(n, xs[0]) if len(xs) == 1 else tuple(_at_least(n, x) for x in xs)
        )
    )


# ------------------------------------------------------------------------------------- splitting
@compose(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    axis = normalize_axis_index(axis, ary.ndim, "split")
    n = ary.shape[axis]
    if np.ndim(indices_or_sections):
        ends = [0, *indices_or_sections, n]
        ends = [slice(None).indices(n)[1] if e is None else e for e in ends]
    else:
        parts = int(indices_or_sections)
        if parts <= 0:
            raise ValueError(f"split: expected 1 part or more, got {parts}")
        small, larger = divmod(n, parts)
        counts = [small + 1] * larger + [small] * (parts - larger)
        ends = [0, *np.cumsum(counts).tolist()]
    before = (slice(None),) * axis
    return [ary[(*before, slice(a, b))] for a, b in pairwise(ends)]


@compose(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    parts = _array_split(ary, indices_or_sections, axis)
    if np.ndim(indices_or_sections) == 0 and parts[0].shape != parts[-1].shape:
        raise ValueError(
            f"split: axis {axis} of length {ary.shape[axis]} can't be cut into "
            f"{indices_or_sections} equal parts: use np.array_split"
        )
    return parts


compose(np.vsplit)(lambda ary, parts: _split(ary, parts, 0))
compose(np.hsplit)(lambda ary, parts: _split(ary, parts, min(1, ary.ndim - 1)))
compose(np.dsplit)(lambda ary, parts: _split(ary, parts, 2))


# ----------------------------------------------------------------------------- repeating, padding
@compose(np.repeat)
def _repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    axis = normalize_axis_index(axis, a.ndim, "repeat")
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)


def _untile(g: Any, _y: Any, _x: Any, reps: tuple[int, ...]) -> Any:
    shape = (1,) * (len(reps) - len(_x.shape)) + _x.shape
    reps = (1,) * (len(shape) - len(reps)) + reps
    pairs = [length for pair in zip(reps, shape, strict=True) for length in pair]
    return np.reshape(np.sum(np.reshape(g, pairs), axis=tuple(range(0, len(pairs), 2))), _x.shape)


@differentiable(_untile)
def _tile(x: Any, reps: tuple[int, ...]) -> Any:
    return np.tile(x, reps)


compose(np.tile)(lambda A, reps: _tile(A, tuple(reps) if np.ndim(reps) else (reps,)))


@differentiable(
    lambda g, _y, _x, widths, value: g[
        tuple(slice(before, before + n) for (before, _), n in zip(widths, _x.shape, strict=True))
    ]
)
def _pad_constant(x: Any, widths: Any, value: float) -> Any:
    padded = np.full([n + sum(w) for n, w in zip(x.shape, widths, strict=True)], value, x.dtype)
    inside = tuple(slice(b, b + n) for (b, _), n in zip(widths, x.shape, strict=True))
    padded[inside] = x
    return padded


@compose(np.pad)
def _pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Any:
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(a, pad_width.get(a - array.ndim, 0)) for a in range(array.ndim)]
        pad_width = [w if isinstance(w, tuple) else (w, w) for w in pad_width]
    widths = np.broadcast_to(pad_width, (array.ndim, 2)).tolist()
    if np.min(widths, initial=0) < 0:
        raise ValueError(f"pad: widths must be 0 or more, got {pad_width}: to cut, use slices")
    if mode == "constant":
        if isinstance(constant_values, Tensor) or np.ndim(constant_values):
            raise TypeError(f"pad: expected one number in constant_values, got {constant_values}")
        return _pad_constant(array, [tuple(w) for w in widths], constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"pad: mode={mode!r} has no derivative here: it does not copy values")
    for axis, width in enumerate(widths):
        if any(width):
            where = np.pad(np.arange(array.shape[axis]), width, mode=mode)  # type: ignore[call-overload]
            array = np.take(array, where, axis=axis)
    return array
