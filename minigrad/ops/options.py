"""The rarer options of reductions and ufuncs, and the methods of ufuncs that reduce.

`where=` puts the neutral element in the place of what is left out, `initial=` is one value more,
`dtype=` converts first; the row of the table sees none of them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from minigrad.autograd import Primitive, Tensor, alike, bare, compose, messages, rules
from minigrad.ops import elementwise, linalg, reduction  # noqa: F401  # whose rows get these options
from minigrad.ops.complex_numbers import squared
from minigrad.ops.cumulative import running_extreme

_NONE = (None, np._NoValue)


def _given(value: Any) -> bool:
    return not any(value is nothing for nothing in _NONE)


def _refuse_out(name: str, out: Any) -> None:
    if out is not None:
        raise TypeError(messages.no_out(name))


def _as(dtype: Any, a: Any) -> Any:
    return a if dtype is None else a.astype(dtype)


def _reduction(function: Callable[..., Any], binary: Any, neutral: Any) -> Callable[..., Any]:
    """Make `sum`, `prod`, `max` or `min` with all of NumPy's options, of the row that has few."""
    name = function.__name__

    def run(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = np._NoValue,
        where: Any = True,
    ) -> Any:
        _refuse_out(name, out)
        if where is not True and _given(where):
            if neutral is None and not _given(initial):
                raise ValueError(f"{name}: with where=, give the value of nothing as initial=")
            a = np.where(where, a, initial if neutral is None else neutral)
        keepdims = keepdims if _given(keepdims) else False
        y: Any
        if neutral is None and _given(initial) and _length(a, axis) == 0:
            y = np.sum(a, axis=axis, keepdims=keepdims)  # of nothing: an array of its shape
            return y + initial
        y = function(_as(dtype, a), axis=axis, keepdims=keepdims)
        return binary(y, initial) if _given(initial) else y

    return run


def _length(a: Any, axis: Any) -> int:
    axes = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return math.prod(a.shape[i] for i in axes) if a.ndim else 1


def _extreme(function: Callable[..., Any], binary: Any) -> Callable[..., Any]:
    run = _reduction(function, binary, None)
    return lambda a, axis=None, out=None, keepdims=False, initial=np._NoValue, where=True: run(
        a, axis, None, out, keepdims, initial, where
    )


def _mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    *,
    where: Any = True,
) -> Any:
    _refuse_out("mean", out)
    a = _as(dtype, a)
    if where is True:
        return np.mean(a, axis=axis, keepdims=keepdims)
    total = np.sum(np.where(where, a, 0), axis=axis, keepdims=keepdims)
    return total / _counted(a, where, axis, keepdims)


def _counted(a: Any, where: Any, axis: Any, keepdims: bool) -> Any:
    mask = np.broadcast_to(bare(where), a.shape)
    return np.sum(mask, axis=axis, keepdims=keepdims).astype(bare(a).real.dtype)


def _var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = np._NoValue,
    correction: Any = np._NoValue,
) -> Any:
    _refuse_out("var", out)
    if _given(correction) and ddof:
        raise ValueError(f"var: correction={correction} and ddof={ddof} are one option: give one")
    a, ddof = _as(dtype, a), correction if _given(correction) else ddof
    if where is True and not _given(mean):
        return np.var(a, axis=axis, ddof=ddof, keepdims=keepdims)
    middle = mean if _given(mean) else _mean(a, axis, keepdims=True, where=where)
    total = np.sum(squared(np.where(where, a - middle, 0)), axis=axis, keepdims=keepdims)
    count = np.maximum(_counted(a, where, axis, keepdims) - ddof, 0)
    return total / np.asarray(count, total.dtype)


def _std(*arguments: Any, **options: Any) -> Any:
    y = _var(*arguments, **options)
    zero = bare(y) == 0
    return np.where(zero, 0, np.sqrt(np.where(zero, 1, y)))  # its gradient at 0 is 0


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        _refuse_out(function.__name__, out)
        return function(_as(dtype, a), axis=axis)

    return run


def _converted(ufunc: np.ufunc, *inputs: Any, dtype: Any = None, **others: Any) -> Any:
    entry = rules[ufunc]
    for name, value in others.items():
        raise TypeError(messages.keyword_not_accepted(entry, name, value))  # type: ignore[arg-type]
    if len(inputs) > ufunc.nin:
        raise TypeError(messages.no_out(ufunc.__name__))
    return ufunc(*(x.astype(dtype) if isinstance(x, Tensor) else x for x in inputs))


