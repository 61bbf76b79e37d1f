"""Blocks of a convolution: which there are, and their input, unfolded, as matrices.

A block is some output rows and columns of some images. Its input is unfolded along the kernel's
width only (lowering.py). The matrix that one output row multiplies is then a *view*, the KH rows
that its windows touch: im2col would make KH copies of it.

Images here are (C, H, W, N), in memory too if they are to be fast.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.kernels.columns import Array, Pair, overlap, pieces
from minigrad.kernels.lowering import Lowering
from minigrad.kernels.threads import threads_for

Block = tuple[slice, slice, slice]  # output rows, output columns, images

# Most numbers in the unfolded input of a block (4 MiB of float32), of which each thread has one;
# where images have to be turned or padded, it has a copy of that part of them as well.
# Products read KH rows of it at a time, and those stay in the L2 cache; a larger block has fewer
# rows at its edge, which are unfolded twice.
BLOCK_SIZE = 1 << 20
# Most numbers in the products of some rows: what is done to them next finds them in the L2 cache.
SUMS = 1 << 18
# Shorter rows than this are copied together into one matrix.
SHORTEST_ROW = 256
MOST_IMAGES = 256
# Images that are not innermost in memory are turned so many at a time: a line of the cache.
TURNED = 16


class _Local(threading.local):
    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}


_local = _Local()


def blocks_of(
    way: Lowering, out_shape: tuple[int, ...], w_shape: tuple[int, ...], stride: int, dilation: int
) -> list[Block]:
    """Return the blocks of outputs (N, O, OH, OW), several even of few where threads share them."""
    n, _, height, width = out_shape
    lines = max(1, way.products * way.lines(w_shape[1]))
    reach = (w_shape[2] - 1) * dilation + stride
    threads = threads_for(prod(out_shape) * prod(w_shape[1:]))
    blocks = []
    for images in pieces(n, MOST_IMAGES):
        for units in pieces(way.units(width), BLOCK_SIZE // (lines * reach * _size(images))):
            rows = BLOCK_SIZE // (lines * _size(images) * _size(units)) - reach + stride
            columns = slice(units.start * way.step, min(width, units.stop * way.step))
            parts = pieces(height, rows // stride, threads)
            blocks += [(rows, columns, images) for rows in parts]
    return blocks


def longest_row(way: Lowering, blocks: list[Block]) -> int:
    """Return the most pixels in a row of the blocks' matrices."""
    rows = [way.units(_size(columns)) * _size(images) for _, columns, images in blocks]
    return max(rows, default=0)


def _size(piece: slice) -> int:
    return int(piece.stop - piece.start)


