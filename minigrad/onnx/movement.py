"""How convolution, pooling, and functions that move values are written in ONNX."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from minigrad.onnx.builder import INT, Builder, Merged, emit
from minigrad.onnx.trace import Dim, Given
from minigrad.ops import convolution, pooling, shape

END = np.iinfo(np.int64).max


# -------------------------------------------------------------------------------------- images
def _window(geometry: dict[str, Any]) -> dict[str, Any]:
    (top, bottom), (left, right) = geometry["padding"]
    return {"strides": geometry["stride"], "pads": (top, left, bottom, right)}


@emit(convolution._conv2d)
def _conv2d(b: Builder, call: Merged, x: str, w: str, bias: str | None = None) -> str:
    g = call.keywords["geometry"]
    how = {"dilations": g["dilation"], "group": g.get("groups", 1), **_window(g)}
    return b.op("Conv", x, w, *([] if bias is None else [bias]), **how)


@emit(convolution._input_gradient)
def _conv_transpose(b: Builder, call: Merged, x: str, w: str) -> str:
    g, sizes = call.keywords["geometry"], call.keywords["x_shape"][2:]
    smallest = [
        s * (n - 1) + d * (k - 1) + 1 - sum(p)
        for s, n, d, k, p in zip(
            g["stride"],
            call.shapes[0][2:],
            g["dilation"],
            call.shapes[1][2:],
            g["padding"],
            strict=True,
        )
    ]
    how = {"dilations": g["dilation"], "group": g.get("groups", 1), **_window(g)}
    extra = [n - least for n, least in zip(sizes, smallest, strict=True)]
    return b.op("ConvTranspose", x, w, output_padding=extra, **how)


@emit(pooling._max_pool2d)
def _max_pool2d(b: Builder, call: Merged, x: str) -> str:
    window = call.keywords["window"]
    return b.op("MaxPool", x, kernel_shape=window["kernel"], **_window(window))


@emit(pooling._avg_pool2d)
def _avg_pool2d(b: Builder, call: Merged, x: str) -> str:
    window = call.keywords["window"]
    how = {"kernel_shape": window["kernel"], "count_include_pad": 1}
    return b.op("AveragePool", x, **how, **_window(window))


# ------------------------------------------------------------------------------- shapes and axes
@emit(shape.reshape, np.ravel, np.squeeze, np.expand_dims)
def _reshape(b: Builder, call: Merged, x: str) -> str:
    return b.shaped(x, call.shape)


@emit(np.transpose, np.swapaxes, np.moveaxis)
def _transpose(b: Builder, call: Merged, x: str) -> str:
    ndim = len(call.shapes[0])
    probe = np.broadcast_to(0, range(ndim))  # each axis is as long as its number
    return b.op("Transpose", x, perm=call.function(probe, **call.keywords).shape)


@emit(np.broadcast_to)
def _broadcast_to(b: Builder, call: Merged, x: str) -> str:
    return b.op("Expand", x, b.ints(call.shape))


@emit(np.flip)
def _flip(b: Builder, call: Merged, x: str) -> str:
    axis = call.keywords.get("axis")
    every = range(len(call.shapes[0]))
    axes = [*every] if axis is None else [*axis] if isinstance(axis, tuple) else [axis]
    ones = [-1] * len(axes)
    return b.op("Slice", x, b.ints(ones), b.ints([-END] * len(axes)), b.ints(axes), b.ints(ones))


@emit(np.roll)
def _roll(b: Builder, call: Merged, x: str) -> str:
    shift, axis = call.keywords["shift"], call.keywords.get("axis")
    y = b.op("Reshape", x, b.ints([-1])) if axis is None else x
    for n, along in np.broadcast(call.static(shift), axis or 0):
        length = call.static(call.shapes[0][along] if axis is not None else math.prod(call.shape))
        if n := -n % length if length else 0:
            cuts = [([n], [END]), ([0], [n])]
            parts = [b.op("Slice", y, b.ints(i), b.ints(j), b.ints([along])) for i, j in cuts]
            y = b.op("Concat", *parts, axis=int(along))
    return b.shaped(y, call.shape) if axis is None else y


@emit(np.tril, np.triu)
def _triangle(b: Builder, call: Merged, x: str) -> str:
    k = b.constant(call.static(call.keywords.get("k", 0)), INT)
    return b.op("Trilu", x, k, upper=int(call.function is np.triu))


@emit(shape._concatenate)
def _concatenate(b: Builder, call: Merged, *xs: str) -> str:
    axis = call.keywords.get("axis", 0)
    if axis is None:
        xs, axis = tuple(b.op("Reshape", x, b.ints([-1])) for x in xs), 0
    return b.op("Concat", *xs, axis=axis)


@emit(shape._stack)
def _stack(b: Builder, call: Merged, *xs: str) -> str:
    axis = call.keywords.get("axis", 0) % len(call.shape)
    return b.op("Concat", *[b.op("Unsqueeze", x, b.ints([axis])) for x in xs], axis=axis)


@emit(shape._tile)
def _tile(b: Builder, call: Merged, x: str) -> str:
    reps, before = tuple(call.keywords["reps"]), tuple(call.shapes[0])
    n = max(len(reps), len(before))
    if len(before) < n:
        x = b.shaped(x, (1,) * (n - len(before)) + before)
    return b.op("Tile", x, b.ints((1,) * (n - len(reps)) + reps))


@emit(shape._pad_constant)
def _pad(b: Builder, call: Merged, x: str) -> str:
    begins, ends = zip(*call.keywords["widths"], strict=True)
    return b.op("Pad", x, b.ints([*begins, *ends]), b.constant(call.keywords["value"], call.dtype))


# --------------------------------------------------------------------------------------- indexing
@emit(operator.getitem)
def _getitem(b: Builder, call: Merged, x: str) -> str:
    """Slices first, then what is picked, then new axes."""
    key = call.keywords["key"]
    parts = _written_out(key if isinstance(key, tuple) else (key,), len(call.shapes[0]))
    old = [part for part in parts if part is not None]  # one for each axis of x
    x = _sliced(b, x, old)
    picked = [axis for axis, part in enumerate(old) if not isinstance(part, slice)]
    if any(isinstance(old[axis], np.ndarray | Given) for axis in picked):
        x = _picked(b, call, x, old, picked)
    else:
        for axis in reversed(picked):
            x = b.op("Gather", x, b.constant(old[axis], INT), axis=axis)
    return b.shaped(x, call.shape) if any(part is None for part in parts) else x


def _written_out(key: tuple[Any, ...], ndim: int) -> list[Any]:
    """Return a slice, a number, an array or None for each axis, without ellipsis and masks."""
    parts: list[Any] = []
    for part in key:
        array = np.asarray(part) if isinstance(part, list) else part
        masked = isinstance(array, np.ndarray) and array.dtype == bool
        parts += [*array.nonzero()] if masked else [array]
    dots = [i for i, part in enumerate(parts) if part is ...]
    at = dots[0] if dots else len(parts)
    rest = [slice(None)] * (ndim - sum(part is not None and part is not ... for part in parts))
    return parts[:at] + rest + parts[at + len(dots) :]


def _sliced(b: Builder, x: str, parts: list[Any]) -> str:
    cuts = [(i, p) for i, p in enumerate(parts) if isinstance(p, slice) and p != slice(None)]
    if not cuts:
        return x
    steps = [1 if part.step is None else part.step for _, part in cuts]
    ends = [(0, END) if step > 0 else (END, -END) for step in steps]
    first = [e[0] if p.start is None else p.start for e, (_, p) in zip(ends, cuts, strict=True)]
    last = [e[1] if p.stop is None else p.stop for e, (_, p) in zip(ends, cuts, strict=True)]
    axes = [axis for axis, _ in cuts]
    return b.op("Slice", x, b.ints(first), b.ints(last), b.ints(axes), b.ints(steps))


def _picked(b: Builder, call: Merged, x: str, parts: list[Any], axes: list[int]) -> str:
    """Take along one axis; several that stand together are made one first."""
    axis = axes[0]
    if len(axes) == 1:
        index = parts[axis]
        name = b.given(index) if isinstance(index, Given) else b.constant(index, INT)
        return b.op("Gather", x, name, axis=axis)
    lengths = [call.shapes[0][a] for a in axes]
    if axes != [*range(axis, axis + len(axes))] or any(
        isinstance(v, Given | Dim) for v in (*lengths, *(parts[a] for a in axes))
    ):
        raise NotImplementedError("it picks along several axes: only constants side by side can")
    where = np.broadcast_arrays(
        *[np.asarray(parts[a]) % n for a, n in zip(axes, lengths, strict=True)]
    )
    flat = np.ravel_multi_index(where, lengths)
    rest = call.shape[axis + flat.ndim :]  # what follows has the length that it ends with
    x = b.shaped(x, [*call.shape[:axis], math.prod(lengths), *rest])
    return b.op("Gather", x, b.constant(flat, INT), axis=axis)
