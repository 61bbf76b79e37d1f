"""Convolution of plain arrays: its two gradients are convolutions too.

Arrays are (N, C, H, W). In memory, results have the batch innermost, that is (C, H, W, N): then
shifting images by a tap of the kernel moves long runs of memory, and a matrix product writes
straight into its place in the output. Inputs may have any layout. Work proceeds in blocks
(blocks.py), shared over threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product as pairs
from math import gcd, prod
from typing import Any

import numpy as np

from minigrad.kernels.blocks import Block, Plan, blocks_of, by_matrix, innermost, longest_row
from minigrad.kernels.columns import NO_PADS, Array, Pads, Pair, output_size, pieces
from minigrad.kernels.lowering import lowering
from minigrad.kernels.memory import keep_freed_memory
from minigrad.kernels.products import from_tiles, product, transposed_product, transposed_tiles
from minigrad.kernels.scatter import scatter
from minigrad.kernels.threads import get_num_threads, share

# So many filters for each channel and row of the kernel make the input's gradient cheaper to
# scatter than to correlate.
SCATTERED = 2


def batch_innermost(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an uninitialised array of shape (N, C, H, W) that lies in memory as (C, H, W, N)."""
    return np.empty((*shape[1:], shape[0]), dtype).transpose(3, 0, 1, 2)


def _correlate(
    x: Array, w: Array, out: Array, stride: Pair, start: Pair, dilation: Pair,
    bias: Array | None = None,
) -> None:  # fmt: skip
    """Write ``out[n, o, r, s] = sum w[o, c, i, j] * x[n, c, r*stride + i*dilation - start, ...]``.

    Pixels outside `x` are zero. `start` may be negative, `out` any strided view.
    """
    dtype = np.result_type(out.dtype, np.float32)
    way = lowering(len(x), out.shape[3], w.shape, stride[1], dilation[1], out.dtype)
    plan = Plan(way, len(w), w.shape[2], stride, start, dilation[0], dtype)
    filters = way.filters(w.astype(dtype, copy=False))
    images, results = x.transpose(1, 2, 3, 0), out.transpose(1, 2, 3, 0)

    def work(block: Block) -> None:
        for rows, matrices in plan.matrices(images, block):
            y = results[:, rows, *block[1:]]
            sums = plan.sums(y)
            product(filters, matrices, by_matrix(sums, matrices))
            way.outputs(sums, y, bias)

    share(work, blocks_of(way, out.shape, w.shape, stride[0], dilation[0]))


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
    if dx.dtype.itemsize >= 4 and SCATTERED * prod(w.shape[1:3]) * groups <= len(w):
        for c, o in _groups(groups, x_shape[1], len(w)):
            scatter(g[:, o], w[o].astype(dx.dtype, copy=False), dx[:, c], stride, padding, dilation)
        return dx
    for a, b in pairs(range(stride[0]), range(stride[1])):
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
    dw = np.zeros(w_shape, np.result_type(g, x))
    dtype = np.result_type(dw, np.float32)
    start, some = (padding[0][0], padding[1][0]), (len(dw) // groups, *w_shape[1:])
    way = lowering(len(x), g.shape[3], some, stride[1], dilation[1], dw.dtype)
    plan = Plan(way, some[0], w_shape[2], stride, start, dilation[0], dtype)
    blocks = blocks_of(way, g.shape, some, stride[0], dilation[0])
    lanes = [blocks[lane] for lane in pieces(len(blocks), len(blocks), get_num_threads())]
    m, n = w_shape[2] * way.lines(w_shape[1]), some[0]
    tile = transposed_tiles(m, n, longest_row(way, blocks))
    for c, o in _groups(groups, x.shape[1], len(dw)):
        images, grads = x[:, c].transpose(1, 2, 3, 0), g[:, o].transpose(1, 2, 3, 0)

        def work(lane: list[Block], images: Array = images, grads: Array = grads) -> Array:
            total = np.zeros((way.products, m // tile[0], n // tile[1], *tile), dtype)
            for block in lane:
                for rows, matrices in plan.matrices(images, block):
                    here = innermost(grads[:, rows, *block[1:]])
                    sums = plan.sums(here)
                    way.outputs_gradient(here, sums)
                    total += transposed_product(matrices, by_matrix(sums, matrices), tile)
            return total

        if lanes:
            dw[o] = way.filters_gradient(from_tiles(np.add.reduce(share(work, lanes))), some)
    return dw
