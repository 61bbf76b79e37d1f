"""Convolution of each channel of narrow images by itself, as products with banded matrices.

A few rows of outputs are a linear map of the rows of the image that they read. Its matrix, with the
filter's taps along its diagonals, is one for nearly all rows of all images, which are read and
written where they lie: no pass over them is left. Most of the matrix is zeros, so this pays while
rows are short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.kernels.columns import Array, Pads, Pair, pieces
from minigrad.kernels.threads import share, threads_for

Geometry = tuple[Pair, Pads, Pair]  # stride, padding, dilation
# An output takes KH W multiply-adds. Tap by tap it takes KH KW, in passes over memory, and each of
# those takes as long as about ten within a product.
WIDEST = 10  # times the kernel's width
MATRIX = 1  # times the taps are the fewest images that are worth making the matrices for
FEWEST_PIXELS = 28  # of a block's rows: with fewer, calls cost more than the zeros
BLOCK = 1 << 20  # numbers of the images worked on at a time


class Rows(NamedTuple):
    """Runs of `rows` rows, the first at `start`, each `step` behind the one before."""

    start: int
    step: int
    rows: int

    def of(self, images: Array, width: int, times: int) -> Array:
        """Return so many of images (C, H W, N), as (C, times, rows W, N)."""
        channel, pixel, image = images.strides
        shape = len(images), times, self.rows * width, images.shape[2]
        strides = channel, self.step * width * pixel, pixel, image
        return as_strided(images[:, self.start * width :], shape, strides)


class Band(NamedTuple):
    """So many runs of rows of images and of outputs, and the (i, x, y) where y reads x by i."""

    x: Rows
    y: Rows
    times: int
    taps: list[tuple[int, int, int]]


def pays(x: Array, w: Array, y: Array) -> bool:
    """Tell whether filters `w` (O, 1, KH, KW) are applied faster as bands."""
    alike = x.dtype == w.dtype == y.dtype and x.dtype in (np.float32, np.float64)
    narrow = x.shape[3] <= WIDEST * w.shape[3] and len(x) >= MATRIX * w[0].size
    return alike and narrow and y.size > 0


def _blocks(
    height: int, out_height: int, some: int, s: int, pad: int, reach: int, of_x: bool
) -> Iterator[tuple[range, range]]:
    """Yield some rows of the image, or else of outputs, with the rows that they touch there."""
    for start in range(0, height if of_x else out_height, some):
        if of_x:
            x = range(start, min(start + some, height))
            first = max(0, -((reach - start - pad) // s))
            y = range(first, max(first, min(out_height, (x[-1] + pad) // s + 1)))
        else:
            y = range(start, min(start + some, out_height))
            first = max(0, start * s - pad)
            x = range(first, max(first, min(height, y[-1] * s + reach - pad + 1)))
        yield x, y


@lru_cache(256)
def _bands(x: Pair, y: Pair, kernel: int, s: int, pad: int, d: int, of_x: bool) -> tuple[Band, ...]:
    """Return bands that cover all rows of images x, or else of outputs y, once."""
    some = -(-FEWEST_PIXELS // (s * x[1])) * s if of_x else -(-FEWEST_PIXELS // y[1])
    found, blocks = [], _blocks(x[0], y[0], some, s, pad, d * (kernel - 1), of_x)
    for _, group in groupby(blocks, lambda b: (b[0].start - b[1].start * s, *map(len, b))):
        alike = list(group)
        rows, outputs = alike[0]
        next_rows, next_outputs = alike[min(1, len(alike) - 1)]
        taps = [
            (i, r * s + i * d - pad - rows.start, r - outputs.start)
            for i in range(kernel)
            for r in outputs
            if r * s + i * d - pad in rows
        ]
        of_rows = Rows(rows.start, next_rows.start - rows.start, len(rows))
        of_outputs = Rows(outputs.start, next_outputs.start - outputs.start, len(outputs))
        found.append(Band(of_rows, of_outputs, len(alike), taps))
    return tuple(found)


def _across(x: Array, w: Array, y: Array, geometry: Geometry) -> Array:
    """Return (KW, W OW): 1 where in a row an output reads a pixel through a tap."""
    (_, s), (_, (left, _)), (_, d) = geometry
    reads = np.arange(w.shape[3])[:, None] * d + np.arange(y.shape[3]) * s - left
    across: Array = reads[:, None] == np.arange(x.shape[3])[:, None]
    return across.reshape(len(across), -1).astype(x.dtype)


def _matrices(rows: Array, band: Band) -> Array:
    """Put the maps of the filters' rows (C, KH, W, OW) in their places, (C, 1, x, y)."""
    channels, _, width, out_width = rows.shape
    found = np.zeros((channels, band.x.rows, width, band.y.rows, out_width), rows.dtype)
    for i, x, y in band.taps:
        found[:, x, :, y] = rows[:, i]
    return found.reshape(channels, 1, band.x.rows * width, band.y.rows * out_width)


def _pixels(x: Array) -> Array:
    """Return images (N, C, H, W) as (C, H W, N), copied if rows do not follow each other."""
    return x.transpose(1, 2, 3, 0).reshape(x.shape[1], -1, len(x))


def _apply(
    work: Callable[[int, Array, Array, Array], None],
    x: Array, w: Array, y: Array, geometry: Geometry, of_x: bool,
) -> bool:  # fmt: skip
    """Call ``work(k, matrices, images, outputs)`` for every band and the k-th filter of channels.

    Images and outputs are (C, times, pixels, N). Tell whether what was written is finite: if not,
    it may be wrong, as infinity may have met a zero of the matrices.
    """
    several = y.shape[1] // x.shape[1]
    (stride, _), ((pad, _), _), (dilation, _) = geometry
    across = _across(x, w, y, geometry)
    bands = _bands(x.shape[2:], y.shape[2:], w.shape[2], stride, pad, dilation, of_x)

    @np.errstate(over="ignore", invalid="ignore")
    def on(channels: slice) -> None:
        images = _pixels(x[:, channels])
        for k in range(several):
            own = slice(channels.start * several + k, channels.stop * several, several)
            outputs = _pixels(y[:, own])
            rows = (w[own, 0] @ across).reshape(len(images), -1, x.shape[3], y.shape[3])
            for band in bands:
                from_x = band.x.of(images, x.shape[3], band.times)
                from_y = band.y.of(outputs, y.shape[3], band.times)
                work(k, _matrices(rows, band), from_x, from_y)

    most = BLOCK // max(1, x[:, 0].size, y[:, 0].size)
    threads = threads_for(y.size * w.shape[2] * x.shape[3])
    share(on, pieces(x.shape[1], most, threads))
    return bool(np.isfinite(x if of_x else y).all())


def depthwise(x: Array, w: Array, y: Array, geometry: Geometry) -> bool:
    """Write the sum over taps of w[o, 0, i, j] x[n, c, ...] to `y`; tell whether it is finite."""

    def work(_k: int, maps: Array, x: Array, y: Array) -> None:
        np.matmul(maps.swapaxes(2, 3), x, out=y)

    return _apply(work, x, w, y, geometry, False)


def depthwise_input_gradient(g: Array, w: Array, dx: Array, geometry: Geometry) -> bool:
    """Write the gradient of `depthwise` for its input to `dx`; tell whether it is finite."""

    def work(k: int, maps: Array, dx: Array, g: Array) -> None:
        if k:
            dx += maps @ g
        else:
            np.matmul(maps, g, out=dx)

    return _apply(work, dx, w, g, geometry, True)
