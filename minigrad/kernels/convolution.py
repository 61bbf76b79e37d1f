"""Convolution of plain arrays: its two gradients are convolutions too.

Arrays are (N, C, H, W). In memory, results have the batch innermost, that is (C, H, W, N): then
shifting images by a tap of the kernel moves long runs of memory, and a matrix product writes
straight into its place in the output. Inputs may have any layout.

A block is some output rows and columns of some images. Its input is unfolded along the kernel's
width only, ``unfolded[h, (j, c), (column, image)]``. The matrix that one output row multiplies is
then a *view*, the KH rows that its windows touch, so that a product per output row needs KW
copies of the block's input where im2col makes KH * KW copies of all of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import product
from math import gcd, prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.kernels.columns import NO_PADS, Array, Pads, Pair, output_size, overlap, pieces
from minigrad.kernels.memory import keep_freed_memory
from minigrad.kernels.threads import get_num_threads, share

Block = tuple[slice, slice, slice]  # output rows, output columns, images

# Most numbers in the unfolded input of a block (4 MiB of float32), of which each thread has one.
# Products read KH rows of it at a time, and those stay in the L2 cache; a larger block has fewer
# rows at its edge, which are unfolded twice.
BLOCK_SIZE = 1 << 20
# OpenBLAS multiplies matrices of up to 1e6 multiply-adds without packing them, and faster. Where
# that would leave rows of under 384 pixels they get 800, which pays for the packing.
UNPACKED, SHORT_ROW, LONG_ROW, LONGEST_ROW = 1_000_000, 384, 800, 2048
# Shorter rows than this are copied together into one matrix.
SHORTEST_ROW = 256
MOST_IMAGES = 256
# Fewer multiply-adds than this (about 0.1 ms) are not worth waking other threads for.
SHARED_WORK = 4_000_000

_local = threading.local()


def batch_innermost(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an uninitialised array of shape (N, C, H, W) that lies in memory as (C, H, W, N)."""
    return np.empty((*shape[1:], shape[0]), dtype).transpose(3, 0, 1, 2)


