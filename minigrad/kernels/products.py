"""Matrix products: shared over threads, and in tiles that OpenBLAS multiplies without packing.

To pack is to copy the operands into the order in which the inner loops read them. OpenBLAS leaves
that out where a product has at most a million multiply-adds and, if an operand is transposed, a
small result. The products of a convolution then run at over 100 GFLOP/s (float32, one AVX-512
core) and not at 40 to 90.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from minigrad.kernels.columns import Array, pieces
from minigrad.kernels.threads import share, single_threaded_blas, threads_for

UNPACKED = 1_000_000  # multiply-adds
SMALL_RESULT = 1200  # numbers, of a product with a transposed operand
# The most and the fewest rows of a tile, and its fewest columns: in less, calls cost too much.
ROWS, FEWEST_ROWS, FEWEST_COLUMNS = 16, 8, 64
FEWEST_IN_BLAS = 9000  # multiply-adds, fewer than OpenBLAS would use threads for


def _divisor(n: int, most: int) -> int:
    """Return the largest divisor of n that is at most `most`, or 1."""
    return next((d for d in range(min(n, most), 1, -1) if n % d == 0), 1)


def product(a: Array, b: Array, out: Array) -> Array:
    """Return ``a @ b``, (P, M, K) by (P, R, K, N), written to `out` (P, R, M, N), of dense rows."""
    p, m, k = a.shape
    r, n = b.shape[1], b.shape[3]
    rows, columns = tiles(m, n, k)
    if (rows, columns) == (m, n):
        return np.matmul(a[:, None], b, out=out)
    left = a.reshape(p, 1, m // rows, 1, rows, k)
    right = b.reshape(p, r, 1, k, n // columns, columns).swapaxes(3, 4)
    result = out.reshape(p, r, m // rows, rows, n // columns, columns).swapaxes(3, 4)
    np.matmul(left, right, out=result)
    return out


@cache
def tiles(m: int, n: int, k: int) -> tuple[int, int]:
    """Return rows and columns of a tile of ``a @ b`` for (m, k) and (k, n)."""
    columns = _divisor(n, UNPACKED // max(1, k * min(m, ROWS)))
    rows = _divisor(m, UNPACKED // max(1, k * columns))
    fine = columns >= min(n, FEWEST_COLUMNS) and rows >= min(m, FEWEST_ROWS)
    return (rows, columns) if fine else (m, n)


@cache
def transposed_tiles(m: int, n: int, k: int) -> tuple[int, int]:
    """Return rows and columns of a tile of ``a @ b.T`` for (m, k) and (n, k)."""
    small = min(SMALL_RESULT, UNPACKED // max(1, k))
    some = [(_divisor(m, small // c), c) for c in range(1, min(n, small) + 1) if n % c == 0]
    rows, columns = max(some, key=lambda tile: (min(tile), max(tile)), default=(0, 0))
    return (rows, columns) if rows >= min(m, FEWEST_ROWS) <= columns else (m, n)


def transposed_product(a: Array, b: Array, tile: tuple[int, int]) -> Array:
    """Return the sum over R of ``a @ b.T``, (P, R, M, K) by (P, R, N, K), in tiles (m, n).

    The result is (P, M/m, N/n, m, n).
    """
    left = a.reshape(*a.shape[:2], -1, 1, tile[0], a.shape[3])
    right = b.reshape(*b.shape[:2], 1, -1, tile[1], b.shape[3])
    result: Array = np.matmul(left, right.swapaxes(4, 5))
    return result[:, 0] if len(result[0]) == 1 else result.sum(1)


def from_tiles(tiles: Array) -> Array:
    """Return the result of `transposed_product` as a matrix (P, M, N)."""
    p, rows, columns, m, n = tiles.shape
    return tiles.transpose(0, 1, 3, 2, 4).reshape(p, rows * m, columns * n)


def matmul(a: Array, b: Array) -> Array:
    """Return ``a @ b``, (M, K) or (K,) by (K, N), the longer side shared over threads if it pays.

    BLAS's own threads stay asleep (`single_threaded_blas`).
    """
    if b.size * len(a) < FEWEST_IN_BLAS:
        return a @ b
    m, n, threads = len(a), b.shape[1], threads_for(b.size * len(a))
    if a.ndim == 1 or threads == 1:
        with single_threaded_blas:
            return a @ b
    out = np.empty((m, n), np.result_type(a, b))
    if m >= n:
        share(lambda some: np.matmul(a[some], b, out=out[some]), pieces(m, m, threads))
    else:
        share(lambda some: np.matmul(a, b[:, some], out=out[:, some]), pieces(n, n, threads))
    return out
