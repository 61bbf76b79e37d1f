"""The layers of fully connected networks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.functional.layers import rehearsal
from minigrad.nn import init as initial
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.random import Rng, keep


def check_sizes(layer: str, **sizes: int) -> None:
    """Refuse what is not a positive integer."""
    for name, n in sizes.items():
        if not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"{layer}: {name} must be a positive integer, got {n!r}")


class Linear(Module):
    """x W + b, the book's Affine.

    Parameters
    ----------
    in_features, out_features : int
        The lengths of the last axis before and after.
    bias : bool
        Whether to add b.
    init : str, float or callable
        How the weights begin, see `minigrad.nn.init.draw`; the bias begins at 0.
    rng : Generator or int, optional
        Draws the weights.
    dtype : dtype
        The type of the parameters.

    Attributes
    ----------
    weight : Parameter
        Shape (in_features, out_features).
    bias : Parameter or None
        Shape (out_features,).

    Raises
    ------
    ValueError
        If a size is not positive.

    Examples
    --------
    >>> layer = Linear(3, 2)
    >>> layer.weight.shape, layer.bias.shape
    ((3, 2), (2,))
    >>> layer(np.ones((10, 3))).shape
    (10, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: initial.Init = "he",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        weight = initial.draw(init, (in_features, out_features), in_features, rng, dtype)
        self.weight = Parameter(weight, name="weight")
        self.bias = Parameter(np.zeros(out_features, dtype), name="bias") if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map shape (..., in_features) to (..., out_features)."""
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        sizes = f"{self.weight.shape[0]}, {self.weight.shape[1]}"
        return sizes if self.bias is not None else f"{sizes}, bias=False"


class Flatten(Module):
    """Make one axis of all but the first: (N, C, H, W) to (N, C*H*W).

    Examples
    --------
    >>> Flatten()(Tensor(np.zeros((10, 3, 4, 4)))).shape
    (10, 48)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Keep the batch axis."""
        if x.ndim == 0:
            raise ValueError("Flatten: expected shape (N, ...), got ()")
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))


class Identity(Module):
    """Return the input.

    Examples
    --------
    >>> Identity()(3.0)
    3.0
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`."""
        return x


class Dropout(Module):
    """Drop a share p of the values in training: see `minigrad.functional.dropout`.

    Parameters
    ----------
    p : float
        The probability of dropping a value.
    rescale : bool
        Whether training divides what is left by 1 - p, as in most frameworks, instead of
        evaluation multiplying by it, as in the book.
    rng : Generator or int, optional
        Draws which values drop.

    Raises
    ------
    ValueError
        If p is not in [0, 1).

    Examples
    --------
    >>> layer = Dropout(0.5, rng=0)
    >>> layer(Tensor(np.ones(6))).tolist()
    [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    >>> layer.eval()(Tensor(np.ones(6))).tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """

    def __init__(self, p: float = 0.5, *, rescale: bool = False, rng: Rng = None):
        if not 0 <= p < 1:
            raise ValueError(f"{type(self).__name__}: p must be in [0, 1), got {p}")
        self.p, self.rescale, self.rng = p, rescale, keep(rng)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.dropout(x, self.p, self.training, rescale=self.rescale, rng=self.rng)

    def extra_repr(self) -> str:
        """Return p, and whether it rescales."""
        return f"p={self.p}, rescale=True" if self.rescale else f"p={self.p}"


_LAYOUTS = {2: "(N, C)", 3: "(N, C, L)", 4: "(N, C, H, W)"}


class BatchNorm(Module):
    """Batch normalisation of (N, C, ...), one weight and bias for each channel C."""

    axes: tuple[int, ...]

    def __init__(
        self,
        num_features: int,
        *,
        momentum: float = 0.1,
        eps: float = 1e-6,
        dtype: DTypeLike = np.float32,
    ):
        check_sizes(type(self).__name__, num_features=num_features)
        self.weight = Parameter(np.ones(num_features, dtype), name="weight")
        self.bias = Parameter(np.zeros(num_features, dtype), name="bias")
        self.running_mean = np.zeros(num_features, dtype)
        self.running_var = np.zeros(num_features, dtype)
        self.momentum, self.eps = momentum, eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise with the batch's statistics in training, the running ones in evaluation."""
        shape = x.shape
        if len(shape) not in self.axes or shape[1] != self.weight.size:
            layouts = " or ".join(_LAYOUTS[n] for n in self.axes)
            raise ValueError(
                f"{type(self).__name__}: expected {layouts} with C = {self.weight.size}, "
                f"got shape {shape}"
            )
        mean, var = self.running_mean, self.running_var
        if not (self.training or rehearsal.on or var.any() or mean.any()):
            raise RuntimeError(
                f"{type(self).__name__}: evaluation before training: the running mean and variance "
                "are 0 still, and dividing by them makes values 1,000 times as large: train first, "
                "load a state, or call train()"
            )
        how = {"momentum": self.momentum, "eps": self.eps}
        return F.batch_norm(x, self.weight, self.bias, mean, var, training=self.training, **how)

    def extra_repr(self) -> str:
        """Return the number of channels."""
        return str(self.weight.size)


class BatchNorm1d(BatchNorm):
    """Batch normalisation of (N, C): weight * (x - mean) / sqrt(var + eps) + bias.

    Training uses the statistics of the batch and moves the running ones towards them; evaluation
    uses the running ones, and is refused before the first batch unless a state was loaded. As in
    the book these begin at 0 and the variance is the biased one. A batch of one value for each
    channel has no variance and is refused.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    momentum : float
        The share of the new batch in the running values (the book's `momentum` is 1 minus this).
    eps : float
        Added to the variance.
    dtype : dtype
        The type of parameters and running values.

    References
    ----------
    Ioffe and Szegedy, "Batch Normalization", 2015; the book, section 6.3.

    Examples
    --------
    >>> norm = BatchNorm1d(2)
    >>> norm(np.array([[1.0, 10.0], [3.0, 30.0]])).detach().numpy().round(2)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> norm.running_mean
    array([0.2, 2. ], dtype=float32)
    """

    axes = (2, 3)
