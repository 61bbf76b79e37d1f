"""Matrix products of linear layers, shared over threads."""

from __future__ import annotations

import numpy as np

from minigrad.kernels.columns import Array, pieces
from minigrad.kernels.threads import share, single_threaded_blas, threads_for

FEWEST_IN_BLAS = 9000  # multiply-adds, fewer than OpenBLAS would use threads for
SPEED = 2  # of products, to that of a convolution, by whose work threads are woken


def matmul(a: Array, b: Array) -> Array:
    """Return ``a @ b``, (M, K) or (K,) by (K, N), the longer side shared over threads if it pays.

    BLAS's own threads stay asleep (`single_threaded_blas`): with them, one product in six has other
    bits, and whether they may be awake would depend on what ran before.
    """
    if b.size * len(a) < FEWEST_IN_BLAS:
        return a @ b
    m, n, threads = len(a), b.shape[1], threads_for(b.size * len(a) // SPEED)
    if a.ndim == 1 or threads == 1:
        with single_threaded_blas:
            return a @ b
    out = np.empty((m, n), np.result_type(a, b))
    if m >= n:
        share(lambda rows: np.matmul(a[rows], b, out=out[rows]), pieces(m, m, threads))
    else:
        share(lambda part: np.matmul(a, b[:, part], out=out[:, part]), pieces(n, n, threads))
    return out
