"""Windows of plain images: their geometry, and im2col and col2im, which lay them out as rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]
Pads = tuple[Pair, Pair]  # ((top, bottom), (left, right))
NO_PADS = ((0, 0), (0, 0))


def output_size(size: int, kernel: int, stride: int, padding: Pair, dilation: int = 1) -> int:
    """Return ``(size + padding - dilation * (kernel - 1) - 1) // stride + 1``."""
    return (size + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1


def overlap(start: int, stop: int, stride: int, offset: int, size: int) -> tuple[slice, slice]:
    """Return the o in [start, stop) for which o*stride + offset is in [0, size), and the latter."""
    low = min(stop, max(start, -(offset // stride)))
    high = max(low, min(stop, (size - 1 - offset) // stride + 1))
    first = max(0, low * stride + offset)
    return slice(low, high), slice(first, first + max(0, (high - low - 1) * stride + 1), stride)


def taps(
    image: tuple[int, ...], output: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pads,
    dilation: Pair = (1, 1),
) -> Iterator[tuple[Pair, tuple[slice, slice], tuple[slice, slice]]]:  # fmt: skip
    """Yield each kernel position (i, j), the outputs it feeds, and the pixels it reads for them."""
    for tap in product(range(kernel[0]), range(kernel[1])):
        (oh, h), (ow, w) = (
            overlap(0, output[a], stride[a], tap[a] * dilation[a] - padding[a][0], image[a])
            for a in (0, 1)
        )
        yield tap, (oh, ow), (h, w)


def pieces(n: int, most: int, least: int = 1) -> list[slice]:
    """Cut range(n) evenly into slices of at most `most`, at least `least` of them if n allows."""
    count = min(n, max(least, -(-n // max(1, most))))
    return [slice(i * n // count, (i + 1) * n // count) for i in range(count)]


def col_shape(
    x_shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pads, dilation: Pair
) -> tuple[int, ...]:
    """Return (N, OH, OW, C, KH, KW)."""
    n, c, *image = x_shape
    sizes = zip(image, kernel, stride, padding, dilation, strict=True)
    return (n, *(output_size(*size) for size in sizes), c, *kernel)


def im2col(
    x: Array, kernel: Pair, stride: Pair = (1, 1), padding: Pads = NO_PADS,
    dilation: Pair = (1, 1),
) -> Array:  # fmt: skip
    """Return every window of (N, C, H, W) images as a row: (N*OH*OW, C*KH*KW), zero-padded.

    Rows run over (n, oh, ow) and columns over (c, i, j), as in *Deep Learning from Scratch*, 7.4.3.
    """
    shape = col_shape(x.shape, kernel, stride, padding, dilation)
    col = np.zeros(shape, x.dtype)
    for tap, outputs, pixels in taps(x.shape[2:], shape[1:3], kernel, stride, padding, dilation):
        col[:, *outputs, :, *tap] = x[:, :, *pixels].transpose(0, 2, 3, 1)
    return col.reshape(prod(shape[:3]), prod(shape[3:]))


def col2im(
    col: Array, x_shape: tuple[int, ...], kernel: Pair, stride: Pair = (1, 1),
    padding: Pads = NO_PADS, dilation: Pair = (1, 1),
) -> Array:  # fmt: skip
    """Return the adjoint of `im2col`: windows (N*OH*OW, C*KH*KW) added up into (N, C, H, W)."""
    shape = col_shape(x_shape, kernel, stride, padding, dilation)
    windows, x = col.reshape(shape), np.zeros(x_shape, col.dtype)
    for tap, outputs, pixels in taps(x_shape[2:], shape[1:3], kernel, stride, padding, dilation):
        x[:, :, *pixels] += windows[:, *outputs, :, *tap].transpose(0, 3, 1, 2)
    return x
