"""Sliding windows of arrays, and their adjoint: windows added up where they overlap."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from minigrad.autograd import Array, Constant, Shape, compose, differentiable


def _add_up(g: Array, _y: object, _x: Constant, *, window: Shape, axes: Shape) -> Array:
    return _overlap_add(g, x_shape=_x.shape, window=window, axes=axes)


@differentiable(_add_up)
def _windows(x: Array, *, window: Shape, axes: Shape) -> Array:
    return sliding_window_view(x, window, axes)


@differentiable(lambda u, _y, _g, *, x_shape, window, axes: _windows(u, window=window, axes=axes))
def _overlap_add(g: Array, *, x_shape: Shape, window: Shape, axes: Shape) -> Array:
    x = np.zeros(x_shape, g.dtype)
    for offset in product(*map(range, window)):
        place = [slice(None)] * len(x_shape)
        for axis, start in zip(axes, offset, strict=True):
            place[axis] = slice(start, start + g.shape[axis])
        x[tuple(place)] += g[(slice(None),) * len(x_shape) + offset]
    return x


@compose(sliding_window_view)
def _sliding_window_view(x: Array, window_shape: Any, axis: Any = None) -> Array:
    window = tuple(window_shape) if np.ndim(window_shape) else (window_shape,)
    axes = range(x.ndim) if axis is None else axis
    axes = normalize_axis_tuple(axes, x.ndim, "axis", allow_duplicate=True)
    if len(window) != len(axes):
        raise ValueError(
            f"sliding_window_view: expected a length of the window for each axis, got "
            f"window_shape={window_shape} for axis={axis} of an array of shape {x.shape}"
        )
    if len(set(axes)) != len(axes):
        raise TypeError(f"sliding_window_view: axis={axis} names an axis twice: no derivative here")
    return _windows(x, window=window, axes=axes)
