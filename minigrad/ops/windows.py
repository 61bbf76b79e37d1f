"""Sliding windows of arrays, and their adjoint: windows added up where they overlap."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minigrad.autograd import compose, differentiable


def _add_up(g: Any, _y: Any, _x: Any, *, window: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return _overlap_add(g, x_shape=_x.shape, window=window, axes=axes)


@differentiable(_add_up)
def _windows(x: Any, *, window: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return sliding_window_view(x, window, axes)


@differentiable(lambda u, _y, _g, *, x_shape, window, axes: _windows(u, window=window, axes=axes))
def _overlap_add(
    g: Any, *, x_shape: tuple[int, ...], window: tuple[int, ...], axes: tuple[int, ...]
) -> Any:
    x = np.zeros(x_shape, g.dtype)
    for offset in product(*map(range, window)):
        place = [slice(None)] * len(x_shape)
        for axis, start in zip(axes, offset, strict=True):
            place[axis] = slice(start, start + g.shape[axis])
        x[tuple(place)] += g[(..., *offset)]
    return x


@compose(sliding_window_view)
def _sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    window = tuple(window_shape) if np.ndim(window_shape) else (window_shape,)
    axes = range(x.ndim) if axis is None else axis if np.ndim(axis) else (axis,)
    axes = tuple(a % x.ndim for a in axes)
    if len(set(axes)) != len(axes):
        raise TypeError(f"sliding_window_view: axis={axis} names an axis twice: no derivative here")
    return _windows(x, window=window, axes=axes)
