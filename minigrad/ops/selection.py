"""Functions that choose, order and arrange values: each value of the result is one that was there.

Where a value goes is found by giving NumPy's own function the positions in place of the values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from minigrad.autograd import Tensor, alike, bare, compose
from minigrad.ops.complex_numbers import ordered


def _by_positions(function: Callable[..., Any]) -> None:
    """Enter a function of one array that only moves, drops or repeats its values."""

    def run(a: Any, *arguments: Any, **keywords: Any) -> Any:
        positions = np.arange(a.size).reshape(a.shape)
        moved = function(positions, *bare(arguments), **bare(keywords))
        if moved.size and not a.size:  # resize makes zeros of nothing
            return Tensor(np.zeros(moved.shape, a.dtype))
        return np.take(np.ravel(a), moved)

    compose(function)(run)


for _f in (np.delete, np.resize, np.rot90, np.rollaxis):
    _by_positions(_f)


def _gathered(arrays: Sequence[Any], arrange: Callable[[list[Any]], Any]) -> Any:
    """Take from several arrays what `arrange` makes of the positions of their values."""
    arrays = alike(arrays)
    ends = np.cumsum([0, *(x.size for x in arrays)])
    positions = [
        np.arange(end, end + x.size).reshape(x.shape)
        for end, x in zip(ends.tolist(), arrays, strict=False)
    ]
    return np.take(np.concatenate([np.ravel(x) for x in arrays]), arrange(positions))


@compose(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    return _gathered([arr, values], lambda p: np.insert(p[0], bare(obj), p[1], axis))


@compose(np.block)
def _block(arrays: Any) -> Any:
    flat: list[Any] = []

    def collect(nested: Any) -> Any:
        if isinstance(nested, list):
            return [collect(part) for part in nested]
        flat.append(nested)
        return len(flat) - 1

    def filled(shape: Any, positions: list[Any]) -> Any:
        if isinstance(shape, list):
            return [filled(part, positions) for part in shape]
        return positions[shape]

    shape = collect(arrays)
    return _gathered(flat, lambda positions: np.block(filled(shape, positions)))


@compose(np.choose)
def _choose(a: Any, choices: Any, mode: Any = "raise") -> Any:
    return _gathered(list(choices), lambda p: np.choose(bare(a), p, mode=mode))


@compose(np.compress)
def _compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    (kept,) = np.nonzero(bare(condition))
    return np.take(a, kept, axis=axis)


@compose(np.extract)
def _extract(condition: Any, arr: Any) -> Any:
    return np.take(np.ravel(arr), np.flatnonzero(bare(condition)))


@compose(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            f"select: expected as many choices as conditions, got {len(choicelist)} and "
            f"{len(condlist)}"
        )
    *choices, y = np.broadcast_arrays(*alike([*choicelist, default]))
    for condition, choice in zip(reversed(bare(condlist)), reversed(choices), strict=True):
        y = np.where(condition, choice, y)
    return y


@compose(np.piecewise)
def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    masks = [np.broadcast_to(c, x.shape) for c in np.atleast_2d(np.asarray(bare(condlist), bool))]
    if len(funclist) == len(masks) + 1:
        masks.append(~np.any(masks, axis=0))
    parts, order = [np.zeros(1)], np.zeros(x.shape, int)
    for mask, f in zip(masks, funclist, strict=True):
        part = f(x[mask], *args, **kw) if callable(f) else f
        order[mask] = sum(np.size(p) for p in parts) + (
            np.arange(np.count_nonzero(mask)) if np.ndim(part) else 0
        )
        parts.append(part)
    flat = np.concatenate([np.ravel(p) for p in alike([x[:0] if x.ndim else x, *parts[1:]])])
    flat = np.concatenate([np.zeros(1, flat.dtype), flat[0 if x.ndim else 1 :]])
    return np.take(flat, order).astype(x.dtype)


# ---------------------------------------------------------------------------------------- ordering
def _sorted_by(argsort: Callable[..., Any]) -> Callable[..., Any]:
    """Of equal values each keeps its own place, and so its own gradient."""

    def run(a: Any, *arguments: Any, axis: int | None = -1, **keywords: Any) -> Any:
        if argsort is np.argsort and arguments:  # axis may come by position
            axis, *arguments = arguments  # type: ignore[assignment]
        if argsort is np.argpartition and len(arguments) > 1:
            arguments, (axis, *_) = arguments[:1], arguments[1:]
        if axis is None:
            a, axis = np.ravel(a), -1
        if argsort is np.argsort:
            keywords = {"stable": True}
        order = ordered(argsort)(bare(a), *arguments, axis=axis, **keywords)
        return np.take_along_axis(a, order, axis)

    return run


compose(np.sort)(_sorted_by(np.argsort))
compose(np.partition)(_sorted_by(np.argpartition))


@compose(np.unique)
def _unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    **keywords: Any,
) -> Any:
    """The gradient goes to the first of equal values."""
    wanted = {"return_inverse": return_inverse, "return_counts": return_counts, **keywords}
    _, index, *rest = ordered(np.unique)(bare(ar), return_index=True, axis=axis, **wanted)
    values = np.take(ar, index, axis=axis)
    results = (values, *([index] if return_index else []), *rest)
    return results if len(results) > 1 else values


def _named(function: Callable[..., Any], *wanted: str) -> None:
    """Enter a function of the array API, which gives values and more by name."""
    options = {f"return_{name}": True for name in wanted}
    kind = type(function(np.ones(1)))
    enter = compose(function)
    if wanted:
        enter(lambda x: kind(*_unique(x, **options, equal_nan=False)))
    else:
        enter(lambda x: _unique(x, equal_nan=False))


if hasattr(np, "unique_all"):
    _named(np.unique_all, "index", "inverse", "counts")
    _named(np.unique_counts, "counts")
    _named(np.unique_inverse, "inverse")
    _named(np.unique_values)


@compose(np.intersect1d)
def _intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    _, i, j = np.intersect1d(bare(ar1), bare(ar2), assume_unique, return_indices=True)
    values = np.take(np.ravel(ar1), i)
    return (values, i, j) if return_indices else values


@compose(np.setdiff1d)
def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    values = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return values[np.isin(bare(values), bare(ar2), invert=True)]


@compose(np.setxor1d)
def _setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    a, b = (np.ravel(x) if assume_unique else np.unique(x) for x in alike([ar1, ar2]))
    return np.sort(np.concatenate([np.setdiff1d(a, b), np.setdiff1d(b, a)]))


compose(np.union1d)(lambda ar1, ar2: np.unique(np.concatenate([ar1, ar2], axis=None)))


@compose(np.trim_zeros)
def _trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    keywords = {} if axis is None else {"axis": axis}
    nonzero = np.argwhere(bare(filt) != 0)
    if not len(nonzero):
        return filt[:0] if filt.ndim == 1 else np.trim_zeros(bare(filt), trim, **keywords)
    axes = range(filt.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    key = [slice(None)] * filt.ndim
    for a in (normalize_axis_index(a, filt.ndim) for a in axes):
        low, high = int(nonzero[:, a].min()), int(nonzero[:, a].max()) + 1
        key[a] = slice(low if "f" in trim.lower() else 0, high if "b" in trim.lower() else None)
    return filt[tuple(key)]


# ----------------------------------------------------------------------------- functions along axes
@compose(np.apply_along_axis)
def _apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    axis = normalize_axis_index(axis, arr.ndim, "apply_along_axis")
    moved = np.moveaxis(arr, axis, -1)
    shape = moved.shape[:-1]
    if not moved.size:
        raise ValueError("apply_along_axis: an axis of length 0 can't be iterated over")
    found: Any = [func1d(moved[i], *args, **kwargs) for i in np.ndindex(shape)]
    found = np.stack(alike(found)) if found else found
    inner = found.shape[1:]
    result = np.reshape(found, (*shape, *inner))
    first = len(shape)
    return np.moveaxis(result, range(first, first + len(inner)), range(axis, axis + len(inner)))


@compose(np.apply_over_axes)
def _apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    for axis in np.ravel(axes).tolist():
        y = func(a, axis)
        a = y if y.ndim == a.ndim else np.expand_dims(y, axis)
    return a
