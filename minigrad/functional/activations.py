"""Activations, each with its derivative beside it."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad.autograd import Axis, Tensor, differentiable
from minigrad.ops.reduction import spread
from minigrad.ops.types import T

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors

_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


def _masked(g: Any, mask: Any) -> Any:
    """Return g where the mask is True, else 0, whatever g is there.

    The product of its bits with 0 or 1: `np.where` takes ten times as long, and the product of
    its values is NaN where they are infinite.
    """
    if isinstance(g, Tensor) or g.itemsize not in _BITS:
        return np.where(mask, g, 0)
    return (g.view(_BITS[g.itemsize]) * mask).view(g.dtype)


@differentiable(lambda g, y, _x: _masked(g, y > 0))
def relu(x: T) -> T:
    """Return max(x, 0); the gradient at 0 is 0."""
    # With a scalar, maximum is several times slower than clip.
    return x.clip(0, np.inf) if x.dtype.kind == "f" else np.maximum(x, 0)


@differentiable(
    lambda g, _y, x, slope=0.01: np.where(x > 0, g, g * slope),
    lambda g, _y, x, _slope: np.where(x > 0, 0, g * x),
)
def leaky_relu(x: T, negative_slope: Any = 0.01) -> T:
    """Return x where x > 0, else negative_slope * x; the gradient at 0 is the slope.

    A slope that is a Tensor, of a shape that broadcasts, is learnt.
    """
    if np.iscomplexobj(negative_slope):
        raise TypeError(f"leaky_relu: expected a real negative_slope, got {negative_slope!r:.60}")
    return np.where(x > 0, x, x * negative_slope)


@differentiable(lambda g, y, _x: g * y * (1 - y))
def sigmoid(x: T) -> T:
    """Return 1 / (1 + exp(-x)), without overflow for large negative x."""
    small = np.exp(np.abs(x) * -1.0)  # a minus sign would wrap unsigned integers
    return np.where(x >= 0, 1, small) / (1 + small)


def tanh(x: T) -> T:
    """Return the hyperbolic tangent, `np.tanh`."""
    return np.tanh(x)


@differentiable(lambda g, _y, x: g * sigmoid(x))
def softplus(x: T) -> T:
    """Return log(1 + exp(x)), a smooth relu, without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(np.abs(x) * -1.0))


@differentiable(lambda g, _y, x: g * (2 / math.sqrt(math.pi)) * np.exp(-x * x))
def erf(x: T) -> T:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    x = np.asarray(x)
    values = np.fromiter(map(math.erf, x.ravel().tolist()), np.float64, x.size)
    return values.astype(np.result_type(x, np.float16)).reshape(x.shape)


def gelu(x: T, approximate: str = "none") -> T:
    """Return x times the normal distribution function of x.

    Parameters
    ----------
    x : array_like
        Any shape.
    approximate : {"none", "tanh"}
        "tanh" is 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): within 5e-4, and much faster,
        as NumPy has no vectorised error function.

    References
    ----------
    Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    """
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    if approximate != "none":
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


@differentiable(lambda g, y, _x, axis=-1: y * (g - (g * y).sum(axis=axis, keepdims=True)))
def softmax(x: T, axis: int = -1) -> T:
    """Return exp(x) / sum(exp(x)) along `axis`, without overflow."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@differentiable(lambda g, y, _x, axis=-1: g - np.exp(y) * g.sum(axis=axis, keepdims=True))
def log_softmax(x: T, axis: int = -1) -> T:
    """Return log(softmax(x)) along `axis`, exact where softmax underflows."""
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


@differentiable(
    lambda g, y, x, axis=None, keepdims=False: (
        spread(g, x.shape, axis, keepdims) * np.exp(x - spread(y, x.shape, axis, keepdims))
    )
)
def logsumexp(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Return log(sum(exp(x))) along `axis`, without overflow."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis=axis)
