"""Matrices cut into tiles that OpenBLAS multiplies without packing.

To pack is to copy the operands into the order in which the inner loops read them. OpenBLAS's
kernels for AVX-512 leave that out where a product has at most a million multiply-adds and, if an
operand is transposed, a small result.

What it gains, on one core of an AMD EPYC (Zen 5): with those kernels 16 channels to 16 take 0.77
of the time forward and 0.85 for the filters' gradient, the first layer of the book's SimpleConvNet
0.6 and 0.5, its whole step 0.9. OpenBLAS's kernels for AVX2 pack everything and lose 5 to 10 % by
it, so they get no tiles.
"""

from __future__ import annotations

import numpy as np

from minigrad.kernels.columns import Array, pieces
from minigrad.kernels.threads import blas_kernels

AVX_512 = {"SkylakeX", "Cooperlake", "SapphireRapids"}
UNPACKED = 1_000_000 if blas_kernels() in AVX_512 else 0  # multiply-adds
SMALL_RESULT = 1200  # numbers
# The fewest rows and columns of a tile: with fewer, calls cost more than packing.
FEWEST_ROWS, FEWEST_COLUMNS = 64, 100
MOST_PRODUCTS = 1 << 20  # numbers that wait to be added up


def _tiles(n: int, most: int, fewest: int) -> int:
    """Return into how many equal tiles of at most `most` to cut n; 1 if they had too few."""
    counts = range(-(-n // max(1, most)), n // fewest + 1)
    return next((count for count in counts if n % count == 0), 1)


def products(a: Array, b: Array, out: Array) -> None:
    """Write ``a @ b``, (O, K) by (rows, K, pixels), to `out`, (rows, O, pixels)."""
    tiles = _tiles(b.shape[2], UNPACKED // a.size, FEWEST_COLUMNS)
    b, out = (m.reshape(*m.shape[:2], tiles, -1).swapaxes(1, 2) for m in (b, out))
    np.matmul(a, b, out=out)


def sum_of_products(a: Array, b: Array) -> Array:
    """Return the sum over rows of ``a @ b.T``, (rows, K, pixels) by (rows, O, pixels)."""
    (rows, k, pixels), o = a.shape, b.shape[1]
    down = _tiles(k, SMALL_RESULT // o, FEWEST_ROWS) if UNPACKED else 1
    along = _tiles(pixels, UNPACKED // (k // down * o), 2 * FEWEST_COLUMNS)
    a = a.reshape(rows, down, k // down, along, -1).swapaxes(2, 3)
    b = b.reshape(rows, 1, o, along, -1).transpose(0, 1, 3, 4, 2)
    total = np.zeros((k, o), np.result_type(a, b))
    for part in pieces(rows, MOST_PRODUCTS // (along * k * o)):
        total += (a[part] @ b[part]).sum((0, 2)).reshape(k, o)
    return total
