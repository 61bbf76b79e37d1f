"""Activations, each with its derivative beside it."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.autograd import differentiable
from minigrad.kernels import elementwise
from minigrad.ops.types import T

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors
_ARRAYS = frozenset({numpy.ndarray})
kernels: Any = elementwise  # they get arrays: the functions here are called with those


def _relu(g: Any, y: Any, _x: object) -> Any:
    return kernels.masked(g, y > 0) if type(g) is numpy.ndarray else np.where(y > 0, g, 0)


@differentiable(_relu)
def relu(x: T) -> T:
    """Return max(x, 0); the gradient at 0 is 0.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    Tensor or ndarray
        The shape and dtype of x.

    Examples
    --------
    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    # With a scalar, maximum is several times slower than clip.
    return x.clip(0, np.inf) if x.dtype.kind == "f" else np.maximum(x, 0)


def plain(*arrays: Any) -> bool:
    """Tell whether these are arrays, for which a fused kernel may do what a formula says."""
    return _ARRAYS.issuperset(map(type, arrays))


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

    Parameters
    ----------
    x : array_like
        Any shape.
    negative_slope : float or Tensor
        The slope below 0.

    Returns
    -------
    Tensor or ndarray
        The shape and dtype of x.

    Raises
    ------
    TypeError
        If the slope is complex.

    Examples
    --------
    >>> leaky_relu(np.array([-1.0, 0.0, 2.0]), negative_slope=0.1)
    array([-0.1,  0. ,  2. ])
    """
    if np.iscomplexobj(negative_slope):
        raise TypeError(f"leaky_relu: expected a real negative_slope, got {negative_slope!r:.60}")
    if plain(x) and x.dtype.kind == "f" and _fixed(negative_slope):
        return kernels.leaky_relu(x, float(negative_slope))
    return np.where(x > 0, x, x * negative_slope)


@differentiable(lambda g, y, _x: kernels.sigmoid_gradient(g, y) if plain(g, y) else g * y * (1 - y))
def sigmoid(x: T) -> T:
    """Return 1 / (1 + exp(-x)), without overflow for large negative x.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    Tensor or ndarray
        The shape of x, between 0 and 1.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 2.0])).round(4)
    array([0.    , 0.5   , 0.8808])
    """
    return kernels.sigmoid(x)


def tanh(x: T) -> T:
    """Return the hyperbolic tangent, `np.tanh`.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    Tensor or ndarray
        The shape of x, between -1 and 1.

    Examples
    --------
    >>> tanh(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.7616,  0.    ,  0.7616])
    """
    return np.tanh(x)


@differentiable(lambda g, y, x: kernels.softplus_gradient(g, y) if plain(g, y) else g * sigmoid(x))
def softplus(x: T) -> T:
    """Return log(1 + exp(x)), a smooth relu, without overflow.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    Tensor or ndarray
        The shape of x, greater than 0.

    Examples
    --------
    >>> softplus(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.3133, 0.6931, 2.1269])
    """
    return kernels.softplus(x)


def _silu(g: Any, _y: Any, x: Any, *, residual: Any) -> Any:
    if plain(g, x, residual):
        return kernels.silu_gradient(g, x, residual)
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


@differentiable(_silu, residual=True)
def silu(x: T) -> T:
    """Return x sigmoid(x), also called swish.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    Tensor or ndarray
        The shape of x.

    References
    ----------
    Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016; Ramachandran et al., "Searching for
    Activation Functions", 2017.

    Examples
    --------
    >>> silu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
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

    Parameters
    ----------
    x : array_like
        Any shape.
    alpha : float
        Minus the value that it tends to below 0.

    Returns
    -------
    Tensor or ndarray
        The shape of x.

    References
    ----------
    Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016.

    Examples
    --------
    >>> elu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.6321,  0.    ,  1.    ])
    """
    return _elu(x, alpha=float(alpha), scale=1.0)


def selu(x: T) -> T:
    """Return 1.0507 times `elu(x, 1.6733)`, which keeps mean 0 and variance 1 from layer to layer.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    Tensor or ndarray
        The shape of x.

    References
    ----------
    Klambauer et al., "Self-Normalizing Neural Networks", 2017.

    Examples
    --------
    >>> selu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-1.1113,  0.    ,  1.0507])
    """
    return _elu(x, alpha=1.6732632423543772, scale=1.0507009873554805)