def _matmul(a: Any, b: Any, /, *, axes: Any = None, dtype: Any = None) -> Any:
    """Matrices in other axes than the last two; of a vector `axes` names one."""
    inputs = [_as(dtype, x) for x in alike([a, b])]
    if axes is None:
        return np.matmul(*inputs)
    *places, out = [tuple(np.ravel(x)) for x in axes]
    moved = [np.moveaxis(x, p, range(-len(p), 0)) for x, p in zip(inputs, places, strict=True)]
    return np.moveaxis(np.matmul(*moved), range(-len(out), 0), out)


_OPTIONS: dict[Any, Callable[..., Any]] = {
    np.matmul: _matmul,
    np.sum: _reduction(np.sum, np.add, 0),
    np.prod: _reduction(np.prod, np.multiply, 1),
    **{f: _extreme(f, np.maximum) for f in (np.max, np.amax)},
    **{f: _extreme(f, np.minimum) for f in (np.min, np.amin)},
    np.mean: _mean,
    np.var: _var,
    np.std: _std,
    np.cumsum: _running(np.cumsum),
    np.cumprod: _running(np.cumprod),
}
for _f, _rule in list(rules.items()):
    if isinstance(_f, np.ufunc) and isinstance(_rule, Primitive) and _f.signature is None:
        _OPTIONS[_f] = functools.partial(_converted, _f)
for _f, _with_options in _OPTIONS.items():
    rules[_f].options = _with_options  # type: ignore[union-attr]


# ------------------------------------------------------------------------------- methods of ufuncs
_REDUCED: dict[Any, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
_ACCUMULATED: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


def _reduce(ufunc: np.ufunc) -> Callable[..., Any]:
    """The function that reduces so, or a loop over the values of one axis."""
    known = _REDUCED.get(ufunc)

    def run(array: Any, axis: Any = 0, dtype: Any = None, **options: Any) -> Any:
        if known is not None:
            options |= {} if dtype is None else {"dtype": dtype}
            return known(array, axis=axis, **options)
        keepdims = options.pop("keepdims", False)
        if options or not isinstance(axis, int):
            raise TypeError(f"{ufunc.__name__}.reduce: expected one axis and keepdims alone")
        y = functools.reduce(ufunc, np.moveaxis(_as(dtype, array), axis, 0))
        return np.expand_dims(y, axis) if keepdims else y

    return run


def _accumulate(ufunc: np.ufunc) -> Callable[..., Any]:
    known = _ACCUMULATED.get(ufunc)

    def run(array: Any, axis: int = 0, dtype: Any = None) -> Any:
        array = _as(dtype, array)
        if known is not None:
            return known(array, axis=axis)
        if ufunc in (np.maximum, np.minimum):
            return running_extreme(ufunc, array, axis)
        parts = list(np.moveaxis(array, axis, 0))
        for i in range(1, len(parts)):
            parts[i] = ufunc(parts[i - 1], parts[i])
        return np.stack(parts, axis) if parts else array

    return run


def _outer(ufunc: np.ufunc) -> Callable[..., Any]:
    def run(a: Any, b: Any) -> Any:
        return ufunc(np.reshape(a, (*np.shape(a), *[1] * np.ndim(b))), b)

    return run


def _reduceat(ufunc: np.ufunc) -> Callable[..., Any]:
    def run(array: Any, indices: Any, axis: int = 0) -> Any:
        axis = normalize_axis_index(axis, array.ndim)
        moved, starts = np.moveaxis(array, axis, 0), [int(i) for i in np.ravel(bare(indices))]
        ends = [*starts[1:], moved.shape[0]]
        reduce = _reduce(ufunc)
        parts = [
            moved[i] if j <= i else reduce(moved[i:j]) for i, j in zip(starts, ends, strict=True)
        ]
        return np.stack(parts, axis=axis)

    return run


for _f in [f for f in _OPTIONS if isinstance(f, np.ufunc) and (f.nin, f.nout) == (2, 1)]:
    compose(_f.outer)(_outer(_f))
    compose(_f.reduce)(_reduce(_f))
    compose(_f.accumulate)(_accumulate(_f))
    compose(_f.reduceat)(_reduceat(_f))