def _blocks(
    out_shape: tuple[int, ...], w_shape: tuple[int, ...], stride: int, dilation: int
) -> list[Block]:
    n, _, height, width = out_shape
    kernel_height, copies = w_shape[2], w_shape[1] * w_shape[3]
    pixels = UNPACKED // max(1, prod(w_shape))
    pixels = min(pixels, LONGEST_ROW) if pixels >= SHORT_ROW else LONG_ROW
    work = prod(out_shape) * prod(w_shape[1:])
    threads = get_num_threads() if work >= SHARED_WORK else 1
    blocks = []
    for images in pieces(n, MOST_IMAGES):
        count = images.stop - images.start
        for columns in pieces(width, pixels // count):
            row = max(1, copies) * count * (columns.stop - columns.start)
            rows = BLOCK_SIZE // row - (kernel_height - 1) * dilation
            parts = pieces(height, rows // stride, threads)
            blocks += [(rows, columns, images) for rows in parts]
    return blocks


def _scratch(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return this thread's one scratch array, uninitialised."""
    size = prod(shape) * dtype.itemsize
    if getattr(_local, "scratch", None) is None or _local.scratch.size < size:
        _local.scratch = np.empty(size, np.uint8)
    scratch: Array = _local.scratch[:size].view(dtype).reshape(shape)
    return scratch


def _turned(part: Array) -> Array:
    """Return `part` (C, H, W, N) with the batch innermost, so that later steps run through it."""
    return part if part.strides[3] == part.itemsize else np.ascontiguousarray(part)


def _matrices(
    x: Array, block: Block, kernel: Pair, stride: Pair, start: Pair, dilation: Pair,
    dtype: np.dtype[Any],
) -> Iterator[tuple[slice, Array]]:  # fmt: skip
    """Unfold `x` (C, H, W, N); yield output rows of `block` and their (KH*KW*C, pixels) matrix."""
    rows, columns, images = block
    (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
    n_rows, n_columns = rows.stop - rows.start, columns.stop - columns.start
    lines, pixels = kw * len(x), n_columns * (images.stop - images.start)
    height = (n_rows - 1) * sh + (kh - 1) * dh + 1
    unfolded = _scratch((height, kw, len(x), n_columns, images.stop - images.start), dtype)

    inside, h = overlap(0, height, 1, rows.start * sh - start[0], x.shape[1])
    unfolded[: inside.start] = unfolded[inside.stop :] = 0
    left = max(0, columns.start * sw - start[1])
    right = max(left, (columns.stop - 1) * sw + (kw - 1) * dw - start[1] + 1)
    part = _turned(x[:, h, left:right, images])
    for j in range(kw):
        o, w = overlap(0, n_columns, sw, columns.start * sw + j * dw - start[1], x.shape[2])
        to = unfolded[inside, j]
        to[:, :, : o.start] = to[:, :, o.stop :] = 0
        if o.stop > o.start:
            w = slice(w.start - left, w.stop - left, sw)
            to[:, :, o] = part[:, :, w].transpose(1, 0, 2, 3)

    flat = unfolded.reshape(height, lines, pixels)
    row, line, item = flat.strides
    windows = as_strided(flat, (kh, lines, n_rows, pixels), (row * dh, line, row * sh, item))
    for some in pieces(n_rows, SHORTEST_ROW // pixels):
        y = slice(rows.start + some.start, rows.start + some.stop)
        yield y, windows[:, :, some].reshape(kh * lines, -1)


def _as_matrix(block: Array) -> Array:
    """Return `block` (C, ...) as a matrix (C, pixels) that BLAS can read: a view if possible."""
    matrix = block.reshape(len(block), -1)
    along, across = matrix.strides
    fine = across == matrix.itemsize and along >= matrix.shape[1] * across
    return matrix if fine else np.ascontiguousarray(matrix)


def _correlate(
    x: Array, w: Array, out: Array, stride: Pair, start: Pair, dilation: Pair,
    bias: Array | None = None,
) -> None:  # fmt: skip
    """Write ``out[n, o, r, s] = sum w[o, c, i, j] * x[n, c, r*stride + i*dilation - start, ...]``.

    Pixels outside `x` are zero. `start` may be negative, `out` any strided view.
    """
    dtype = np.result_type(out.dtype, np.float32)
    matrix = w.transpose(0, 2, 3, 1).reshape(len(w), -1).astype(dtype, copy=False)
    geometry = (w.shape[2:], stride, start, dilation, dtype)
    images, results = x.transpose(1, 2, 3, 0), out.transpose(1, 2, 3, 0)

    def work(block: Block) -> None:
        for rows, columns in _matrices(images, block, *geometry):
            place = results[:, rows, *block[1:]]
            y = _as_matrix(place)
            direct = y.dtype == dtype and np.may_share_memory(y, out)
            y = np.matmul(matrix, columns, out=y if direct else None)
            if bias is not None:
                y += bias[:, None]
            if not direct:
                place[...] = y.reshape(place.shape)

    share(work, _blocks(out.shape, w.shape, stride[0], dilation[0]))


def _groups(groups: int, *channels: int) -> Iterator[tuple[slice, ...]]:
    """Yield, group by group, its slice of each number of channels."""
    yield from zip(*(pieces(c, c, groups) for c in channels), strict=True)


def conv2d(
    x: Array, w: Array, stride: Pair = (1, 1), padding: Pads = NO_PADS, dilation: Pair = (1, 1),
    groups: int = 1, bias: Array | None = None,
) -> Array:  # fmt: skip
    """Return the cross-correlation of images with filters.

    ``y[n, o, r, s] = bias[o] + sum_{c,i,j} w[o, c, i, j] * x[n, c, r*sh + i*dh, s*sw + j*dw]``
    on the zero-padded `x`. It is bilinear, and with its two gradients below a closed family: the
    gradients of each are the others.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    w : ndarray, shape (O, C // groups, KH, KW)
    padding : ((top, bottom), (left, right))
    bias : ndarray, shape (O,), optional

    Returns
    -------
    ndarray, shape (N, O, OH, OW)
        Of the common dtype of `x` and `w`; float16 is summed in float32.
    """
    keep_freed_memory()
    size = (output_size(x.shape[a + 2], w.shape[a + 2], stride[a], padding[a], dilation[a])
            for a in (0, 1))  # fmt: skip
    y = batch_innermost((len(x), len(w), *size), np.result_type(x, w))
    start = (padding[0][0], padding[1][0])
    for c, o in _groups(groups, x.shape[1], len(w)):
        b = None if bias is None else bias[o]
        _correlate(x[:, c], w[o], y[:, o], stride, start, dilation, b)
    return y


def _phase(a: int, kernel: int, stride: int, start: int, dilation: int) -> tuple[slice, int, int]:
    """Return the taps that reach pixels a, a + stride, ...: as a slice, their start, dilation."""
    step, spread = stride // gcd(stride, dilation), dilation // gcd(stride, dilation)
    for first in range(min(step, kernel)):
        reach, rest = divmod(a + start - first * dilation, stride)
        if rest == 0:
            used = slice(first, None, step)
            return used, (len(range(kernel)[used]) - 1) * spread - reach, spread
    return slice(0), 0, 1


def conv2d_input_gradient(
    g: Array, w: Array, x_shape: tuple[int, ...], stride: Pair = (1, 1), padding: Pads = NO_PADS,
    dilation: Pair = (1, 1), groups: int = 1,
) -> Array:  # fmt: skip
    """Return the gradient of `conv2d` for its input, which is a transposed convolution.

    ``dx[n, c, h, v] = sum w[o, c, i, j] * g[n, o, r, s]`` over r*sh + i*dh - top = h, and likewise
    across. The pixels h = a, a + sh, a + 2*sh, ... meet only every (sh / gcd(sh, dh))-th tap: so
    each of the sh * sw phases is a convolution of `g`, of stride 1, with some taps, flipped. That
    multiplies nothing by an inserted zero and writes each pixel once.

    Parameters
    ----------
    g : ndarray, shape (N, O, OH, OW)
    w : ndarray, shape (O, C // groups, KH, KW)
    x_shape : (N, C, H, W)

    Returns
    -------
    ndarray, shape (N, C, H, W)
    """
    dx = batch_innermost(x_shape, np.result_type(g, w))
    for a, b in product(range(stride[0]), range(stride[1])):
        rows, top, dh = _phase(a, w.shape[2], stride[0], padding[0][0], dilation[0])
        columns, left, dw = _phase(b, w.shape[3], stride[1], padding[1][0], dilation[1])
        kernel = w[:, :, rows, columns][:, :, ::-1, ::-1].swapaxes(0, 1)
        target = dx[:, :, a :: stride[0], b :: stride[1]]
        if not kernel.size:
            target[...] = 0
            continue
        for c, o in _groups(groups, x_shape[1], len(w)):
            _correlate(g[:, o], kernel[:, o], target[:, c], (1, 1), (top, left), (dh, dw))
    return dx


def conv2d_weight_gradient(
    g: Array, x: Array, w_shape: tuple[int, ...], stride: Pair = (1, 1), padding: Pads = NO_PADS,
    dilation: Pair = (1, 1), groups: int = 1,
) -> Array:  # fmt: skip
    """Return the gradient of `conv2d` for its filters.

    ``dw[o, c, i, j] = sum_{n,r,s} g[n, o, r, s] * x[n, c, r*sh + i*dh, s*sw + j*dw]`` on the
    zero-padded `x`.

    Parameters
    ----------
    g : ndarray, shape (N, O, OH, OW)
    x : ndarray, shape (N, C, H, W)
    w_shape : (O, C // groups, KH, KW)

    Returns
    -------
    ndarray, shape (O, C // groups, KH, KW)
    """
    dw = np.empty(w_shape, np.result_type(g, x))
    dtype = np.result_type(dw, np.float32)
    kernel, start = (w_shape[2], w_shape[3]), (padding[0][0], padding[1][0])
    geometry = (kernel, stride, start, dilation, dtype)
    blocks = _blocks(g.shape, (len(dw) // groups, *w_shape[1:]), stride[0], dilation[0])
    lanes = [blocks[lane] for lane in pieces(len(blocks), len(blocks), get_num_threads())]
    for c, o in _groups(groups, x.shape[1], len(dw)):
        images, grads = x[:, c].transpose(1, 2, 3, 0), g[:, o].transpose(1, 2, 3, 0)

        def work(lane: list[Block], images: Array = images, grads: Array = grads) -> Array:
            total = np.zeros((prod(w_shape[1:]), len(grads)), dtype)
            part = np.empty_like(total)
            for block in lane:
                here, first = _turned(grads[:, *block]), block[0].start
                for rows, columns in _matrices(images, block, *geometry):
                    grad = _as_matrix(here[:, rows.start - first : rows.stop - first])
                    total += np.matmul(columns, grad.T.astype(dtype, copy=False), out=part)
            return total

        total = np.asarray(sum(share(work, lanes), np.zeros((), dtype)))
        by_tap = (*kernel, w_shape[1], -1)
        dw[o] = total.reshape(by_tap).transpose(3, 2, 0, 1) if lanes else 0
    return dw
