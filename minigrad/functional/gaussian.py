"""The error function, and GELU, which is made of it."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad.autograd import differentiable
from minigrad.functional.activations import plain, sigmoid
from minigrad.kernels import gelu as normal
from minigrad.ops.types import T

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors
smooth: Any = normal  # they get arrays: the functions here are called with those


@differentiable(lambda g, _y, x: g * (2 / math.sqrt(math.pi)) * np.exp(-x * x))
def erf(x: T) -> T:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    It is exact to 3 ulps in float32, to 1 in float64, where it takes twenty times as long.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    Tensor or ndarray
        The shape and dtype of x, between -1 and 1.

    Examples
    --------
    >>> erf(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.8427,  0.    ,  0.8427])
    """
    return smooth.erf(x)


def _gelu_pullback(g: Any, _y: Any, x: Any, *, residual: Any) -> Any:
    if plain(g, x, residual):
        return smooth.gelu_gradient(g, x, residual)
    p = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return g * (p + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))


@differentiable(_gelu_pullback, residual=True)
def _gelu(x: Any) -> Any:
    return smooth.gelu(x)


def _gelu_tanh_pullback(g: Any, _y: Any, x: Any, *, residual: Any) -> Any:
    if plain(g, x, residual):
        return smooth.gelu_tanh_gradient(g, x, residual)
    s, t = smooth.CUBIC * x * x, smooth.SLOPE
    p = sigmoid(2 * t * x * (1 + s))
    return g * p * (1 + 2 * t * x * (1 - p) * (1 + 3 * s))


@differentiable(_gelu_tanh_pullback, residual=True)
def _gelu_tanh(x: Any) -> Any:
    return smooth.gelu_tanh(x)


def gelu(x: T, approximate: str = "none") -> T:
    """Return x times the normal distribution function of x.

    Parameters
    ----------
    x : array_like
        Any shape.
    approximate : {"none", "tanh"}
        "tanh" is 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): within 5e-4, and faster; much
        faster in float64, as NumPy has no vectorised error function.

    Returns
    -------
    Tensor or ndarray
        The shape of x.

    Raises
    ------
    ValueError
        If `approximate` is neither.

    References
    ----------
    Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.

    Examples
    --------
    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return _gelu_tanh(x) if approximate == "tanh" else _gelu(x)
