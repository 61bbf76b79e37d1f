"""Convolution of plain arrays: its two gradients are convolutions too.

Arrays are (N, C, H, W). In memory, results have the batch innermost, that is (C, H, W, N): then
shifting images by a tap of the kernel moves long runs of memory, and a matrix product writes
straight into its place in the output. Inputs may have any layout. Work proceeds in blocks
(unfolding.py), shared over threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product as pairs
from math import gcd, prod

import numpy as np
from numpy.typing import DTypeLike

from minigrad.kernels.columns import NO_PADS, Array, Pads, Pair, output_size, pieces
from minigrad.kernels.depthwise import (
    batch_is_innermost,
    depthwise,
    depthwise_input_gradient,
    depthwise_weight_gradient,
)
from minigrad.kernels.scatter import scatter, scatter_pays
from minigrad.kernels.threads import get_num_threads, share
from minigrad.kernels.tiles import products, sum_of_products
from minigrad.kernels.turning import turned
from minigrad.kernels.unfolding import Block, Window, as_matrices, blocks_of, matrices_of


def batch_innermost(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Return an uninitialised array of shape (N, C, H, W) that lies in memory as (C, H, W, N)."""
    return np.empty((*shape[1:], shape[0]), dtype).transpose(3, 0, 1, 2)


def _correlate(x: Array, w: Array, out: Array, window: Window, bias: Array | None = None) -> None:
    """Write the sum of ``w[o, c, i, j] * x[n, c, ...]`` over each window, and `bias`, to `out`.

    `out` (N, O, OH, OW) may be any strided view.
    """
    dtype = np.result_type(out.dtype, np.float32)
    filters = w.astype(dtype, copy=False).transpose(0, 2, 3, 1).reshape(len(w), -1)

    def work(block: Block) -> None:
        part = block.of(out)
        in_place = part.dtype == dtype and part[0].flags.c_contiguous
        y = part if in_place else np.empty(part.shape, dtype)
        matrices = matrices_of(x, window, block, out.shape[3], dtype)
        products(filters, matrices, as_matrices(y, len(matrices)))
        if bias is not None:
            y += bias[:, None, None, None]
        if not in_place:
            part[...] = y

    share(work, blocks_of(window, x.shape[1], out.shape))


def _filters_gradient(x: Array, g: Array, window: Window, dtype: np.dtype[np.generic]) -> Array:
    """Return the sum of ``g[n, o, r, s] * x[n, c, ...]`` over outputs, (O, C, KH, KW)."""
    o, c = g.shape[1], x.shape[1]
    zeros = np.zeros((prod(window.kernel) * c, o), dtype)

    def of_block(block: Block) -> Array:  # its matrices are freed before the next are made
        matrices = matrices_of(x, window, block, g.shape[3], dtype)
        return sum_of_products(matrices, as_matrices(turned(block.of(g)), len(matrices)))

    # Each thread adds up blocks in their order, so a setting always gives the same bits.
    blocks = blocks_of(window, c, g.shape)
    lanes = [blocks[part] for part in pieces(len(blocks), len(blocks), get_num_threads())]
    total = sum(share(lambda lane: sum(map(of_block, lane), start=zeros), lanes), start=zeros)
    return total.reshape(*window.kernel, c, o).transpose(3, 2, 0, 1)


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
    size = (output_size(x.shape[a + 2], w.shape[a + 2], stride[a], padding[a], dilation[a])
            for a in (0, 1))  # fmt: skip
    shape, dtype = (len(x), len(w), *size), np.result_type(x, w)
    if groups > 1 and w.shape[1] == 1:
        y = batch_innermost(shape, dtype) if batch_is_innermost(x) else np.empty(shape, dtype)
        depthwise(x, w, y, bias, (stride, padding, dilation))
        return y
    y = batch_innermost(shape, dtype)
    window = Window(w.shape[2:], stride, (padding[0][0], padding[1][0]), dilation)
    for c, o in _groups(groups, x.shape[1], len(w)):
        _correlate(x[:, c], w[o], y[:, o], window, None if bias is None else bias[o])
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
    if groups > 1 and w.shape[1] == 1:
        dx = dx if batch_is_innermost(g) else np.empty(x_shape, dx.dtype)
        depthwise_input_gradient(g, w, dx, (stride, padding, dilation))
        return dx
    if scatter_pays(w.shape, groups, dx.dtype):
        for c, o in _groups(groups, x_shape[1], len(w)):
            scatter(g[:, o], w[o], dx[:, c], stride, padding, dilation)
        return dx
    for a, b in pairs(range(stride[0]), range(stride[1])):
        rows, top, dh = _phase(a, w.shape[2], stride[0], padding[0][0], dilation[0])
        columns, left, dw = _phase(b, w.shape[3], stride[1], padding[1][0], dilation[1])
        kernel = w[:, :, rows, columns][:, :, ::-1, ::-1].swapaxes(0, 1)
        target = dx[:, :, a :: stride[0], b :: stride[1]]
        if not kernel.size or not target.size:
            target[...] = 0
            continue
        window = Window(kernel.shape[2:], (1, 1), (top, left), (dh, dw))
        for c, o in _groups(groups, x_shape[1], len(w)):
            _correlate(g[:, o], kernel[:, o], target[:, c], window)
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
    if groups > 1 and w_shape[1] == 1:
        depthwise_weight_gradient(g, x, dw, (stride, padding, dilation))
        return dw
    dtype = np.result_type(dw, np.float32)
    window = Window((w_shape[2], w_shape[3]), stride, (padding[0][0], padding[1][0]), dilation)
    for c, o in _groups(groups, x.shape[1], len(dw)):
        dw[o] = _filters_gradient(x[:, c], g[:, o], window, dtype)
    return dw
