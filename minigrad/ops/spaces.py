"""Arrays made of a few values: ranges between two ends, grids, and constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import Tensor, alike, bare, compose


def _between(start: Any, stop: Any, num: int, endpoint: bool, axis: int) -> tuple[Any, Any]:
    """Return the values, and the step from each to the next."""
    start, stop = alike([start, stop])
    start, stop = np.broadcast_arrays(start, stop)
    count = num - 1 if endpoint else num
    step = (stop - start) / count if count > 0 else (stop - start) * np.nan
    shares = np.arange(num).reshape(-1, *[1] * start.ndim)
    dtype = start.dtype if start.dtype.kind in "fc" else np.float64
    values = start + shares.astype(dtype) * (step if count > 0 else 0 * stop)
    if endpoint and num > 1:  # exactly, as NumPy does
        values = np.concatenate([values[:-1], np.expand_dims(stop, 0)])
    return np.moveaxis(values, 0, axis), step


@compose(np.linspace)
def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    values, step = _between(start, stop, num, endpoint, axis)
    values = values if dtype is None else values.astype(dtype)
    return (values, step) if retstep else values


@compose(np.logspace)
def _logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    values, _ = _between(start, stop, num, endpoint, axis)
    values = np.power(base if np.ndim(base) == 0 else np.expand_dims(base, axis), values)
    return values if dtype is None else values.astype(dtype)


@compose(np.geomspace)
def _geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = np.broadcast_arrays(*alike([start, stop]))
    logs, _ = _between(0 * start, np.log(stop / start), num, endpoint, axis)
    values = np.expand_dims(start, axis) * np.exp(logs)
    return values if dtype is None else values.astype(dtype)


@compose(np.full_like)
def _full_like(
    a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None, **same: Any
) -> Any:
    if not isinstance(fill_value, Tensor):
        return np.full_like(bare(a), fill_value, dtype, shape=shape, **same)
    full = np.broadcast_to(fill_value, a.shape if shape is None else shape)
    return full.astype(a.dtype if dtype is None else dtype)


@compose(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing={indexing!r} is neither 'xy' nor 'ij'")
    n = len(xi)
    grids = [np.reshape(x, [-1 if i == k else 1 for k in range(n)]) for i, x in enumerate(xi)]
    if indexing == "xy" and n > 1:
        grids = [np.swapaxes(x, 0, 1) for x in grids]
    return tuple(grids) if sparse else tuple(np.broadcast_arrays(*grids))
