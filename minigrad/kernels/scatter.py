"""The gradient of a convolution for images of few channels: products, added up tap by tap."""

from __future__ import annotations

from itertools import product as pairs
from math import prod

import numpy as np

from minigrad.kernels import blocks
from minigrad.kernels.columns import Array, Pads, Pair, overlap, pieces
from minigrad.kernels.products import product
from minigrad.kernels.threads import SHARED_WORK, get_num_threads, share


def scatter(g: Array, w: Array, dx: Array, stride: Pair, padding: Pads, dilation: Pair) -> None:
    """Write ``dx[n, c, r*sh + i*dh - top, ...] = sum w[o, c, i, j] * g[n, o, r, s]``.

    Some rows of ``w.T @ g`` at a time, (C*KH*KW, pixels), are added to where their taps came from.
    As a convolution, this would copy all channels of `g` KW times for a handful of results.
    """
    o, c, *kernel = w.shape
    matrix = np.ascontiguousarray(w.transpose(1, 2, 3, 0)).reshape(1, -1, o)
    grads, results = g.transpose(1, 2, 3, 0), dx.transpose(1, 2, 3, 0)
    n_rows, n_columns, n_images = grads.shape[1:]

    def work(images: slice) -> None:
        target = results[..., images]
        target[...] = 0
        row = matrix.shape[1] * n_columns * target.shape[3]
        for rows in pieces(n_rows, blocks.SUMS // max(1, row)):
            part = grads[:, rows, :, images]
            if part.dtype != dx.dtype or not part[0].flags.c_contiguous:
                own = blocks.scratch("window", part.shape, dx.dtype)
                blocks.assign(own, part)
                part = own
            shape = (1, 1, matrix.shape[1], prod(part.shape[1:]))
            columns = blocks.scratch("sums", shape, dx.dtype)
            product(matrix, part.reshape(1, 1, o, -1), columns)
            taps = columns.reshape(c, *kernel, *part.shape[1:])
            for i, j in pairs(*map(range, kernel)):
                top, left = i * dilation[0] - padding[0][0], j * dilation[1] - padding[1][0]
                oh, h = overlap(rows.start, rows.stop, stride[0], top, target.shape[1])
                ow, v = overlap(0, n_columns, stride[1], left, target.shape[2])
                here = slice(oh.start - rows.start, oh.stop - rows.start)
                target[:, h, v] += taps[:, i, j, here, ow]

    threads = get_num_threads() if prod(g.shape) * w[0].size >= SHARED_WORK else 1
    share(work, pieces(n_images, n_images, threads))
