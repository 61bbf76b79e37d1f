"""Activations, each with its derivative beside it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd import differentiable


@differentiable(lambda g, y, _x: g * (y > 0))  # np.where takes ten times as long
def relu(x: Any) -> Any:
    """Return max(x, 0); the gradient at 0 is 0."""
    # With a scalar, maximum is several times slower than clip.
    return x.clip(0, np.inf) if x.dtype.kind == "f" else np.maximum(x, 0)


@differentiable(lambda g, _y, x, negative_slope=0.01: np.where(x > 0, g, g * negative_slope))
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """Return x where x > 0, else negative_slope * x; the gradient at 0 is the slope."""
    return np.where(x > 0, x, x * negative_slope)


@differentiable(lambda g, y, _x: g * y * (1 - y))
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), without overflow for large negative x."""
    small = np.exp(np.abs(x) * -1.0)  # a minus sign would wrap unsigned integers
    return np.where(x >= 0, 1, small) / (1 + small)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent, `np.tanh`."""
    return np.tanh(x)


@differentiable(lambda g, _y, x: g * sigmoid(x))
def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)), a smooth relu, without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(np.abs(x) * -1.0))


@differentiable(lambda g, _y, x: g * (2 / math.sqrt(math.pi)) * np.exp(-x * x))
def erf(x: Any) -> Any:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    x = np.asarray(x)
    values = np.fromiter(map(math.erf, x.ravel().tolist()), np.float64, x.size)
    return values.astype(np.result_type(x, np.float16)).reshape(x.shape)


def gelu(x: Any, approximate: str = "none") -> Any:
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
def softmax(x: Any, axis: int = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along `axis`, without overflow."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@differentiable(lambda g, y, _x, axis=-1: g - np.exp(y) * g.sum(axis=axis, keepdims=True))
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Return log(softmax(x)) along `axis`, exact where softmax underflows."""
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
