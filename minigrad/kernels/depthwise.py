"""Convolution of each channel by itself, tap by tap, as it is no product of matrices.

A channel of some images at a time stays in the cache while all taps pass over it. Arrays are
(N, C, H, W), fast with the batch innermost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.kernels.columns import Array, Pads, Pair, pieces, taps
from minigrad.kernels.passes import BLOCK
from minigrad.kernels.threads import share
from minigrad.kernels.turning import turned

FEWEST_IMAGES = 32  # shorter runs of memory cost more than what the cache spares
Geometry = tuple[Pair, Pads, Pair]  # stride, padding, dilation


def _channel(x: Array, c: int, images: slice) -> Array:
    """Return one channel of some images as (H, W, N), the batch innermost."""
    part: Array = turned(x[images, c : c + 1].transpose(1, 2, 3, 0))[0]
    return part.astype(np.result_type(part, np.float32), copy=False)


def _over(work: Callable[[tuple[int, slice]], Any], filters: int, x: Array) -> list[Any]:
    """Do each filter on some images at a time."""
    image = max(1, x.shape[2] * x.shape[3] * x.itemsize)
    blocks = pieces(len(x), max(FEWEST_IMAGES, BLOCK // image))
    return share(work, [(o, images) for o in range(filters) for images in blocks])


def _taps(
    x: Array, out: tuple[int, ...], w: Array, geometry: Geometry
) -> Iterator[tuple[Pair, Any, Any]]:
    stride, padding, dilation = geometry
    return taps(x.shape[2:], out[2:], w.shape[2:], stride, padding, dilation)


def depthwise(x: Array, w: Array, y: Array, bias: Array | None, geometry: Geometry) -> None:
    """Write the sum over taps of w[o, 0, i, j] x[n, c, ...] to `y`."""
    several = len(w) // x.shape[1]
    steps = list(_taps(x, y.shape, w, geometry))

    def work(block: tuple[int, slice]) -> None:
        o, images = block
        part = _channel(x, o // several, images)
        out = np.zeros((*y.shape[2:], part.shape[2]), part.dtype)
        product = np.empty_like(out)
        if bias is not None:
            out += bias[o]
        for tap, to, pixels in steps:
            np.multiply(part[pixels], part.dtype.type(w[o, 0][tap]), out=product[to])
            out[to] += product[to]
        y[images, o] = out.transpose(2, 0, 1)

    _over(work, len(w), x)


def depthwise_input_gradient(g: Array, w: Array, dx: Array, geometry: Geometry) -> None:
    """Write the gradient of `depthwise` for its input to `dx`."""
    several = len(w) // dx.shape[1]
    steps = list(_taps(dx, g.shape, w, geometry))

    def work(block: tuple[int, slice]) -> None:
        c, images = block
        out: Any = None
        for o in range(c * several, (c + 1) * several):
            part = _channel(g, o, images)
            out = np.zeros((*dx.shape[2:], part.shape[2]), part.dtype) if out is None else out
            product = np.empty_like(part)
            for tap, of, pixels in steps:
                np.multiply(part[of], part.dtype.type(w[o, 0][tap]), out=product[of])
                out[pixels] += product[of]
        dx[images, c] = out.transpose(2, 0, 1)

    _over(work, dx.shape[1], dx)


def depthwise_weight_gradient(g: Array, x: Array, dw: Array, geometry: Geometry) -> None:
    """Write the gradient of `depthwise` for its filters to `dw`."""
    several = len(dw) // x.shape[1]
    steps = list(_taps(x, g.shape, dw, geometry))

    def work(block: tuple[int, slice]) -> tuple[int, Array]:
        o, images = block
        part, upstream = _channel(x, o // several, images), _channel(g, o, images)
        sums = np.zeros(dw.shape[2:], part.dtype)
        for tap, of, pixels in steps:
            sums[tap] = np.vecdot(upstream[of], part[pixels]).sum()
        return o, sums

    dw[...] = 0
    for o, sums in _over(work, len(dw), x):
        dw[o, 0] += sums.astype(dw.dtype, copy=False)
