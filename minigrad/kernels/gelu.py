"""The error function and gelu, to a few ulps in few passes."""

from __future__ import annotations

import math

import numpy as np

from minigrad.kernels.columns import Array
from minigrad.kernels.passes import in_blocks

# log(p / (1 - p)) / x for p = Phi(x), the normal distribution function, as a polynomial in x^2:
# minimax for |x| < 5.6, in the relative error of erf(x / sqrt(2)), which is tanh of half of that.
_LOGIT = (
    *(3.1344478998783083e-09, -2.5051087947153524e-07, 7.74608298491044e-06),
    *(-1.0956328072409566e-4, -6.782293793967187e-05, 0.07266869673072347, 1.5957692731090334),
)
NORMAL = tuple(c / 2 for c in _LOGIT)
ERF = tuple(c / 2 * math.sqrt(2) * 2 ** (6 - i) for i, c in enumerate(_LOGIT))
ROOT = 1 / math.sqrt(2 * math.pi)
CUBIC = 0.044715  # of gelu's approximation by tanh
SLOPE = math.sqrt(2 / math.pi)


def _tanh_of_odd(coefficients: tuple[float, ...], x: Array, y: Array, t: Array) -> None:
    """Write tanh(x P(x^2)) to `y`."""
    np.multiply(x, x, out=t)
    np.multiply(t, coefficients[0], out=y)
    for c in coefficients[1:-1]:
        y += c
        y *= t
    y += coefficients[-1]
    y *= x
    np.tanh(y, out=y)


def _normal(x: Array, p: Array, t: Array) -> None:
    """Write the normal distribution function of `x` to `p`."""
    if x.dtype != np.float32:  # math.erfc is exact, and slow
        values = map(math.erfc, (x * -math.sqrt(0.5)).ravel().tolist())
        p[...] = np.fromiter(values, np.float64, x.size)
        p *= 0.5
        return
    _tanh_of_odd(NORMAL, x, p, t)
    p *= 0.5
    p += 0.5


def erf(x: Array) -> Array:
    """Return the error function: to 3 ulps in float32, to 1 in float64."""
    x = np.asarray(x)
    if np.result_type(x, np.float16).itemsize > 4:
        values = np.fromiter(map(math.erf, x.ravel().tolist()), np.float64, x.size)
        return values.astype(np.result_type(x, np.float16)).reshape(x.shape)

    def work(x: Array, y: Array, t: Array) -> None:
        _tanh_of_odd(ERF, x, y, t)

    y: Array = in_blocks(work, x)
    return y


def gelu(x: Array) -> tuple[Array, Array]:
    """Return x Phi(x) and Phi(x), within 2 ulps of 1 times |x| and 1 in float32."""

    def work(x: Array, y: Array, p: Array, t: Array) -> None:
        _normal(x, p, t)
        np.multiply(x, p, out=y)

    y, p = in_blocks(work, x, outputs=2)
    return y, p


def gelu_gradient(g: Array, x: Array, p: Array) -> Array:
    """Return g (Phi(x) + x phi(x)), phi the density, within 2 ulps of 1 times |x| and 1 times g."""

    def work(x: Array, g: Array, p: Array, d: Array, _: Array) -> None:
        np.multiply(x, x, out=d)
        d *= -0.5
        np.exp(d, out=d)
        d *= ROOT
        d *= x
        d += p
        d *= g

    d: Array = in_blocks(work, x, g, p)
    return d


def gelu_tanh(x: Array) -> tuple[Array, Array]:
    """Return x p and p = (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2."""

    def work(x: Array, y: Array, p: Array, _: Array) -> None:
        np.multiply(x, x, out=p)
        p *= SLOPE * CUBIC
        p += SLOPE
        p *= x
        np.tanh(p, out=p)
        p *= 0.5
        p += 0.5
        np.multiply(x, p, out=y)

    y, p = in_blocks(work, x, outputs=2)
    return y, p


def gelu_tanh_gradient(g: Array, x: Array, p: Array) -> Array:
    """Return g (p + x dp/dx)."""

    def work(x: Array, g: Array, p: Array, d: Array, t: Array) -> None:
        np.multiply(x, x, out=d)
        d *= 6 * SLOPE * CUBIC
        d += 2 * SLOPE
        d *= x
        np.subtract(1, p, out=t)
        d *= t
        d += 1
        d *= p
        d *= g

    d: Array = in_blocks(work, x, g, p)
    return d
