"""The layers of convolutional networks; images are (N, C, H, W)."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.nn import init as initial
from minigrad.nn.layers import BatchNorm, Dropout, check_sizes
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.geometry import check_groups, full_geometry, pair
from minigrad.random import Rng, generator

Pair = int | tuple[int, int]


class Conv2d(Module):
    """Convolution, the book's: cross-correlation with filters plus a bias.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size : int or pair
        KH and KW.
    stride, padding, dilation, groups
        As for `minigrad.functional.conv2d`.
    bias : bool
        Whether to add a bias.
    init : str, float or callable
        How the filters begin, see `minigrad.nn.init.draw`; the bias begins at 0.
    rng : Generator or int, optional
        Draws the filters.
    dtype : dtype
        The type of the parameters.

    Attributes
    ----------
    weight : Parameter
        Shape (O, C // groups, KH, KW).
    bias : Parameter or None
        Shape (O,).

    Raises
    ------
    ValueError
        If a size is not positive, or `groups` does not divide both channels.

    Examples
    --------
    >>> layer = Conv2d(3, 8, kernel_size=5, stride=2, padding=2)
    >>> layer.weight.shape, layer(np.zeros((10, 3, 32, 32))).shape
    ((8, 3, 5, 5), (10, 8, 16, 16))
    """

    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        init: initial.Init = "he",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        name, first, second = type(self).__name__, out_channels, in_channels
        check_sizes(name, in_channels=in_channels, out_channels=out_channels)
        check_groups(name, groups, in_channels=in_channels, out_channels=out_channels)
        kernel = pair(name, "kernel_size", kernel_size, 1)
        full_geometry(name, kernel, stride, padding, dilation)
        if self.transposed:
            first, second = second, first
        shape = (first, second // groups, *kernel)
        fan_in = shape[1] * shape[2] * shape[3]
        self.weight = Parameter(initial.draw(init, shape, fan_in, rng, dtype), name="weight")
        self.bias = Parameter(np.zeros(out_channels, dtype), name="bias") if bias else None
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, O, OH, OW)."""
        steps = self.stride, self.padding, self.dilation, self.groups
        return F.conv2d(x, self.weight, self.bias, *steps)

    def extra_repr(self) -> str:
        """Return the shape of the filters and what is not at its default."""
        facts = [f"weight {self.weight.shape}", f"stride={self.stride}", f"padding={self.padding}"]
        rare = {"dilation": self.dilation, "groups": self.groups}
        return ", ".join(facts + [f"{name}={n}" for name, n in rare.items() if n != 1])


class ConvTranspose2d(Conv2d):
    """Transposed convolution: from the output shape of a `Conv2d` of these numbers to its input's.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias
        As for `Conv2d`.
    init, rng, dtype
        As for `Conv2d`.
    output_padding : int or pair
        As for `minigrad.functional.conv_transpose2d`.

    Attributes
    ----------
    weight : Parameter
        Shape (C, O // groups, KH, KW).
    bias : Parameter or None
        Shape (O,).

    Examples
    --------
    >>> layer = ConvTranspose2d(8, 3, kernel_size=2, stride=2)
    >>> layer(np.zeros((10, 8, 16, 16))).shape
    (10, 3, 32, 32)
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        output_padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        init: initial.Init = "he",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        given = in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias
        super().__init__(*given, init=init, rng=rng, dtype=dtype)
        pair("ConvTranspose2d", "output_padding", output_padding, 0)
        self.output_padding = output_padding

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, O, OH, OW)."""
        steps = self.stride, self.padding, self.output_padding, self.dilation, self.groups
        return F.conv_transpose2d(x, self.weight, self.bias, *steps)


class _Pool(Module):
    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair | str = 0):
        name = type(self).__name__
        kernel = pair(name, "kernel_size", kernel_size, 1)
        full_geometry(name, kernel, kernel if stride is None else stride, padding)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def extra_repr(self) -> str:
        """Return the window and its steps."""
        stride = self.kernel_size if self.stride is None else self.stride
        return f"{self.kernel_size}, stride={stride}, padding={self.padding}"


