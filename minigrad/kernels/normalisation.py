"""Normalisation of plain arrays: of each row (layer norm) and of each channel (batch norm).

Sums are products with ones, or with the weight, which take a third of the time of `sum`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import gcd
from typing import Any

import numpy as np

from minigrad.kernels.columns import Array, pieces
from minigrad.kernels.passes import BLOCK, SHARED
from minigrad.kernels.products import matmul
from minigrad.kernels.rows import in_rows, matrix
from minigrad.kernels.threads import get_num_threads, share

LONG = 1024  # numbers: loops of so many cost little to start


def with_row(function: Callable[..., Any], x: Array, row: Array, out: Array) -> None:
    """Write function(x, row) to `out`, several rows at a time.

    For 4,096 rows of 64 this takes two thirds of the time, as NumPy starts fewer inner loops.
    """
    rows, n = x.shape
    together = gcd(rows, LONG // n) if rows > 256 and 0 < n < LONG else 1
    if together > 1 and x.flags.c_contiguous and out.flags.c_contiguous:
        shape = rows // together, together * n
        x, out, row = (
            x.reshape(shape),
            out.reshape(shape),
            row[None].repeat(together, 0).reshape(-1),
        )
    function(x, row, out=out)


def layer_norm(
    x: Array, weight: Array | None, bias: Array | None, eps: float, centred: bool
) -> tuple[Array, tuple[Array, Array]]:
    """Return (x - mean) / sqrt(var + eps) weight + bias for each row of x (..., n).

    With it, for each row, the mean and 1 / sqrt(var + eps). Not `centred`, the mean counts as 0.
    """
    a = matrix(x)
    (rows, n), y = a.shape, np.empty(x.shape, a.dtype)
    mean, inverse, ones = np.zeros(rows, a.dtype), np.empty(rows, a.dtype), np.ones(n, a.dtype)

    def work(x: Array, y: Array, mean: Array, inverse: Array) -> None:
        from_mean = x
        if centred:
            np.matmul(x, ones, out=mean)
            mean /= n
            from_mean = np.subtract(x, mean[:, None], out=y)
        np.vecdot(from_mean, from_mean, out=inverse)
        inverse /= n
        inverse += eps
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        np.multiply(from_mean, inverse[:, None], out=y)
        if weight is not None:
            with_row(np.multiply, y, weight, y)
        if bias is not None:
            with_row(np.add, y, bias, y)

    in_rows(work, a, matrix(y), mean, inverse)
    return y.astype(np.result_type(x, np.float16), copy=False), (mean, inverse)


def layer_norm_gradients(
    g: Array, x: Array, weight: Array | None, mean: Array, inverse: Array, centred: bool
) -> tuple[Array, ...]:
    """Return the gradients of x, the weight and the bias of `layer_norm`."""
    a, upstream = matrix(x), matrix(g)
    (rows, n), dx = a.shape, np.empty(x.shape, a.dtype)
    ones, weighted = np.ones(rows, a.dtype), np.ones(n, a.dtype) if weight is None else weight

    def work(g: Array, x: Array, mean: Array, inverse: Array, dx: Array) -> tuple[Any, Any]:
        from_mean = np.subtract(x, mean[:, None], out=dx) if centred else x
        scratch = g * from_mean
        sums = inverse @ scratch, ones[: len(g)] @ g
        slope, shift = scratch @ weighted, g @ weighted
        slope *= inverse * inverse / n
        shift /= n
        np.multiply(from_mean, slope[:, None], out=dx)
        if weight is None:
            np.subtract(g, dx, out=dx)
        else:
            with_row(np.multiply, g, weight, scratch)
            np.subtract(scratch, dx, out=dx)
        if centred:
            dx -= shift[:, None]
        dx *= inverse[:, None]
        return sums

    sums = in_rows(work, upstream, a, mean, inverse, matrix(dx))
    dw, db = (reduce(np.add, parts) for parts in zip(*sums, strict=True))
    return tuple(d.astype(g.dtype, copy=False) for d in (dx, dw, db))


# ------------------------------------------------------------------------------ batch normalisation
def by_channel(x: Array) -> Array:
    """Return `x` (N, C, ...) as (C, A, B): a view, if it is dense with the batch out- or inmost."""
    turned = x.transpose(*range(1, x.ndim), 0)
    if turned.flags.c_contiguous and not x.flags.c_contiguous:
        return turned.reshape(x.shape[1], 1, -1)
    return x.reshape(*x.shape[:2], -1).swapaxes(0, 1)


def _total(x: Array) -> Array:
    """Sum `x` (C, A, B) over all but the channels."""
    total: Array = x.sum(axis=2) @ np.ones(x.shape[1], x.dtype)
    return total


def batch_norm(x: Array, y: Array, weight: Array, bias: Array, eps: float) -> tuple[Array, Array]:
    """Write `x` (C, A, B), normalised, to `y`; return mean and variance of each channel."""
    n = x[0].size
    mean, var = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)

    def work(some: slice) -> None:
        part, out = x[some], y[some]
        mean[some] = m = _total(part) / n
        np.subtract(part, m[:, None, None], out=out)
        var[some] = v = np.vecdot(out, out).sum(axis=1) / n
        out *= (weight[some] * (v + eps) ** -0.5)[:, None, None]
        out += bias[some, None, None]

    _over_channels(work, x)
    return mean, var


def batch_norm_gradients(
    g: Array, x: Array, dx: Array, weight: Array, mean: Array, inverse: Array
) -> tuple[Array, Array]:
    """Write the gradient of `x` (C, A, B) to `dx`; return those of the weight and the bias."""
    n = x[0].size
    sum_g, sum_gx = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)

    def work(some: slice) -> None:
        part, out, inv = g[some], dx[some], inverse[some]
        scale = weight[some] * inv
        np.subtract(x[some], mean[some, None, None], out=out)
        sum_g[some] = s = _total(part)
        sum_gx[some] = sx = np.vecdot(part, out).sum(axis=1) * inv
        out *= (-scale * inv * sx / n)[:, None, None]
        out -= (scale * s / n)[:, None, None]
        out += part * scale[:, None, None]

    _over_channels(work, x)
    return sum_gx, sum_g


def _over_channels(work: Callable[[slice], None], x: Array) -> None:
    """Do some channels at a time, as many as stay in the cache."""
    blocks = pieces(len(x), max(1, BLOCK // max(1, x[0].nbytes)))
    if x.size < SHARED or get_num_threads() == 1:
        for some in blocks:
            work(some)
    else:
        share(work, blocks)


def batch_norm_rows(
    x: Array, y: Array, weight: Array, bias: Array, eps: float
) -> tuple[Array, Array]:
    """Do the same for `x` (N, C), whose sums are products with ones."""
    ones, n = np.ones(len(x), x.dtype), len(x)
    mean = matmul(ones, x)
    mean /= n
    with_row(np.subtract, x, mean, y)
    var = matmul(ones, np.square(y))
    var /= n
    with_row(np.multiply, y, weight * (var + eps) ** -0.5, y)
    with_row(np.add, y, bias, y)
    return mean, var


def batch_norm_rows_gradients(
    g: Array, x: Array, dx: Array, weight: Array, mean: Array, inverse: Array
) -> tuple[Array, Array]:
    """Do the same for `x` (N, C)."""
    ones, n = np.ones(len(x), x.dtype), len(x)
    with_row(np.subtract, x, mean, dx)
    sum_g, sum_gx = matmul(ones, g), matmul(ones, g * dx)
    sum_gx *= inverse
    scale = weight * inverse
    with_row(np.multiply, dx, inverse * sum_gx / n, dx)
    np.subtract(g, dx, out=dx)
    with_row(np.subtract, dx, sum_g / n, dx)
    with_row(np.multiply, dx, scale, dx)
    return sum_gx, sum_g
