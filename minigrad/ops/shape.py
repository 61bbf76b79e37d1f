"""Pullbacks of the functions that move values around without changing them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike

from minigrad.autograd import Array, Constant, Shape, alike, bare, compose, define, differentiable


# -------------------------------------------------------------------------- reshaping, permuting
def _inverse(axes: Shape | None) -> Shape | None:
    return None if axes is None else tuple(np.argsort([a % len(axes) for a in axes]))


@differentiable(lambda g, _y, _x, shape: np.reshape(g, _x.shape))
def reshape(x: Array, shape: int | Shape) -> Array:
    """Give the values of `x` another shape, in C order."""
    return np.reshape(x, shape)


@compose(np.reshape)
def _reshape(a: Any, /, shape: Any = None, order: str = "C", **keywords: Any) -> Any:
    shape = keywords.get("newshape", shape)
    if not _in_columns(a, order):
        return reshape(a, shape)
    return np.transpose(reshape(np.transpose(a), shape[::-1] if np.ndim(shape) else shape))


def _in_columns(a: Any, order: str) -> bool:
    """Tell whether an order of values has the first axis run fastest."""
    flags = getattr(bare(a), "flags", None)
    lies_so = flags is not None and flags.f_contiguous and not flags.c_contiguous
    return order == "F" or (order in "AK" and lies_so)


@compose(np.ravel)
def _ravel(a: Any, order: str = "C") -> Any:
    return ravel(np.transpose(a) if _in_columns(a, order) else a)


@differentiable(lambda g, _y, _x: np.reshape(g, _x.shape))
def ravel(x: Any) -> Any:
    """Return the values of `x` in one axis."""
    return np.ravel(x)


define(np.squeeze, lambda g, _y, _x, axis=None: np.reshape(g, _x.shape))
define(np.expand_dims, lambda g, _y, _x, axis: np.reshape(g, _x.shape))
define(np.transpose, lambda g, _y, _x, axes=None: np.transpose(g, _inverse(axes)))
define(np.swapaxes, lambda g, _y, _x, axis1, axis2: np.swapaxes(g, axis1, axis2))
define(np.moveaxis, lambda g, _y, _x, source, destination: np.moveaxis(g, destination, source))
define(np.broadcast_to, lambda g, _y, _x, shape: g)  # the sweep sums it
define(np.flip, lambda g, _y, _x, axis=None: np.flip(g, axis))
define(np.roll, lambda g, _y, _x, shift, axis=None: np.roll(g, np.negative(shift), axis))
define(np.tril, lambda g, _y, _m, k=0: np.tril(g, k))
define(np.triu, lambda g, _y, _m, k=0: np.triu(g, k))
compose(np.flipud)(lambda m: np.flip(m, 0))
compose(np.fliplr)(lambda m: np.flip(m, 1))
compose(np.matrix_transpose)(lambda x: np.swapaxes(x, -1, -2))


@compose(np.broadcast_arrays)
def _broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    shape = np.broadcast_shapes(*(np.shape(a) for a in arrays))
    return tuple(np.broadcast_to(a, shape) for a in arrays)


# --------------------------------------------------------------------------------------- joining
def _pieces(g: Array, lengths: Sequence[int], axis: int) -> list[Array]:
    before, ends = (slice(None),) * (axis % g.ndim), np.cumsum(lengths)
    return [g[*before, slice(end - n, end)] for n, end in zip(lengths, ends, strict=True)]


def _split_gradient(
    needs: object, g: Array, _y: object, *_xs: Constant, axis: int | None = 0
) -> list[Array]:
    if axis is None:
        flat = _pieces(g, [math.prod(x.shape) for x in _xs], 0)
        return [np.reshape(piece, x.shape) for piece, x in zip(flat, _xs, strict=True)]
    return _pieces(g, [x.shape[axis] for x in _xs], axis)


@differentiable(joint=_split_gradient)
def _concatenate(*arrays: Array, axis: int | None = 0) -> Array:
    return np.concatenate(arrays, axis=axis)


@differentiable(joint=lambda needs, g, _y, *_xs, axis=0: list(np.moveaxis(g, axis, 0)))
def _stack(*arrays: Array, axis: int = 0) -> Array:
    return np.stack(arrays, axis=axis)


def _converted(arrays: Any, dtype: Any = None, casting: Any = "same_kind") -> list[Any]:
    """Give arrays to be joined the type that is asked for."""
    arrays = alike(arrays)
    wrong = [x.dtype for x in arrays if dtype and not np.can_cast(x.dtype, dtype, casting)]
    if wrong:
        raise TypeError(f"concatenate: can't cast {wrong[0]} to {np.dtype(dtype)} by {casting!r}")
    return [x.astype(dtype) for x in arrays] if dtype else arrays


compose(np.concatenate)(
    lambda arrays, axis=0, **cast: _concatenate(*_converted(arrays, **cast), axis=axis)
)
compose(np.stack)(lambda arrays, axis=0, **cast: _stack(*_converted(arrays, **cast), axis=axis))
if hasattr(np, "unstack"):  # since NumPy 2.1
    compose(np.unstack)(lambda x, /, *, axis=0: tuple(np.moveaxis(x, axis, 0)))


def _at_least(ndim: int, values: Iterable[ArrayLike]) -> list[Array]:
    """Add axes as `np.atleast_1d`, `_2d` and `_3d` do."""
    arrays = alike(values)
    for i, x in enumerate(arrays):
        if x.ndim < ndim:
            last = (1,) if ndim == 3 and x.ndim else ()
            arrays[i] = np.reshape(x, (1,) * (ndim - x.ndim - len(last)) + x.shape + last)
    return arrays


compose(np.vstack)(lambda tup, **cast: np.concatenate(_at_least(2, tup), **cast))
compose(np.dstack)(lambda tup: np.concatenate(_at_least(3, tup), axis=2))
compose(np.hstack)(
    lambda tup, **cast: np.concatenate(_at_least(1, tup), axis=min(1, np.ndim(tup[0]) - 1), **cast)
)
compose(np.append)(lambda arr, values, axis=None: np.concatenate([arr, values], axis=axis))
for _n, _function in enumerate((np.atleast_1d, np.atleast_2d, np.atleast_3d), start=1):
    compose(_function)(
        lambda *xs, n=_n: tuple(_at_least(n, xs)) if len(xs) > 1 else _at_least(n, xs)[0]
    )


@compose(np.column_stack)
def _column_stack(tup: Iterable[ArrayLike]) -> Array:
    columns = [x if x.ndim > 1 else np.reshape(x, (-1, 1)) for x in alike(tup)]
    return np.concatenate(columns, axis=1)


# ------------------------------------------------------------------------------------- splitting
@compose(np.array_split)
def _array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    axis = normalize_axis_index(axis, ary.ndim, "split")
    if np.ndim(indices_or_sections) == 0 and indices_or_sections < 1:
        raise ValueError(f"split: expected 1 part or more, got {indices_or_sections}")
    before, places = (slice(None),) * axis, np.arange(ary.shape[axis])
    parts = [part.tolist() for part in np.array_split(places, indices_or_sections)]
    return [ary[*before, slice(p[0], p[-1] + 1) if p else slice(0)] for p in parts]


@compose(np.split)
def _split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
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
def _repeat(a: Array, repeats: Any, axis: int | None = None) -> Array:
    a, axis = (np.ravel(a), axis or 0) if axis is None or a.ndim == 0 else (a, axis)
    axis = normalize_axis_index(axis, a.ndim, "repeat")
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)


def _untile(g: Array, _y: object, _x: Constant, reps: tuple[int, ...]) -> Array:
    shape = (1,) * (len(reps) - len(_x.shape)) + _x.shape
    reps = (1,) * (len(shape) - len(reps)) + reps
    pairs = [length for pair in zip(reps, shape, strict=True) for length in pair]
    return np.reshape(np.sum(np.reshape(g, pairs), axis=tuple(range(0, len(pairs), 2))), _x.shape)


@differentiable(_untile)
def _tile(x: Array, reps: tuple[int, ...]) -> Array:
    return np.tile(x, reps)


compose(np.tile)(lambda A, reps: _tile(A, tuple(reps) if np.ndim(reps) else (reps,)))
