"""Softmax, its logarithm, and the logarithm of a sum of exponentials, without overflow."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.autograd import Axis, differentiable
from minigrad.functional.activations import plain
from minigrad.kernels import rows
from minigrad.ops.reduction import spread
from minigrad.ops.types import T

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors
by_rows: Any = rows  # they get arrays: the functions here are called with those


def _softmax(g: Any, y: Any, _x: Any, axis: int = -1) -> Any:
    if plain(g, y) and axis in (-1, y.ndim - 1):
        return by_rows.softmax_gradient(g, y)
    return y * (g - (g * y).sum(axis=axis, keepdims=True))


@differentiable(_softmax)
def softmax(x: T, axis: int = -1) -> T:
    """Return exp(x) / sum(exp(x)) along `axis`, without overflow.

    Parameters
    ----------
    x : array_like
        Any shape.
    axis : int
        The axis over which the results sum to 1.

    Returns
    -------
    Tensor or ndarray
        The shape of x.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0], [1000.0, 0.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
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
    """Return log(softmax(x)) along `axis`, exact where softmax underflows.

    Parameters
    ----------
    x : array_like
        Any shape.
    axis : int
        The axis over which the exponentials of the results sum to 1.

    Returns
    -------
    Tensor or ndarray
        The shape of x.

    Examples
    --------
    >>> log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
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
    """Return log(sum(exp(x))) along `axis`, without overflow.

    Parameters
    ----------
    x : array_like
        Any shape.
    axis : int or tuple, optional
        What to sum over; everything by default.
    keepdims : bool
        Whether the axes that were summed over stay, with length 1.

    Returns
    -------
    Tensor or ndarray
        The shape of x without `axis`.

    Examples
    --------
    >>> print(logsumexp(np.array([1000.0, 1000.0])))
    1000.6931471805599
    """
    if _by_rows(x, axis):
        y = by_rows.logsumexp(x)
        return np.expand_dims(y, -1) if keepdims else y
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis=axis)
