"""Layers as functions of their parameters: linear, batch normalisation, dropout."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.autograd import Array, Tensor, bare, differentiable, note_change
from minigrad.kernels import normalisation as kernel
from minigrad.kernels.passes import alike
from minigrad.kernels.products import matmul
from minigrad.kernels.threads import get_num_threads
from minigrad.ops.types import T, Values
from minigrad.random import Rng, generator

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors


class _Rehearsal(threading.local):
    """Whether this thread runs a model to look at it: nothing is learnt, so no data is too little.

    `Module.summary` and `Module.draw` do, often with one example, before anything was trained.
    """

    on = False


rehearsal = _Rehearsal()


# ---------------------------------------------------------------------------------------- linear
def _rows(x: Any) -> Any:
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _product(a: Any, b: Any) -> Any:
    """Multiply matrices, arrays over several threads; a product of Tensors is recorded."""
    arrays = type(a) is type(b) is np.ndarray
    return matmul(a, b) if arrays and get_num_threads() > 1 else a @ b


def _sum_rows(x: Array) -> Array:
    """Sum over axis 0 of a matrix, as a product with ones: a third of the time of `sum`."""
    return _product(np.ones(x.shape[0], x.dtype), x)


def _linear_input(g: Array, w: Array, innermost: bool | None) -> Array:
    if innermost:
        return _product(w, g.T).T
    if g.ndim == 2:
        return _product(g, w.T)
    return _product(_rows(g), w.T).reshape(*g.shape[:-1], w.shape[0])


@differentiable(
    lambda g, _y, _x, w, _b=None, *, residual=None: _linear_input(g, w, residual),
    lambda g, _y, x, _w, _b=None, *, residual=None: _product(_rows(x).T, _rows(g)),
    lambda g, _y, _x, _w, _b=None, *, residual=None: _sum_rows(_rows(g)),
    residual=True,  # whether x lies in memory as images do, batch innermost; its gradient will too
    work=lambda y, _x, w, _b=None: math.prod(y) * w[0],
)
def linear(x: Values, weight: Values, bias: Values | None = None) -> Tensor:
    """Return x W + b (the book's Affine).

    Parameters
    ----------
    x : array_like
        Shape (..., in_features).
    weight : array_like
        Shape (in_features, out_features).
    bias : array_like, optional
        Shape (out_features,).

    Returns
    -------
    Tensor
        Shape (..., out_features).

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> x, weight, bias = np.ones((4, 3)), np.ones((3, 2)), np.array([0.0, 10.0])
    >>> linear(x, weight, bias)[0]
    array([ 3., 13.])
    """
    a: Any = np.asarray(x)
    if weight.ndim != 2:
        raise ValueError(
            f"linear: weight must have shape (in_features, out_features), got {weight.shape}"
        )
    if a.ndim == 0 or a.shape[-1] != weight.shape[0]:
        raise ValueError(
            f"linear: x has {a.shape[-1] if a.ndim else 'no'} features (shape {a.shape}) but "
            f"weight expects {weight.shape[0]} (shape {weight.shape}): flatten or reshape x first"
        )
    y = _product(_rows(a), weight)
    if bias is not None:
        if bias.shape != weight.shape[1:]:
            raise ValueError(
                f"linear: bias has shape {bias.shape}, but weight {weight.shape} makes "
                f"{weight.shape[1]} features: bias must have shape {weight.shape[1:]}"
            )
        y += bias
    y = y if a.ndim == 2 else y.reshape(*a.shape[:-1], weight.shape[1])
    result: Any = y, a.ndim == 2 and a.flags.f_contiguous and not a.flags.c_contiguous
    return result


# --------------------------------------------------------------------------- batch normalisation
def _sum_batch(x: Array) -> Array:
    """Sum over all axes but the channel's, which is 1."""
    return _sum_rows(x) if x.ndim == 2 else x.sum(axis=(0, *range(2, x.ndim)))


def _per_channel(v: Any, x: Values) -> Any:
    """Align a vector of one value a channel with x."""
    return v if x.ndim == 2 else v.reshape(1, -1, *(1,) * (x.ndim - 2))


def _moments(x: Array) -> tuple[Array, Array, Array]:
    """Return x less the mean, and for each channel the mean and the biased variance."""
    n = x.size // x.shape[1]
    mean = _sum_batch(x) / n
    centred = x - _per_channel(mean, x)
    return centred, mean, _sum_batch(centred * centred) / n


def _batch_norm_pullback(
    needs: Sequence[bool],
    g: Array,
    _y: object,
    x: Array,
    weight: Array,
    _bias: object,
    *,
    eps: float,
    residual: tuple[Array, Array] | None,
    _running: object = None,
    momentum: float = 0.1,
) -> tuple[Array | None, Array, Array]:
    """The three gradients share two sums over the batch: of g, and of g times x normalised."""
    if residual is not None and isinstance(g, np.ndarray):
        if x.ndim == 2:
            dx = np.empty_like(x)
            return dx, *kernel.batch_norm_rows_gradients(g, x, dx, weight, *residual)
        x = _dense(x)
        dx, g = np.empty_like(x), alike(g, x)
        views = kernel.by_channel(g), kernel.by_channel(x), kernel.by_channel(dx)
        return dx, *kernel.batch_norm_gradients(*views, weight, *residual)
    centred, _mean, var = _moments(x)
    inverse_std = (var + eps) ** -0.5
    sum_g, sum_gx = _sum_batch(g), _sum_batch(g * centred) * inverse_std
    dx = None
    if needs[0]:
        n, scale = x.size // x.shape[1], weight * inverse_std
        dx = g * _per_channel(scale, x)
        dx = dx - centred * _per_channel(scale * inverse_std * sum_gx / n, x)
        dx = dx - _per_channel(scale * sum_g / n, x)
    return dx, sum_gx, sum_g


def _dense(x: Array) -> Array:
    """Return `x` where its channels are a view, else a copy."""
    return x if np.may_share_memory(kernel.by_channel(x), x) else np.ascontiguousarray(x)


@differentiable(joint=_batch_norm_pullback, residual=True)
def _batch_norm(
    x: Any, weight: Any, bias: Any, *, eps: float, _running: Any = None, momentum: float = 0.1
) -> Any:
    if x.size == 0:
        raise ValueError(f"batch_norm: an empty batch has no mean: x has shape {x.shape}")
    if x.size == x.shape[1] and not rehearsal.on:
        raise ValueError(
            f"batch_norm: one value for each channel has no variance (x has shape {x.shape}), so "
            "nothing would be learnt: give training more rows, or call with training=False"
        )
    x = x if x.ndim == 2 else _dense(x)
    y = np.empty_like(x)
    if x.ndim == 2:
        moments = kernel.batch_norm_rows(x, y, weight, bias, eps)
    else:
        moments = kernel.batch_norm(kernel.by_channel(x), kernel.by_channel(y), weight, bias, eps)
    for average, new in zip(_running or (), moments, strict=False):
        average *= 1 - momentum
        average += momentum * new
    note_change(*_running or ())
    mean, var = moments
    return y, (mean, (var + eps) ** -0.5)


def batch_norm(
    x: Values,
    weight: Values,
    bias: Values,
    running_mean: Values | None = None,
    running_var: Values | None = None,
    *,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-6,
) -> Tensor:
    """Normalise each channel: weight * (x - mean) / sqrt(var + eps) + bias.

    Parameters
    ----------
    x : array_like
        Shape (N, C) or (N, C, ...).
    weight, bias : array_like
        Shape (C,); the book's gamma and beta.
    running_mean, running_var : ndarray, optional
        Shape (C,). Training moves them in place by `momentum` towards the mean and the biased
        variance of the batch; evaluation normalises with them.
    training : bool
        Whether to normalise with the statistics of the batch.
    momentum : float
        The share of the new batch in the running values.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        The shape of x.

    Raises
    ------
    ValueError
        If the shapes do not fit, if evaluation lacks running values, or if training gets one value
        for each channel, which has no variance.

    References
    ----------
    Ioffe and Szegedy, "Batch Normalization", 2015.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> batch_norm(x, np.ones(2), np.zeros(2)).round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    if x.ndim < 2 or not weight.shape == bias.shape == x.shape[1:2]:
        raise ValueError(
            f"batch_norm: x must be (N, C, ...) with weight and bias of shape (C,), got x "
            f"{x.shape}, weight {weight.shape}, bias {bias.shape}"
        )
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: evaluation needs running_mean and running_var")
        # No pullback reads the running values themselves: training may move them before backward.
        scale = weight * (running_var + float(eps)) ** -0.5
        centred = x - _per_channel(running_mean, x)
        return centred * _per_channel(scale, x) + _per_channel(bias, x)
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: pass both running_mean and running_var, or neither")
    running = None if running_mean is None else bare((running_mean, running_var))
    return _batch_norm(x, weight, bias, eps=eps, _running=running, momentum=momentum)


# --------------------------------------------------------------------------------------- dropout
def dropout(
    x: T, p: float = 0.5, training: bool = True, *, rescale: bool = False, rng: Rng = None
) -> T:
    """Set a share p of the values to zero in training; multiply by 1 - p in evaluation.

    This is the book's convention. Most frameworks instead divide by 1 - p in training and leave
    evaluation alone: so does `rescale`.

    Parameters
    ----------
    x : array_like
        Any shape.
    p : float
        The probability of dropping a value, in [0, 1).
    training : bool
        Which of the two to do.
    rescale : bool
        Whether to rescale in training instead of in evaluation.
    rng : Generator or int, optional
        Draws which values drop; the library's own by default.

    Returns
    -------
    Tensor or ndarray
        The shape of x.

    Raises
    ------
    ValueError
        If p is not in [0, 1).

    References
    ----------
    Srivastava et al., "Dropout", 2014; the book, section 6.4.3.

    Examples
    --------
    >>> dropout(np.ones(6), 0.5, rng=0)
    array([1., 0., 0., 0., 1., 1.])
    >>> dropout(np.ones(6), 0.5, training=False)
    array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    """
    p = float(p)
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p must be in [0, 1), got {p}")
    if rescale:
        return _rescaled_dropout(x, p, rng) if training and p else x
    if not training:
        return x * (1 - p)
    return x * (generator(rng).random(np.shape(x)) > p)


def _rescaled_dropout(x: Any, p: float, rng: Any) -> Any:
    kind = np.result_type(bare(x), np.float16)
    drawn = generator(rng).random(np.shape(x), np.float32)
    factor = np.greater_equal(drawn, np.float32(p)).astype(kind)
    factor *= 1 / (1 - p)
    return x * factor
