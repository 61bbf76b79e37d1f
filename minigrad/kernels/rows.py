"""What is done along the last axis, a block of rows at a time: softmax and its logarithm.

Sums along rows are products with ones, which take a third of the time of `sum`. Results are arrays
of their own, not views of matrices: the sweep copies a view that becomes a leaf's gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.kernels.columns import Array, pieces
from minigrad.kernels.passes import SHARED
from minigrad.kernels.products import FEWEST_IN_BLAS
from minigrad.kernels.threads import get_num_threads, share, single_threaded_blas

BLOCK = 1 << 20  # bytes: in smaller ones the short loops over rows cost more than a cache saves
# Exponentials of values between these need no shift: no sum of theirs overflows or vanishes, and
# the largest value of each row need not be found, which takes as long as the exponentials.
LARGEST, SMALLEST_SUM = 60, 1e-8


def in_rows(work: Callable[..., Any], *arrays: Array) -> list[Any]:
    """Call `work` on blocks of rows of matrices of as many rows; return what it returned.

    BLAS is held to one thread: two took up to fifty times as long for the product of a vector
    where another program kept a core busy.
    """
    rows, columns = arrays[0].shape[0], max([x.shape[-1] for x in arrays if x.ndim == 2])
    numbers, threads = rows * columns, get_num_threads()
    count = max(1, -(-numbers * arrays[0].itemsize // BLOCK))
    if numbers < FEWEST_IN_BLAS or count == threads == 1:
        return [work(*arrays)]

    def run(some: slice) -> Any:
        return work(*[x[some] for x in arrays])

    if numbers >= SHARED:
        return share(run, pieces(rows, rows, count + -count % threads))  # as many for each
    with single_threaded_blas:
        return [run(some) for some in pieces(rows, rows, count)]


def matrix(x: Array) -> Array:
    """Return `x` (..., n) as a matrix of rows, in float32 at least."""
    wide = np.ascontiguousarray(x, np.result_type(x, np.float32))
    return wide.reshape(-1, x.shape[-1]) if x.size else wide.reshape(0, max(1, x.shape[-1]))


def exponentials(x: Array, e: Array) -> tuple[Array, Array | float]:
    """Write exp(x - shift) to `e`; return the sums of its rows, and the shift of each."""
    ones = np.ones(x.shape[1], x.dtype)
    if x.max() <= LARGEST:
        total = np.exp(x, out=e) @ ones
        if total.min() >= SMALLEST_SUM:
            return total, 0.0
    top = x.max(axis=1)
    top[~np.isfinite(top)] = 0
    np.subtract(x, top[:, None], out=e)
    return np.exp(e, out=e) @ ones, top


def softmax(x: Array) -> Array:
    """Return exp(x) / sum(exp(x)) along the last axis; NaN where all are -inf."""
    a = matrix(x)
    y = np.empty(x.shape, a.dtype)

    def work(a: Array, y: Array) -> None:
        total, _ = exponentials(a, y)
        y *= (1 / total)[:, None]

    in_rows(work, a, matrix(y))
    return y.astype(np.result_type(x, np.float16), copy=False)


def softmax_gradient(g: Array, y: Array) -> Array:
    """Return y (g - sum(g y)) along the last axis."""
    a, b = matrix(g), matrix(y)
    d = np.empty(g.shape, b.dtype)

    def work(g: Array, y: Array, d: Array) -> None:
        np.subtract(g, np.vecdot(g, y)[:, None], out=d)
        d *= y

    in_rows(work, a, b, matrix(d))
    return d.astype(y.dtype, copy=False)


def log_softmax(x: Array) -> tuple[Array, Array]:
    """Return x - log(sum(exp(x))) along the last axis, and the softmax."""
    a = matrix(x)
    y, p = np.empty(x.shape, a.dtype), np.empty(x.shape, a.dtype)

    def work(a: Array, y: Array, p: Array) -> None:
        total, top = exponentials(a, p)
        p *= (1 / total)[:, None]
        if isinstance(top, float):
            np.subtract(a, np.log(total)[:, None], out=y)
        else:  # the shift first: it may be large
            np.subtract(a, top[:, None], out=y)
            y -= np.log(total)[:, None]

    in_rows(work, a, matrix(y), matrix(p))
    kind = np.result_type(x, np.float16)
    return y.astype(kind, copy=False), p.astype(kind, copy=False)


def log_softmax_gradient(g: Array, p: Array) -> Array:
    """Return g - p sum(g) along the last axis."""
    a, b = matrix(g), matrix(p)
    d = np.empty(g.shape, b.dtype)

    def work(g: Array, p: Array, d: Array) -> None:
        np.multiply(p, (g @ np.full(g.shape[1], -1, g.dtype))[:, None], out=d)
        d += g

    in_rows(work, a, b, matrix(d))
    return d.astype(p.dtype, copy=False)


def logsumexp(x: Array) -> Array:
    """Return log(sum(exp(x))) along the last axis; -inf where all are."""
    a = matrix(x)
    y = np.empty(len(a), a.dtype)

    def work(a: Array, y: Array) -> None:
        total, top = exponentials(a, np.empty_like(a))
        with np.errstate(divide="ignore"):
            np.log(total, out=y)
        y += top

    in_rows(work, a, y)
    return y.reshape(x.shape[:-1]).astype(np.result_type(x, np.float16), copy=False)


def logsumexp_gradient(g: Array, y: Array, x: Array) -> Array:
    """Return g exp(x - y), with g and y of one value for each row of x.

    Divided by the sum of the row, which is 1 only as exactly as y is rounded.
    """
    a = matrix(x)
    d = np.empty(x.shape, a.dtype)

    def work(a: Array, d: Array, g: Array, y: Array) -> None:
        np.subtract(a, y[:, None], out=d)
        np.exp(d, out=d)
        d *= (g / d.sum(axis=1))[:, None]

    in_rows(work, a, matrix(d), g.reshape(-1).astype(a.dtype), y.reshape(-1).astype(a.dtype))
    return d.astype(x.dtype, copy=False)