class MaxPool2d(_Pool):
    """The maximum of every window; parameters as for `minigrad.functional.max_pool2d`.

    Parameters
    ----------
    kernel_size : int or pair
        The window.
    stride : int or pair, optional
        Its steps; the window's size by default.
    padding : int or pair
        How far windows reach over the border.

    Examples
    --------
    >>> MaxPool2d(2)(np.zeros((10, 3, 32, 32))).shape
    (10, 3, 16, 16)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, OH, OW)."""
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding)


class AvgPool2d(_Pool):
    """The mean of every window; parameters as for `minigrad.functional.avg_pool2d`.

    Parameters
    ----------
    kernel_size : int or pair
        The window.
    stride : int or pair, optional
        Its steps; the window's size by default.
    padding : int or pair
        How far windows reach over the border.

    Examples
    --------
    >>> AvgPool2d(2)(np.zeros((10, 3, 32, 32))).shape
    (10, 3, 16, 16)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, OH, OW)."""
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding)


class GlobalAvgPool2d(Module):
    """The mean of each channel: (N, C, H, W) to (N, C).

    Examples
    --------
    >>> GlobalAvgPool2d()(np.zeros((10, 3, 32, 32))).shape
    (10, 3)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Average over the last two axes."""
        if x.ndim != 4:
            raise ValueError(f"GlobalAvgPool2d: x must be (N, C, H, W), got shape {x.shape}")
        return x.mean(axis=(2, 3))


class BatchNorm2d(BatchNorm):
    """Batch normalisation of images, one mean and variance for each channel.

    Parameters and running values as for `BatchNorm1d`. (The book's own flattens images and
    normalises each pixel for itself; this is the field's standard.)

    Parameters
    ----------
    num_features : int
        The number of channels C.
    momentum, eps, dtype
        As for `BatchNorm1d`.

    Examples
    --------
    >>> norm = BatchNorm2d(2)
    >>> y = norm(np.arange(24.0).reshape(3, 2, 2, 2))
    >>> y.shape, norm.running_mean.shape
    ((3, 2, 2, 2), (2,))
    """

    axes = (4,)


class Dropout2d(Dropout):
    """Drop whole channels in training, a share p of them; multiply by 1 - p in evaluation.

    Parameters
    ----------
    p : float
        The probability of dropping a channel.
    rescale : bool
        Whether to divide by 1 - p in training instead.
    rng : Generator or int, optional
        Draws which channels drop.

    References
    ----------
    Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2015.

    Examples
    --------
    >>> Dropout2d(0.5, rng=0)(np.ones((1, 4, 2, 2)))[0, :, 0, 0]  # one for each channel
    array([1., 0., 0., 0.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (N, C, H, W)."""
        if x.ndim != 4:
            raise ValueError(f"Dropout2d: x must be (N, C, H, W), got shape {x.shape}")
        if not self.training:
            return x if self.rescale else x * (1 - self.p)
        kept = x * (generator(self.rng).random((*x.shape[:2], 1, 1)) > self.p)
        return kept * (1 / (1 - self.p)) if self.rescale else kept


class LocalResponseNorm(Module):
    """Divide by how active the neighbouring channels are: x / (k + alpha/size sum(x^2))^beta.

    Parameters
    ----------
    size : int
        How many channels the sum covers, centred on each.
    alpha, beta, k : float
        As above. AlexNet's own are size 5, alpha 5e-4 (1e-4 for each channel), beta 0.75, k 2.

    Raises
    ------
    ValueError
        If `size` is less than 1.

    References
    ----------
    Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", 2012.

    Examples
    --------
    >>> LocalResponseNorm(5)(np.ones((1, 8, 4, 4))).shape
    (1, 8, 4, 4)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        if size < 1:
            raise ValueError(f"LocalResponseNorm: size must be at least 1, got {size}")
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (N, C, ...)."""
        if x.ndim < 3:
            raise ValueError(f"LocalResponseNorm: x must be (N, C, ...), got shape {x.shape}")
        before = self.size // 2
        widths = [(0, 0), (before, self.size - 1 - before)] + [(0, 0)] * (x.ndim - 2)
        squares = np.pad(np.square(x), widths)
        n = x.shape[1]
        total = sum(squares[:, i : i + n] for i in range(self.size))
        return x / (self.k + (self.alpha / self.size) * total) ** self.beta

    def extra_repr(self) -> str:
        """Return the four numbers."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
