"""Pullbacks of indexing: what was picked is added back to where it came from."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from minigrad.recording import bare, differentiable, implementations, record
from minigrad.table import define


@differentiable(lambda g, _y, _x, key, shape: g[key])
def _put(x: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros with `x` at `key`, which names no place twice."""
    y = np.zeros(shape, x.dtype)
    y[key] = x
    return y


@differentiable(lambda g, _y, _x, positions, shape: np.ravel(g)[positions])
def _add_at(x: Any, positions: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros to which `x` is added at flat `positions`, some of them repeated.

    Counting with weights is many times faster than `np.add.at`.
    """
    total = np.bincount(np.ravel(positions), np.ravel(x), minlength=math.prod(shape))
    return total.astype(x.dtype).reshape(shape)


def _is_basic(key: Any) -> bool:
    """Tell whether a key names every place at most once: slices and integers, or one mask."""
    if isinstance(key, np.ndarray | list):
        return np.asarray(key).dtype == bool
    parts = key if isinstance(key, tuple) else (key,)
    return all(isinstance(p, slice | int | np.integer) or p is None or p is ... for p in parts)


def _positions(key: Any, shape: tuple[int, ...]) -> Any:
    """Return the flat position in an array of `shape` of each value that `key` picks."""
    parts = key if isinstance(key, tuple) else (key,)
    leading = len(parts)
    if not all(isinstance(p, int | np.integer) or np.asarray(p).dtype.kind in "iu" for p in parts):
        leading = len(shape)  # slices, masks or new axes among them
    rows = np.arange(math.prod(shape[:leading])).reshape(shape[:leading])[key]
    rest = math.prod(shape[leading:])
    flat = np.asarray(rows)[..., None] * rest + np.arange(rest)
    return flat.reshape(np.shape(rows) + shape[leading:])


def _getitem(g: Any, _y: Any, _x: Any, key: Any) -> Any:
    if _is_basic(key):
        return _put(g, key, _x.shape)
    return _add_at(g, _positions(key, _x.shape), _x.shape)


def _take_along_axis(g: Any, _y: Any, _arr: Any, indices: Any, axis: int | None = -1) -> Any:
    size = math.prod(_arr.shape)
    places = np.arange(size) if axis is None else np.arange(size).reshape(_arr.shape)
    return _add_at(g, np.take_along_axis(places, indices, axis), _arr.shape)


define(operator.getitem, _getitem, forward=lambda x, key: x[key])
_take_along = define(np.take_along_axis, _take_along_axis)
implementations[np.take_along_axis] = lambda arr, indices, axis=-1: record(
    _take_along, (arr,), {"indices": np.asarray(bare(indices)), "axis": axis}
)


def _take(a: Any, indices: Any, axis: int | None = None) -> Any:
    indices = np.asarray(bare(indices))
    if indices.dtype == bool or not indices.size:  # to np.take these are positions, to a[...] not
        indices = indices.astype(np.intp)
    if axis is None:
        return np.ravel(a)[indices]
    return a[(slice(None),) * normalize_axis_index(axis, a.ndim, "take") + (indices,)]


def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    moved = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = moved.shape[-2:]
    i = np.arange(max(0, -offset), max(0, min(rows, columns - offset)))
    return moved[..., i, i + offset]


def _diag(v: Any, k: int = 0) -> Any:
    if v.ndim == 2:
        return _diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"diag: expected a vector or a matrix, got shape {v.shape}")
    n = v.shape[0] + abs(k)
    i = np.arange(v.shape[0])
    return _put(v, (i + max(0, -k), i + max(0, k)), (n, n))


implementations[np.take] = _take
implementations[np.diagonal] = _diagonal
implementations[np.diag] = _diag
implementations[np.trace] = lambda a, offset=0, axis1=0, axis2=1: np.sum(
    _diagonal(a, offset, axis1, axis2), axis=-1
)


def _diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    if n < 0:
        raise ValueError(f"diff: n must be 0 or more, got {n}")
    before = (slice(None),) * normalize_axis_index(axis, a.ndim, "diff")
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


implementations[np.diff] = _diff


def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    x = np.asarray(bare(x))
    if weights is None:
        return np.bincount(x, minlength=minlength)
    if x.shape != weights.shape:
        raise ValueError(f"bincount: x has shape {x.shape}, but weights has {weights.shape}")
    return _add_at(weights, x, (max(minlength, x.max(initial=-1) + 1),))


implementations[np.bincount] = _bincount
