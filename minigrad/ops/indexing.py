"""Pullbacks of indexing: what was picked is added back to where it came from."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike

from minigrad.autograd import Array, Shape, bare, compose, define, differentiable


@differentiable(lambda g, _y, _x, key, shape: g[key])
def _put(x: Array, key: Any, shape: Shape) -> Array:
    """Return zeros to which `x` is added at `key`, as often as it names a place."""
    y = np.zeros(shape, x.dtype)
    if _names_each_once(key):
        y[key] = x
    elif x.size:
        # On one axis `add.at` is several times faster than on several.
        total, values = y.reshape(-1), x.ravel()
        if isinstance(key, list | np.ndarray):  # of integers: whole rows
            length = math.prod(shape[1:])
            if length % 2 == 0 and y.dtype in _PAIR:
                total, values = total.view(_PAIR[y.dtype]), values.view(_PAIR[y.dtype])
                length //= 2
            first = np.asarray(key, np.intp).reshape(-1, 1) % shape[0] * length
            places = first + np.arange(length)
        else:
            places = np.arange(y.size).reshape(shape)[key]
        np.add.at(total, places.reshape(-1), values)
    return y


# Two real numbers are added as one complex one, in two thirds of the time or less.
_PAIR = {np.dtype(np.float32): np.complex64, np.dtype(np.float64): np.complex128}


def _names_each_once(key: object) -> bool:
    """Tell whether a key can't name a place twice: slices and integers, or one mask."""
    if isinstance(key, np.ndarray | list):
        return np.asarray(key).dtype == bool
    parts = key if isinstance(key, tuple) else (key,)
    return all(isinstance(p, slice | int | np.integer) or p is None or p is ... for p in parts)


def _get(x: Array, key: Any) -> Array:
    whole_rows = type(key) is np.ndarray and key.dtype.kind == "i" and key.ndim and x.ndim > 1
    if whole_rows and x.flags.c_contiguous:  # `take` copies others first
        return x.take(key, axis=0)  # half the time of an index
    picked: Array = x[key]
    return picked


define(
    operator.getitem,
    lambda g, _y, _x, key: _put(g, key=key, shape=_x.shape),
    forward=_get,
)


@compose(np.take_along_axis)
def _take_along_axis(arr: Array, indices: ArrayLike, axis: int | None = -1) -> Array:
    indices = np.asarray(bare(indices))
    if indices.dtype.kind not in "iu" or indices.ndim != (1 if axis is None else arr.ndim):
        raise ValueError(
            f"take_along_axis: indices must be integers with as many axes as arr ({arr.ndim}), got "
            f"{indices.dtype} of shape {indices.shape}"
        )
    if axis is None:
        return np.ravel(arr)[indices]
    key = [np.arange(n).reshape((-1,) + (1,) * (arr.ndim - 1 - i)) for i, n in enumerate(arr.shape)]
    key[normalize_axis_index(axis, arr.ndim, "take_along_axis")] = indices
    return arr[tuple(key)]


@compose(np.take)
def _take(a: Array, indices: ArrayLike, axis: int | None = None, mode: Any = "raise") -> Array:
    indices = np.asarray(bare(indices))
    if mode != "raise":
        indices = np.take(np.arange(a.size if axis is None else a.shape[axis]), indices, mode=mode)
    if indices.dtype == bool or not indices.size:  # to np.take these are positions, to a[...] not
        indices = indices.astype(np.intp)
    if axis is None or a.ndim == 0:
        normalize_axis_index(axis or 0, max(1, a.ndim), "take")
        return np.ravel(a)[indices]
    return a[(slice(None),) * normalize_axis_index(axis, a.ndim, "take") + (indices,)]


@compose(np.diagonal)
def _diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    moved = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = moved.shape[-2:]
    i = np.arange(max(0, -offset), max(0, min(rows, columns - offset)))
    return moved[..., i, i + offset]


@compose(np.diag)
def _diag(v: Array, k: int = 0) -> Array:
    if v.ndim == 2:
        return _diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"diag: expected a vector or a matrix, got shape {v.shape}")
    n = v.shape[0] + abs(k)
    i = np.arange(v.shape[0])
    return _put(v, key=(i + max(0, -k), i + max(0, k)), shape=(n, n))


compose(np.diagflat)(lambda v, k=0: _diag(np.ravel(v), k))
compose(np.trace)(
    lambda a, offset=0, axis1=0, axis2=1: np.sum(_diagonal(a, offset, axis1, axis2), axis=-1)
)


@compose(np.bincount)
def _bincount(x: ArrayLike, /, weights: Array | None = None, minlength: int = 0) -> Array:
    x = np.asarray(bare(x))
    if weights is None:
        return np.bincount(x, minlength=minlength)
    if x.shape != weights.shape:
        raise ValueError(f"bincount: x has shape {x.shape}, but weights has {weights.shape}")
    return _put(weights, key=x, shape=(max(minlength, x.max(initial=-1) + 1),))
