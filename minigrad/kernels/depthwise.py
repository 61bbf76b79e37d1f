"""Convolution of each channel by itself, tap by tap, as it is no product of matrices.

Padded images are runs of memory, in which what a tap reads lies one distance from what it feeds:
so each tap is two passes over a whole run, a few channels at a time, which stay in the cache. What
that computes beyond the ends of rows is left out. With a stride of s the run is cut into s x s
runs, of every s-th row and column, of which each tap reads one. Where images are narrow, products
with banded matrices are faster (bands.py).

Blocks are (C, A, H, W, B): the batch is A where it is outermost in memory, else B.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.kernels import bands
from minigrad.kernels.columns import Array, Pads, Pair, pieces
from minigrad.kernels.passes import BLOCK
from minigrad.kernels.threads import share

FEWEST_IMAGES = 32  # shorter runs of memory cost more than what the cache spares
Geometry = tuple[Pair, Pads, Pair]  # stride, padding, dilation
Block = tuple[slice, slice]  # some channels of some images


def _laid(x: Array, innermost: bool) -> Array:
    """Return `x` (N, C, H, W) as (C, A, H, W, B)."""
    return x.transpose(1, 2, 3, 0)[:, None] if innermost else x.swapaxes(0, 1)[..., None]


class _Runs:
    """Where the pixels of an image of some size lie in the runs, and what each tap reads."""

    def __init__(self, x: Array, w: Array, geometry: Geometry, innermost: bool):
        self.stride, self.padding, self.dilation = geometry
        self.image, self.kernel, self.innermost = x.shape[2:], w.shape[2:], innermost
        self.size = [
            -(-(self.image[a] + sum(self.padding[a])) // self.stride[a]) for a in (0, 1)
        ]  # of each run
        self.dtype = np.result_type(x, w, np.float32)
        self.taps = list(self._taps())

    def _taps(self) -> Iterator[tuple[Pair, Pair, int]]:
        """Yield each tap, the run that it reads, and how many pixels on."""
        for i, j in np.ndindex(*self.kernel):
            (u, a), (v, c) = (
                divmod(k * d, s) for k, d, s in zip((i, j), self.dilation, self.stride, strict=True)
            )
            yield (i, j), (a, c), u * self.size[1] + v

    def _pixels(self, run: Pair) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return where in the image the pixels of a run lie, and where in the run."""
        found = []
        for n, (pad, _), s, first in zip(self.image, self.padding, self.stride, run, strict=True):
            skipped = max(0, -(-(pad - first) // s))
            start = first + skipped * s - pad
            found.append((slice(start, n, s), slice(skipped, skipped + len(range(start, n, s)))))
        (rows, to_rows), (columns, to_columns) = found
        return (rows, columns), (to_rows, to_columns)

    def empty(self, x: Array) -> tuple[dict[Pair, Array], int]:
        """Return runs of zeros for a block, each with what the last taps reach for behind it."""
        length = x.shape[1] * self.size[0] * self.size[1] * x.shape[4]
        beyond = max(pixels for *_, pixels in self.taps) * x.shape[4]
        runs = {run for _, run, _ in self.taps}
        return {run: np.zeros((len(x), length + beyond), self.dtype) for run in runs}, length

    def images(self, run: Array, x: Array) -> Array:
        """Return one run as images of the block."""
        n = x.shape[1] * self.size[0] * self.size[1] * x.shape[4]
        return run[:, :n].reshape(*x.shape[:2], *self.size, x.shape[4])

    def read(self, x: Array) -> tuple[dict[Pair, Array], int]:
        """Return the runs of a block of images."""
        runs, length = self.empty(x)
        for place, run in runs.items():
            (h, w), (u, v) = self._pixels(place)
            self.images(run, x)[:, :, u, v] = x[:, :, h, w]
        return runs, length

    def write(self, runs: dict[Pair, Array], x: Array) -> None:
        """Write runs back into a block of images."""
        if len(runs) < self.stride[0] * self.stride[1]:
            x[...] = 0
        for place, run in runs.items():
            (h, w), (u, v) = self._pixels(place)
            x[:, :, h, w] = self.images(run, x)[:, :, u, v]

    def outputs(self, g: Array) -> Array:
        """Return a block of outputs as runs, with zeros behind the ends of rows."""
        run = np.zeros((*g.shape[:2], *self.size, g.shape[4]), self.dtype)
        run[:, :, : g.shape[2], : g.shape[3]] = g
        return run.reshape(len(g), -1)

    def blocks(self, x: Array) -> list[Block]:
        """Cut images into blocks that stay in the cache, with what is computed of them."""
        one = max(1, self.size[0] * self.size[1] * self.dtype.itemsize)
        images = pieces(len(x), max(FEWEST_IMAGES if self.innermost else 1, BLOCK // one))
        several = max(1, BLOCK // (one * max(1, images[0].stop if images else 1)))
        return [(c, n) for c in pieces(x.shape[1], several) for n in images]


def _by_filter(w: Array, channels: int, dtype: Any) -> Array:
    """Return `w` (O, 1, KH, KW) as (O / C, C, KH, KW, 1): a channel's filters stand together."""
    several = len(w) // channels
    by_channel = w.reshape(channels, several, *w.shape[2:], 1).swapaxes(0, 1)
    return np.ascontiguousarray(by_channel, dtype)


def batch_is_innermost(x: Array) -> bool:
    """Tell whether images lie in memory with the batch innermost."""
    return x.strides[0] <= x.strides[3]


def depthwise(x: Array, w: Array, y: Array, bias: Array | None, geometry: Geometry) -> None:
    """Write the sum over taps of w[o, 0, i, j] x[n, c, ...] to `y`."""
    if bands.pays(x, w, y) and bands.depthwise(x, w, y, geometry):
        if bias is not None:
            y += bias[:, None, None]
        return
    runs_of = _Runs(x, w, geometry, batch_is_innermost(x))
    filters = _by_filter(w, x.shape[1], runs_of.dtype)
    several = len(filters)

    def work(block: Block) -> None:
        channels, images = block
        part = _laid(x[images, channels], runs_of.innermost)
        runs, length = runs_of.read(part)
        product, total = (np.empty((len(part), length), runs_of.dtype) for _ in range(2))
        for k, own in enumerate(filters):
            total[...] = 0
            for tap, run, pixels in runs_of.taps:
                shift = pixels * part.shape[4]
                np.multiply(runs[run][:, shift : shift + length], own[channels, *tap], out=product)
                np.add(total, product, out=total)
            of = slice(channels.start * several + k, channels.stop * several, several)
            out = _laid(y[images, of], runs_of.innermost)
            out[...] = runs_of.images(total, part)[:, :, : out.shape[2], : out.shape[3]]
            if bias is not None:
                out += bias[of, None, None, None, None]

    share(work, runs_of.blocks(x))


def depthwise_input_gradient(g: Array, w: Array, dx: Array, geometry: Geometry) -> None:
    """Write the gradient of `depthwise` for its input to `dx`."""
    if bands.pays(dx, w, g) and bands.depthwise_input_gradient(g, w, dx, geometry):
        return
    runs_of = _Runs(dx, w, geometry, batch_is_innermost(g))
    filters = _by_filter(w, dx.shape[1], runs_of.dtype)
    several = len(filters)

    def work(block: Block) -> None:
        channels, images = block
        part = _laid(dx[images, channels], runs_of.innermost)
        runs, length = runs_of.empty(part)
        product = np.empty((len(part), length), runs_of.dtype)
        for k, own in enumerate(filters):
            of = slice(channels.start * several + k, channels.stop * several, several)
            upstream = runs_of.outputs(_laid(g[images, of], runs_of.innermost))
            for tap, run, pixels in runs_of.taps:
                shift = pixels * part.shape[4]
                np.multiply(upstream, own[channels, *tap], out=product)
                to = runs[run][:, shift : shift + length]
                np.add(to, product, out=to)
        runs_of.write(runs, part)

    share(work, runs_of.blocks(dx))


def depthwise_weight_gradient(g: Array, x: Array, dw: Array, geometry: Geometry) -> None:
    """Write the gradient of `depthwise` for its filters to `dw`."""
    runs_of = _Runs(x, dw, geometry, batch_is_innermost(x))
    several = len(dw) // x.shape[1]

    def work(block: Block) -> tuple[slice, Array]:
        channels, images = block
        part = _laid(x[images, channels], runs_of.innermost)
        runs, length = runs_of.read(part)
        sums = np.zeros((len(part), several, *dw.shape[2:]), runs_of.dtype)
        for k in range(several):
            of = slice(channels.start * several + k, channels.stop * several, several)
            upstream = runs_of.outputs(_laid(g[images, of], runs_of.innermost))
            for (i, j), run, pixels in runs_of.taps:
                shift = pixels * part.shape[4]
                sums[:, k, i, j] = np.vecdot(upstream, runs[run][:, shift : shift + length])
        return slice(channels.start * several, channels.stop * several), sums

    dw[...] = 0
    for of, sums in share(work, runs_of.blocks(x)):
        dw[of, 0] += sums.reshape(-1, *dw.shape[2:]).astype(dw.dtype, copy=False)
