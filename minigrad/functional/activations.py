"""Activations, each with its derivative beside it."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad.autograd import Axis, differentiable
from minigrad.kernels import elementwise, rows
from minigrad.kernels import gelu as normal
from minigrad.ops.reduction import spread
from minigrad.ops.types import T

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors
kernels: Any = elementwise  # they get arrays: the functions here are called with those
smooth: Any = normal
by_rows: Any = rows


@differentiable(lambda g, y, _x: kernels.masked(g, y > 0) if plain(g) else np.where(y > 0, g, 0))
def relu(x: T) -> T:
    """Return max(x, 0); the gradient at 0 is 0."""
    # With a scalar, maximum is several times slower than clip.
    return x.clip(0, np.inf) if x.dtype.kind == "f" else np.maximum(x, 0)


def plain(*arrays: Any) -> bool:
    """Tell whether these are arrays, for which a fused kernel may do what a formula says."""
    return all(type(x) is numpy.ndarray for x in arrays)


def _fixed(slope: Any) -> bool:
    """Tell whether a slope is a number that no infinity makes NaN."""
    return isinstance(slope, float | int) and slope != 0


def _leaky_relu(g: Any, _y: Any, x: Any, slope: Any = 0.01) -> Any:
    if plain(g, x) and _fixed(slope):
        return kernels.leaky_relu_gradient(g, x, float(slope))
    return np.where(x > 0, g, g * slope)


@differentiable(_leaky_relu, lambda g, _y, x, _slope: np.where(x > 0, 0, g * x))
def leaky_relu(x: T, negative_slope: Any = 0.01) -> T:
    """Return x where x > 0, else negative_slope * x; the gradient at 0 is the slope.

    A slope that is a Tensor, of a shape that broadcasts, is learnt.
    """
    if np.iscomplexobj(negative_slope):
        raise TypeError(f"leaky_relu: expected a real negative_slope, got {negative_slope!r:.60}")
    if plain(x) and x.dtype.kind == "f" and _fixed(negative_slope):
        return kernels.leaky_relu(x, float(negative_slope))
    return np.where(x > 0, x, x * negative_slope)


@differentiable(lambda g, y, _x: kernels.sigmoid_gradient(g, y) if plain(g, y) else g * y * (1 - y))
def sigmoid(x: T) -> T:
    """Return 1 / (1 + exp(-x)), without overflow for large negative x."""
    return kernels.sigmoid(x)


def tanh(x: T) -> T:
    """Return the hyperbolic tangent, `np.tanh`."""
    return np.tanh(x)


@differentiable(lambda g, y, x: kernels.softplus_gradient(g, y) if plain(g, y) else g * sigmoid(x))
def softplus(x: T) -> T:
    """Return log(1 + exp(x)), a smooth relu, without overflow."""
    return kernels.softplus(x)


def _silu(g: Any, _y: Any, x: Any, *, residual: Any) -> Any:
    if plain(g, x, residual):
        return kernels.silu_gradient(g, x, residual)
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


@differentiable(_silu, residual=True)
def silu(x: T) -> T:
    """Return x sigmoid(x), also called swish.

    References
    ----------
    Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016; Ramachandran et al., "Searching for
    Activation Functions", 2017.
    """
    return kernels.silu(x)


def _elu_pullback(g: Any, y: Any, x: Any, *, alpha: float, scale: float) -> Any:
    if plain(g, y):
        return kernels.elu_gradient(g, y, alpha, scale)
    return g * np.where(x > 0, scale, y + scale * alpha)


@differentiable(_elu_pullback)
def _elu(x: Any, *, alpha: float = 1.0, scale: float = 1.0) -> Any:
    return kernels.elu(x, alpha, scale)


def elu(x: T, alpha: float = 1.0) -> T:
    """Return x where x > 0, else alpha (exp(x) - 1); the gradient at 0 is alpha.

    References
    ----------
    Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016.
    """
    return _elu(x, alpha=float(alpha), scale=1.0)


def selu(x: T) -> T:
    """Return 1.0507 times `elu(x, 1.6733)`, which keeps mean 0 and variance 1 from layer to layer.

    References
    ----------
    Klambauer et al., "Self-Normalizing Neural Networks", 2017.
    """
    return _elu(x, alpha=1.6732632423543772, scale=1.0507009873554805)


@differentiable(lambda g, _y, x: g * (2 / math.sqrt(math.pi)) * np.exp(-x * x))
def erf(x: T) -> T:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    It is exact to 3 ulps in float32, to 1 in float64, where it takes twenty times as long.
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

    References
    ----------
    Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return _gelu_tanh(x) if approximate == "tanh" else _gelu(x)


def _softmax(g: Any, y: Any, _x: Any, axis: int = -1) -> Any:
    if plain(g, y) and axis in (-1, y.ndim - 1):
        return by_rows.softmax_gradient(g, y)
    return y * (g - (g * y).sum(axis=axis, keepdims=True))


@differentiable(_softmax)
def softmax(x: T, axis: int = -1) -> T:
    """Return exp(x) / sum(exp(x)) along `axis`, without overflow."""
    if plain(x) and x.size and axis in (-1, x.ndim - 1):
        return by_rows.softmax(x)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _log_softmax(g: Any, y: Any, _x: Any, axis: int = -1, *, residual: Any = None) -> Any:
    if plain(g, residual):
        return by_rows.log_softmax_gradient(g, residual)
    return g - np.exp(y) * g.sum(axis=axis, keepdims=True)


@differentiable(_log_softmax, residual=True)
def log_softmax(x: T, axis: int = -1) -> T:
    """Return log(softmax(x)) along `axis`, exact where softmax underflows."""
    if plain(x) and x.size and axis in (-1, x.ndim - 1):
        y: Any = by_rows.log_softmax(x)
        return y
    shifted = x - x.max(axis=axis, keepdims=True)
    y = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)), None
    return y


def _by_rows(x: Any, axis: Axis) -> bool:
    """Tell whether `x` is an array that is reduced along its last axis, for which is a kernel."""
    return plain(x) and x.size > 0 and axis in (-1, x.ndim - 1)


def _logsumexp(g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    if plain(g) and _by_rows(x, axis) and np.all(y > -np.inf):
        return by_rows.logsumexp_gradient(g, y, x)
    p = np.exp(x - spread(y, x.shape, axis, keepdims))
    return spread(g, x.shape, axis, keepdims) * (p / np.sum(p, axis=axis, keepdims=True))


@differentiable(_logsumexp)
def logsumexp(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Return log(sum(exp(x))) along `axis`, without overflow."""
    if _by_rows(x, axis):
        y = by_rows.logsumexp(x)
        return np.expand_dims(y, -1) if keepdims else y
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis=axis)
