"""What is done along the last axis, a block of rows at a time: softmax, its logarithm, layer norm.

Sums along rows are products with ones, which take a third of the time of `sum`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.kernels.columns import Array, pieces
from minigrad.kernels.memory import keep_freed_memory
from minigrad.kernels.passes import BLOCK, SHARED
from minigrad.kernels.threads import get_num_threads, share

# Exponentials of values between these need no shift: no sum of theirs overflows or vanishes, and
# the largest value of each row need not be found, which takes as long as the exponentials.
LARGEST, SMALLEST_SUM = 60, 1e-8


def in_rows(work: Callable[..., Any], *arrays: Array) -> list[Any]:
    """Call `work` on blocks of rows of matrices of as many rows; return what it returned."""
    rows, columns = arrays[0].shape[0], max(x.shape[-1] for x in arrays if x.ndim == 2)
    blocks = pieces(rows, max(1, BLOCK // (arrays[0].itemsize * max(1, columns))))
    if len(blocks) > 1:
        keep_freed_memory()

    def run(some: slice) -> Any:
        return work(*[x[some] for x in arrays])

    if rows * columns < SHARED or get_num_threads() == 1:
        return [run(some) for some in blocks]
    return share(run, blocks)


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
    y = np.empty_like(a)

    def work(a: Array, y: Array) -> None:
        total, _ = exponentials(a, y)
        y *= (1 / total)[:, None]

    in_rows(work, a, y)
    return y.reshape(x.shape).astype(np.result_type(x, np.float16), copy=False)


def softmax_gradient(g: Array, y: Array) -> Array:
    """Return y (g - sum(g y)) along the last axis."""
    a, b = matrix(g), matrix(y)
    d = np.empty_like(b)

    def work(g: Array, y: Array, d: Array) -> None:
        np.subtract(g, np.vecdot(g, y)[:, None], out=d)
        d *= y

    in_rows(work, a, b, d)
    return d.reshape(y.shape).astype(y.dtype, copy=False)


def log_softmax(x: Array) -> tuple[Array, Array]:
    """Return x - log(sum(exp(x))) along the last axis, and the softmax."""
    a = matrix(x)
    y, p = np.empty_like(a), np.empty_like(a)

    def work(a: Array, y: Array, p: Array) -> None:
        total, top = exponentials(a, p)
        p *= (1 / total)[:, None]
        if isinstance(top, float):
            np.subtract(a, np.log(total)[:, None], out=y)
        else:  # the shift first: it may be large
            np.subtract(a, top[:, None], out=y)
            y -= np.log(total)[:, None]

    in_rows(work, a, y, p)
    kind = np.result_type(x, np.float16)
    return y.reshape(x.shape).astype(kind, copy=False), p.reshape(x.shape).astype(kind, copy=False)


def log_softmax_gradient(g: Array, p: Array) -> Array:
    """Return g - p sum(g) along the last axis."""
    a, b = matrix(g), matrix(p)
    d = np.empty_like(b)

    def work(g: Array, p: Array, d: Array) -> None:
        np.multiply(p, (g @ np.full(g.shape[1], -1, g.dtype))[:, None], out=d)
        d += g

    in_rows(work, a, b, d)
    return d.reshape(p.shape).astype(p.dtype, copy=False)


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
    d = np.empty_like(a)

    def work(a: Array, d: Array, g: Array, y: Array) -> None:
        np.subtract(a, y[:, None], out=d)
        np.exp(d, out=d)
        d *= (g / d.sum(axis=1))[:, None]

    in_rows(work, a, d, g.reshape(-1).astype(a.dtype), y.reshape(-1).astype(a.dtype))
    return d.reshape(x.shape).astype(x.dtype, copy=False)


# --------------------------------------------------------------------------------- normalisation
def layer_norm(
    x: Array, weight: Array | None, bias: Array | None, eps: float, centred: bool
) -> tuple[Array, tuple[Array, Array]]:
    """Return (x - mean) / sqrt(var + eps) weight + bias for each row of x (rows, n).

    With it, for each row, the mean and 1 / sqrt(var + eps). Not `centred`, the mean counts as 0.
    """
    rows, n = x.shape
    y, mean, inverse = np.empty_like(x), np.zeros(rows, x.dtype), np.empty(rows, x.dtype)
    ones = np.ones(n, x.dtype)

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
            y *= weight
        if bias is not None:
            y += bias

    in_rows(work, x, y, mean, inverse)
    return y, (mean, inverse)


def layer_norm_gradients(
    g: Array, x: Array, weight: Array | None, mean: Array, inverse: Array, centred: bool
) -> tuple[Array, Array, Array]:
    """Return the gradients of x, the weight and the bias of `layer_norm`."""
    n = x.shape[1]
    dx, ones = np.empty_like(x), np.ones(n, x.dtype)

    def work(g: Array, x: Array, mean: Array, inverse: Array, dx: Array) -> tuple[Any, Any]:
        from_mean = x - mean[:, None] if centred else x.copy()
        np.multiply(g, from_mean, out=dx)
        sums = inverse @ dx, np.ones(len(x), x.dtype) @ g
        h = g if weight is None else np.multiply(g, weight, out=dx)
        from_mean *= (np.vecdot(h, from_mean) * (inverse * inverse / n))[:, None]
        shift = h @ ones / n
        np.subtract(h, from_mean, out=dx)
        if centred:
            dx -= shift[:, None]
        dx *= inverse[:, None]
        return sums

    sums = in_rows(work, g, x, mean, inverse, dx)
    zero = np.zeros(n, x.dtype)
    return dx, sum((w for w, _ in sums), zero), sum((b for _, b in sums), zero)


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
    mean = ones @ x
    mean /= n
    np.subtract(x, mean, out=y)
    var = ones @ np.square(y)
    var /= n
    y *= weight * (var + eps) ** -0.5
    y += bias
    return mean, var


def batch_norm_rows_gradients(
    g: Array, x: Array, dx: Array, weight: Array, mean: Array, inverse: Array
) -> tuple[Array, Array]:
    """Do the same for `x` (N, C)."""
    ones, n = np.ones(len(x), x.dtype), len(x)
    np.subtract(x, mean, out=dx)
    scratch = g * dx
    sum_g, sum_gx = ones @ g, ones @ scratch
    sum_gx *= inverse
    scale = weight * inverse
    dx *= scale * inverse * sum_gx / n
    np.multiply(g, scale, out=scratch)
    np.subtract(scratch, dx, out=dx)
    dx -= scale * sum_g / n
    return sum_gx, sum_g
