"""Convolution and pooling of sequences, (N, C, L), and making images larger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.nn import init as initial
from minigrad.nn.layers import check_sizes
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.geometry import check_groups
from minigrad.random import Rng


def _as_images(layer: Module, x: Any) -> Any:
    """Return (N, C, L) as images of one row."""
    if np.ndim(x) != 3:
        raise ValueError(f"{type(layer).__name__}: expected (N, C, L), got shape {np.shape(x)}")
    return np.reshape(x, (*x.shape[:2], 1, x.shape[2]))


def _as_sequences(y: Any) -> Any:
    return np.reshape(y, (*y.shape[:2], y.shape[3]))


class Conv1d(Module):
    """Convolution of sequences: cross-correlation with filters along the last axis, plus a bias.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
        C, O and K.
    stride, padding, dilation, groups : int
        As for `minigrad.functional.conv2d`, along one axis; the padding may be "same".
    bias : bool
        Whether to add a bias.
    init, rng, dtype
        As for `Conv2d`.

    Attributes
    ----------
    weight : Parameter
        Shape (O, C // groups, K).
    bias : Parameter or None
        Shape (O,).

    Examples
    --------
    >>> Conv1d(3, 8, 5)(np.zeros((2, 3, 20), np.float32)).shape
    (2, 8, 16)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | str = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        init: initial.Init = "he",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        check_sizes(
            "Conv1d", in_channels=in_channels, out_channels=out_channels, kernel_size=kernel_size
        )
        check_groups("Conv1d", groups, in_channels=in_channels, out_channels=out_channels)
        shape = (out_channels, in_channels // groups, kernel_size)
        weight = initial.draw(init, shape, shape[1] * kernel_size, rng, dtype)
        self.weight = Parameter(weight, name="weight")
        self.bias = Parameter(np.zeros(out_channels, dtype), name="bias") if bias else None
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, L) to (N, O, OL)."""
        weight = np.reshape(self.weight, (*self.weight.shape[:2], 1, -1))
        padding = self.padding if isinstance(self.padding, str) else (0, self.padding)
        steps = (1, self.stride), padding, (1, self.dilation), self.groups
        y: Tensor = _as_sequences(F.conv2d(_as_images(self, x), weight, self.bias, *steps))
        return y

    def extra_repr(self) -> str:
        """Return the shape of the filters and the steps."""
        return f"weight {self.weight.shape}, stride={self.stride}, padding={self.padding}"


class _Pool1d(Module):
    """A window along the last axis, of which one value is left."""

    def __init__(self, kernel_size: int, stride: int | None = None, padding: int = 0):
        check_sizes(type(self).__name__, kernel_size=kernel_size)
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, L) to (N, C, OL)."""
        pool = F.max_pool2d if isinstance(self, MaxPool1d) else F.avg_pool2d
        how = (1, self.kernel_size), (1, self.stride), (0, self.padding)
        y: Tensor = _as_sequences(pool(_as_images(self, x), *how))
        return y


class MaxPool1d(_Pool1d):
    """The largest value of each window; at a tie the first has the gradient.

    Parameters
    ----------
    kernel_size, stride : int
        The window's length and step, which is the length by default.
    padding : int
        What is added on each side, smaller than any value.

    Examples
    --------
    >>> MaxPool1d(2)(np.zeros((2, 3, 20))).shape
    (2, 3, 10)
    """


class AvgPool1d(_Pool1d):
    """The mean of each window.

    Parameters
    ----------
    kernel_size, stride : int
        The window's length and step, which is the length by default.
    padding : int
        Zeros on each side; they count.

    Examples
    --------
    >>> AvgPool1d(2)(np.zeros((2, 3, 20))).shape
    (2, 3, 10)
    """


class UpsampleNearest(Module):
    """Repeat each pixel, to make images larger: (N, C, H, W) to (N, C, H*s, W*s).

    Parameters
    ----------
    scale_factor : int
        How often, along each axis after the second.

    Examples
    --------
    >>> UpsampleNearest(2)(np.zeros((2, 3, 4, 4))).shape
    (2, 3, 8, 8)
    """

    def __init__(self, scale_factor: int = 2):
        check_sizes("UpsampleNearest", scale_factor=scale_factor)
        self.scale_factor = scale_factor

    def forward(self, x: Tensor) -> Tensor:
        """Keep the first two axes."""
        y: Any = x
        for axis in range(2, np.ndim(x)):
            y = np.repeat(y, self.scale_factor, axis=axis)
        return y  # type: ignore[no-any-return]
