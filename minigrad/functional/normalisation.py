"""Normalisation of each example by itself: layer norm, its root mean square form, group norm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.autograd import bare, differentiable
from minigrad.functional.activations import plain
from minigrad.kernels import normalisation
from minigrad.ops.types import T, Values

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors
kernel: Any = normalisation  # they get arrays: the functions here are called with those


def _sum_to_last(x: Any) -> Any:
    return np.sum(np.reshape(x, (-1, x.shape[-1])), axis=0)


def _pullback(
    needs: Any, g: Any, _y: Any, x: Any, weight: Any, _bias: Any, *, eps: float, centred: bool,
    residual: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """With h = g * weight: (h - mean(h) - normal mean(h normal)) / std."""
    if residual is not None and plain(g, x):
        return kernel.layer_norm_gradients(g, x, weight, *residual, centred)
    from_mean = x - np.mean(x, axis=-1, keepdims=True) if centred else x
    inverse = (np.mean(from_mean * from_mean, axis=-1, keepdims=True) + eps) ** -0.5
    normal = from_mean * inverse
    h = g if weight is None else g * weight
    dx = h - normal * np.mean(h * normal, axis=-1, keepdims=True)
    dx = (dx - np.mean(h, axis=-1, keepdims=True) if centred else dx) * inverse
    return dx, _sum_to_last(g * normal) if needs[1] else None, _sum_to_last(g)


@differentiable(joint=_pullback, residual=True)
def _normalise(x: Any, weight: Any, bias: Any, *, eps: float, centred: bool = True) -> Any:
    return kernel.layer_norm(x, weight, bias, eps, centred)


def layer_norm(
    x: T,
    normalized_shape: int | Sequence[int],
    weight: Values | None = None,
    bias: Values | None = None,
    eps: float = 1e-5,
) -> T:
    """Normalise over the last axes: weight * (x - mean) / sqrt(var + eps) + bias.

    Parameters
    ----------
    x : array_like
        Its last axes are of `normalized_shape`.
    normalized_shape : int or tuple
        The lengths of the axes over which mean and (biased) variance are taken.
    weight, bias : array_like, optional
        Of that shape.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        The shape of x.

    References
    ----------
    Ba et al., "Layer Normalization", 2016.

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0]]), 2).round(3)
    array([[-1.,  1.]])
    """
    return _over_last("layer_norm", x, normalized_shape, weight, bias, eps, True)


def rms_norm(
    x: T, normalized_shape: int | Sequence[int], weight: Values | None = None, eps: float = 1e-5
) -> T:
    """Divide by the root mean square over the last axes: weight * x / sqrt(mean(x^2) + eps).

    Parameters
    ----------
    x, normalized_shape, weight, eps
        As for `layer_norm`.

    Returns
    -------
    Tensor
        The shape of x.

    References
    ----------
    Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.

    Examples
    --------
    >>> rms_norm(np.array([[3.0, 4.0]]), 2).round(3)
    array([[0.849, 1.131]])
    """
    return _over_last("rms_norm", x, normalized_shape, weight, None, eps, False)


def _over_last(
    name: str, x: Any, shape: Any, weight: Any, bias: Any, eps: float, centred: bool
) -> Any:
    shape = tuple(shape) if isinstance(shape, Sequence) else (int(shape),)
    whole, *parameters = (np.shape(bare(v)) for v in (x, weight, bias) if v is not None)
    if not shape or whole[-len(shape) :] != shape or any(p != shape for p in parameters):
        raise ValueError(
            f"{name}: x must end in the axes {shape}, and weight and bias must have that shape, "
            f"got x {whole}, weight {np.shape(weight)}, bias {np.shape(bias)}"
        )
    if len(shape) > 1:
        n = math.prod(shape)
        weight, bias = (p if p is None else np.reshape(p, n) for p in (weight, bias))
        flat = np.reshape(x, (*whole[: -len(shape)], n))
        return np.reshape(_normalise(flat, weight, bias, eps=float(eps), centred=centred), whole)
    return _normalise(x, weight, bias, eps=float(eps), centred=centred)


def group_norm(
    x: T,
    num_groups: int,
    weight: Values | None = None,
    bias: Values | None = None,
    eps: float = 1e-5,
) -> T:
    """Normalise groups of channels of each example: weight * (x - mean) / sqrt(var + eps) + bias.

    Parameters
    ----------
    x : array_like
        Shape (N, C, ...).
    num_groups : int
        Into how many groups the channels fall, each with a mean and a variance of its own.
    weight, bias : array_like, optional
        Shape (C,).
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        The shape of x.

    Raises
    ------
    ValueError
        If the groups do not divide the channels, or shapes do not fit.

    References
    ----------
    Wu and He, "Group Normalization", 2018.

    Examples
    --------
    >>> group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), 2).round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    shape: Any = np.shape(x)
    parameters = [np.shape(p) for p in (weight, bias) if p is not None]
    if len(shape) < 2 or num_groups < 1 or shape[1] % num_groups:
        raise ValueError(
            f"group_norm: x must be (N, C, ...) with C a multiple of {num_groups} groups, got "
            f"shape {shape}"
        )
    if any(p != shape[1:2] for p in parameters):
        raise ValueError(
            f"group_norm: weight and bias must have shape {shape[1:2]}, got {parameters}"
        )
    grouped = np.reshape(x, (shape[0], num_groups, -1))
    y: Any = np.reshape(_normalise(grouped, None, None, eps=float(eps), centred=True), shape)
    column = (-1, *(1,) * (len(shape) - 2))
    y = y if weight is None else y * np.reshape(weight, column)
    return y if bias is None else y + np.reshape(bias, column)
