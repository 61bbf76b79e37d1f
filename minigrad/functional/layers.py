"""Layers as functions of their parameters: linear, batch normalisation, dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.methods import Array
from minigrad.random import generator
from minigrad.tensor import Tensor, bare, differentiable


# ---------------------------------------------------------------------------------------- linear
def _rows(x: Any) -> Any:
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


@differentiable(
    lambda g, _y, _x, w, _b=None: g @ w.T,
    lambda g, _y, x, _w, _b=None: _rows(x).T @ _rows(g),
    lambda g, *_: _rows(g).sum(axis=0),
)
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
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
    """
    x = np.asarray(x)
    if weight.ndim != 2 or x.ndim == 0 or x.shape[-1] != weight.shape[0]:
        _refuse_linear(x, weight)
    y = x @ weight
    if bias is not None:
        if bias.shape != weight.shape[1:]:
            raise ValueError(
                f"linear: bias has shape {bias.shape}, but weight {weight.shape} makes "
                f"{weight.shape[1]} features: bias must have shape {weight.shape[1:]}"
            )
        y += bias
    return y


def _refuse_linear(x: Array, weight: Array) -> None:
    if weight.ndim != 2:
        raise ValueError(
            f"linear: weight must have shape (in_features, out_features), got {weight.shape}"
        )
    features = x.shape[-1] if x.ndim else "no"
    raise ValueError(
        f"linear: x has {features} features (shape {x.shape}) but weight expects "
        f"{weight.shape[0]} (shape {weight.shape}): flatten or reshape x first"
    )


# --------------------------------------------------------------------------- batch normalisation
def _batch_axes(x: Any) -> tuple[int, ...]:
    """Return all axes but the channel's, which is 1."""
    return (0, *range(2, len(x.shape)))


def _per_channel(v: Any, x: Any) -> Any:
    """Align a vector of one value a channel with x."""
    return v if len(x.shape) == 2 else v.reshape(1, -1, *(1,) * (len(x.shape) - 2))


def _moments(x: Any, eps: float) -> tuple[Any, Any, Any]:
    """Return mean, biased variance, and 1/sqrt(variance + eps), one value a channel."""
    axes = _batch_axes(x)
    n = x.size // x.shape[1]
    mean = x.sum(axis=axes) / n
    centred = x - _per_channel(mean, x)
    var = (centred * centred).sum(axis=axes) / n
    return mean, var, (var + eps) ** -0.5


def _normalize_pullback(
    needs: Any, g: Any, _y: Any, x: Any, weight: Any, _bias: Any, *, eps: float, moments: Any
) -> tuple[Any, Any, Any]:
    """The three gradients share two sums over the batch: of g, and of g times x normalised."""
    recorded = isinstance(x, Tensor)  # then the moments have to be functions of x too
    mean, _, inverse_std = _moments(x, eps) if recorded else moments
    axes, n = _batch_axes(x), x.size // x.shape[1]
    normal = (x - _per_channel(mean, x)) * _per_channel(inverse_std, x)
    sum_g = g.sum(axis=axes)
    sum_gx = (g * normal).sum(axis=axes)
    dx = None
    if needs[0]:
        dx = g - normal * _per_channel(sum_gx / n, x) - _per_channel(sum_g / n, x)
        dx = dx * _per_channel(weight * inverse_std, x)
    return dx, sum_gx, sum_g


@differentiable(joint=_normalize_pullback)
def _normalize(x: Any, weight: Any, bias: Any, *, eps: float, moments: Any) -> Any:
    mean, _, inverse_std = moments
    y = x - _per_channel(mean, x)
    y *= _per_channel(weight * inverse_std, x)
    y += _per_channel(bias, x)
    return y


def batch_norm(
    x: Any,
    weight: Any,
    bias: Any,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    *,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-6,
) -> Any:
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

    Raises
    ------
    ValueError
        If the shapes do not fit, or if evaluation lacks running values.

    References
    ----------
    Ioffe and Szegedy, "Batch Normalization", 2015.
    """
    shape = np.shape(x)
    if len(shape) < 2 or np.shape(weight) != shape[1:2] or np.shape(bias) != shape[1:2]:
        raise ValueError(
            f"batch_norm: x must be (N, C, ...) with weight and bias of shape (C,), got x {shape}, "
            f"weight {np.shape(weight)}, bias {np.shape(bias)}"
        )
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: evaluation needs running_mean and running_var")
        scale = weight * (running_var + eps) ** -0.5
        shift = bias - running_mean * scale
        return x * _per_channel(scale, x) + _per_channel(shift, x)
    data = bare(x)
    moments = _moments(data, eps)
    if running_mean is not None and running_var is not None:
        for running, new in zip((running_mean, running_var), moments, strict=False):
            running *= 1 - momentum
            running += momentum * new
    return _normalize(x, weight, bias, eps=eps, moments=moments)


# --------------------------------------------------------------------------------------- dropout
def dropout(
    x: Any,
    p: float = 0.5,
    training: bool = True,
    *,
    rng: np.random.Generator | int | None = None,
) -> Any:
    """Set a share p of the values to zero in training; multiply by 1 - p in evaluation.

    This is the book's convention: training does not rescale (most frameworks divide by 1 - p in
    training and leave evaluation alone).

    Parameters
    ----------
    x : array_like
        Any shape.
    p : float
        The probability of dropping a value, in [0, 1).
    training : bool
        Which of the two to do.
    rng : Generator or int, optional
        Draws which values drop; the library's own by default.

    References
    ----------
    Srivastava et al., "Dropout", 2014; the book, section 6.4.3.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p must be in [0, 1), got {p}")
    if not training:
        return x * (1 - p)
    return x * (generator(rng).random(np.shape(x)) > p)
