"""The gradient of a convolution for images of few channels: products, added up tap by tap."""

from __future__ import annotations

from math import prod

import numpy as np

from minigrad.kernels import blocks
from minigrad.kernels.columns import Array, Pads, Pair, pieces, taps
from minigrad.kernels.products import product
from minigrad.kernels.threads import share, threads_for


def scatter(g: Array, w: Array, dx: Array, stride: Pair, padding: Pads, dilation: Pair) -> None:
    """Write ``dx[n, c, r*sh + i*dh - top, ...] = sum w[o, c, i, j] * g[n, o, r, s]``.

    Some rows of ``w.T @ g`` at a time, (C*KH*KW, pixels), are added to where their taps came from.
    As a convolution, this would copy all channels of `g` KW times for a handful of results.
    """
    o, c, kh, kw = w.shape
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
            windows = columns.reshape(c, kh, kw, *part.shape[1:])
            above = (padding[0][0] - rows.start * stride[0], 0), padding[1]
            geometry = (target.shape[1:3], part.shape[1:3], (kh, kw), stride, above, dilation)
            for tap, outputs, pixels in taps(*geometry):
                target[:, *pixels] += windows[:, *tap, *outputs]

    share(work, pieces(n_images, n_images, threads_for(g.size * w[0].size)))
