"""Images as matrices, a block of outputs at a time, unfolded along the kernel's width alone.

A block is a few output rows of a few images. Its input is copied once for each column of the
kernel. The matrix that one row of outputs is a product of is then a *view* of the KH rows that its
windows touch: im2col would make KH copies of it.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.kernels.columns import Array, Pair, overlap, pieces
from minigrad.kernels.threads import threads_for
from minigrad.kernels.turning import turned

# A thread has at most so many numbers of unfolded input at a time, and of outputs: 4 MiB of
# float32. Rows at the edge of a block are unfolded for the next one too, so smaller blocks do more
# work; larger ones leave the cache.
BLOCK_SIZE = 1 << 20
# Rows of fewer outputs are copied into one matrix: a product of so few columns is slow.
SHORTEST_ROW = 32


class Window(NamedTuple):
    """Which pixels an output reads.

    Row r reads rows ``r*stride + i*dilation - start`` for i < kernel, and so across. Pixels outside
    the image are zero; `start` may be negative.
    """

    kernel: Pair
    stride: Pair
    start: Pair
    dilation: Pair


class Block(NamedTuple):
    """A few output rows of a few images."""

    rows: slice
    images: slice

    def of(self, y: Array) -> Array:
        """Return the block's part of outputs (N, O, OH, OW) as (O, rows, OW, images)."""
        return y[self.images, :, self.rows].transpose(1, 2, 3, 0)


def blocks_of(window: Window, channels: int, out_shape: tuple[int, ...]) -> list[Block]:
    """Return the blocks of outputs (N, O, OH, OW), several even of few where threads share them."""
    n, filters, height, width = out_shape
    (kh, kw), stride, _, dilation = window
    weights = channels * kh * kw
    threads = threads_for(prod(out_shape) * weights)
    blocks = []
    # The outputs of all images are written in place, those of a part through a copy: so images are
    # parted only where one row of outputs would take two blocks.
    for images in pieces(n, 2 * BLOCK_SIZE // max(1, width * weights)):
        pixels = width * (images.stop - images.start)
        copies = weights if _in_one(window, pixels) else channels * kw  # of each pixel
        numbers = max(1, pixels * max(filters, copies))
        rows = (BLOCK_SIZE // numbers - (kh - 1) * dilation[0]) // stride[0]
        blocks += [Block(part, images) for part in pieces(height, rows, threads)]
    return blocks


def _in_one(window: Window, pixels: int) -> bool:
    """Tell whether a block's rows, of so many outputs each, are copied into one matrix."""
    return pixels < SHORTEST_ROW or window.dilation[0] > 1


def matrices_of(
    x: Array, window: Window, block: Block, width: int, dtype: np.dtype[np.generic]
) -> Array:
    """Return the matrices (rows, KH*KW*C, pixels) that a block of outputs is a product of.

    `x` is (N, C, H, W), and `width` that of the outputs. The rows are views of one memory, or
    all in one matrix.
    """
    unfolded = _unfold(x, window, block, width, dtype)
    (kh, _), stride, _, dilation = window
    count, pixels = block.rows.stop - block.rows.start, unfolded.shape[2]
    row, *inner = unfolded.strides
    windows = as_strided(
        unfolded,
        (count, kh, *unfolded.shape[1:]),
        (row * stride[0], row * dilation[0], *inner),
    )
    if _in_one(window, pixels):
        windows = windows.transpose(1, 2, 0, 3)[None]
        count, pixels = 1, count * pixels
    return windows.reshape(count, -1, pixels)


def _unfold(
    x: Array, window: Window, block: Block, width: int, dtype: np.dtype[np.generic]
) -> Array:
    """Return the rows (H, KW*C, pixels) of `x` that a block reads, once for each kernel column."""
    (kh, kw), stride, start, dilation = window
    rows, images = block
    height = (rows.stop - rows.start - 1) * stride[0] + (kh - 1) * dilation[0] + 1
    inside, h = overlap(0, height, 1, rows.start * stride[0] - start[0], x.shape[2])
    image = turned(x[images, :, h].transpose(2, 1, 3, 0))
    unfolded = np.empty((height, kw, x.shape[1], width, image.shape[3]), dtype)
    unfolded[: inside.start] = unfolded[inside.stop :] = 0
    for j in range(kw):
        across, w = overlap(0, width, stride[1], j * dilation[1] - start[1], x.shape[3])
        shifted = unfolded[inside, j]
        shifted[:, :, : across.start] = shifted[:, :, across.stop :] = 0
        shifted[:, :, across] = image[:, :, w]
    return unfolded.reshape(height, kw * x.shape[1], -1)


def as_matrices(part: Array, count: int) -> Array:
    """Return outputs (O, rows, OW, n) as so many matrices (O, pixels), views of contiguous ones."""
    return part.reshape(len(part), count, -1).swapaxes(0, 1)
