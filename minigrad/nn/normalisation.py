"""Normalisation of each example by itself: layer norm, its root mean square form, group norm."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.nn.layers import check_sizes
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter


class _OverLast(Module):
    """A weight, and perhaps a bias, of the shape of the last axes."""

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ):
        shape = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
        for n in shape:
            check_sizes(type(self).__name__, normalized_shape=n)
        self.normalized_shape, self.eps = tuple(map(int, shape)), eps
        ones, zeros = np.ones(shape, dtype), np.zeros(shape, dtype)
        self.weight = Parameter(ones, name="weight") if elementwise_affine else None
        self.bias = Parameter(zeros, name="bias") if bias and elementwise_affine else None

    def extra_repr(self) -> str:
        """Return the shape and eps."""
        return f"{', '.join(map(str, self.normalized_shape))}, eps={self.eps}"


class LayerNorm(_OverLast):
    """Normalise over the last axes: weight * (x - mean) / sqrt(var + eps) + bias.

    Parameters
    ----------
    normalized_shape : int or tuple
        The lengths of the last axes.
    eps : float
        Added to the variance.
    elementwise_affine, bias : bool
        Whether to have a weight and a bias, and whether a bias.
    dtype : dtype
        The type of the parameters.

    Attributes
    ----------
    weight, bias : Parameter or None
        Of the normalised shape; they begin at 1 and 0.

    References
    ----------
    Ba et al., "Layer Normalization", 2016.

    Examples
    --------
    >>> LayerNorm(2)(np.array([[1.0, 3.0]])).detach().numpy().round(3)
    array([[-1.,  1.]])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        y: Tensor = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return y


class RMSNorm(_OverLast):
    """Divide by the root mean square over the last axes: weight * x / sqrt(mean(x^2) + eps).

    Parameters
    ----------
    normalized_shape, eps, elementwise_affine, dtype
        As for `LayerNorm`.

    References
    ----------
    Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.

    Examples
    --------
    >>> RMSNorm(2)(np.array([[3.0, 4.0]])).detach().numpy().round(3)
    array([[0.849, 1.131]])
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ):
        super().__init__(normalized_shape, eps, elementwise_affine, False, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        y: Tensor = F.rms_norm(x, self.normalized_shape, self.weight, self.eps)
        return y


class GroupNorm(Module):
    """Normalise groups of channels of each example: weight * (x - mean) / sqrt(var + eps) + bias.

    Parameters
    ----------
    num_groups : int
        Into how many groups the channels fall.
    num_channels : int
        C, a multiple of that.
    eps : float
        Added to the variance.
    affine : bool
        Whether to have weight and bias, one of each for a channel.
    dtype : dtype
        The type of the parameters.

    Raises
    ------
    ValueError
        If the groups do not divide the channels.

    References
    ----------
    Wu and He, "Group Normalization", 2018.

    Examples
    --------
    >>> GroupNorm(2, 4)(np.zeros((3, 4, 8, 8))).shape
    (3, 4, 8, 8)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ):
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels must be a multiple of num_groups, got {num_channels} "
                f"and {num_groups}"
            )
        self.num_groups, self.eps = num_groups, eps
        self.weight = Parameter(np.ones(num_channels, dtype), name="weight") if affine else None
        self.bias = Parameter(np.zeros(num_channels, dtype), name="bias") if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (N, C, ...)."""
        y: Tensor = F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
        return y