def scratch(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return this thread's scratch array of that name, uninitialised."""
    arrays, size = _local.arrays, prod(shape) * dtype.itemsize
    if name not in arrays or arrays[name].size < size:
        arrays.pop(name, None)  # so that the two do not exist at one time
        arrays[name] = np.empty(size, np.uint8)
    found: Array = arrays[name][:size].view(dtype).reshape(shape)
    return found


def assign(to: Array, source: Array) -> None:
    """Copy (..., N) to where the batch is innermost; some images at a time if they have to turn."""
    in_order = source.strides[-1] == source.itemsize
    for some in pieces(source.shape[-1], source.shape[-1] if in_order else TURNED):
        to[..., some] = source[..., some]


def innermost(x: Array) -> Array:
    """Return `x` (..., N), or a copy of it in scratch memory, with the batch innermost."""
    if x.strides[-1] == x.itemsize:
        return x
    turned = scratch("window", x.shape, x.dtype)
    assign(turned, x)
    return turned


def _inside(x: Array, columns: Pair, dtype: np.dtype[Any]) -> Array:
    """Return columns (start, count) of `x` (H, C, W, N), zero outside it, the batch innermost."""
    across, w = overlap(0, columns[1], 1, columns[0], x.shape[2])
    inside = x[:, :, w]
    if across == slice(0, columns[1]) and x.dtype == dtype and x.strides[3] == x.itemsize:
        return inside
    window = scratch("window", (*x.shape[:2], columns[1], x.shape[3]), dtype)
    window[:, :, : across.start] = window[:, :, across.stop :] = 0
    assign(window[:, :, across], inside)
    return window


def _unfold(
    way: Lowering, x: Array, lines: Array, start: int, stride: int, dtype: np.dtype[Any]
) -> None:
    """Write the lines (P, H, lines, units, N) of `x` (H, C, W, N), whose first pixel is `start`."""
    units, step = lines.shape[3], way.step * stride
    inner = overlap(0, units, step, start, x.shape[2] - way.reach(1) + 1)[0]
    parts = slice(0, inner.start), inner, slice(inner.stop, units)  # at a border, zeros are added
    for part in parts if x.strides[3] == x.itemsize else [slice(0, units)]:
        if part.stop > part.start:
            columns = start + part.start * step, way.reach(part.stop - part.start)
            way.unfold(_inside(x, columns, dtype), lines[:, :, :, part])


class Plan(NamedTuple):
    """One convolution's geometry, and how its blocks become matrices."""

    way: Lowering
    filters: int
    kernel_height: int
    stride: Pair
    start: Pair
    dilation: int
    dtype: np.dtype[Any]

    def matrices(self, x: Array, block: Block) -> Iterator[tuple[slice, Array]]:
        """Unfold `x` (C, H, W, N) and yield some output rows of `block` with their matrices.

        They are (P, R, KH*lines, pixels): R of them for each product, views of one another.
        """
        way, (rows, columns, images) = self.way, block
        n_rows, units = _size(rows), way.units(_size(columns))
        height = (n_rows - 1) * self.stride[0] + (self.kernel_height - 1) * self.dilation + 1
        first = rows.start * self.stride[0] - self.start[0]
        inside, h = overlap(0, height, 1, first, x.shape[1])

        lines, pixels = way.lines(len(x)), units * _size(images)
        shape = (way.products, height, lines, units, _size(images))
        unfolded = scratch("unfolded", shape, self.dtype)
        unfolded[:, : inside.start] = unfolded[:, inside.stop :] = 0
        part = x[:, h, :, images].transpose(1, 0, 2, 3)
        first = columns.start * self.stride[1] - self.start[1]
        _unfold(way, part, unfolded[:, inside], first, self.stride[1], self.dtype)

        flat = unfolded.reshape(*shape[:3], pixels)
        product, row, line, item = flat.strides
        windows = as_strided(
            flat,
            (way.products, n_rows, self.kernel_height, lines, pixels),
            (product, row * self.stride[0], row * self.dilation, line, item),
        )
        short = 0 < pixels < SHORTEST_ROW
        sums = way.products * self.filters * pixels  # of a row
        most = SHORTEST_ROW // pixels if short else SUMS // max(1, sums)
        for some in pieces(n_rows, most):
            y = slice(rows.start + some.start, rows.start + some.stop)
            matrices = windows[:, some]
            if short:
                matrices = matrices.transpose(0, 2, 3, 1, 4)
            r = 1 if short else _size(some)
            yield y, matrices.reshape(way.products, r, self.kernel_height * lines, -1)

    def sums(self, y: Array) -> Array:
        """Return where the products (P, O, rows, units, N) of outputs `y` go: there, if it can."""
        if self.way.products == 1 and y.dtype == self.dtype and y[0].flags.c_contiguous:
            return y[None]
        shape = (self.way.products, *y.shape[:2], self.way.units(y.shape[2]), y.shape[3])
        return scratch("sums", shape, self.dtype)


def by_matrix(sums: Array, matrices: Array) -> Array:
    """Return (P, O, rows, units, N) as (P, R, O, pixels), as `matrices` are."""
    p, r = matrices.shape[:2]
    return sums.reshape(p, sums.shape[1], r, -1).swapaxes(1, 2)
