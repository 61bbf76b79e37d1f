"""The activations of `minigrad.functional` as modules."""

from __future__ import annotations

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.nn.module import Module


class ReLU(Module):
    """max(x, 0).

    Examples
    --------
    >>> ReLU()(Tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    forward = staticmethod(F.relu)


class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    Examples
    --------
    >>> Sigmoid()(Tensor([0.0])).tolist()
    [0.5]
    """

    forward = staticmethod(F.sigmoid)


class Tanh(Module):
    """The hyperbolic tangent.

    Examples
    --------
    >>> Tanh()(Tensor([0.0])).tolist()
    [0.0]
    """

    forward = staticmethod(F.tanh)


class Softplus(Module):
    """log(1 + exp(x)).

    Examples
    --------
    >>> Softplus()(Tensor([100.0])).tolist()
    [100.0]
    """

    forward = staticmethod(F.softplus)


class SiLU(Module):
    """x sigmoid(x).

    Examples
    --------
    >>> round(SiLU()(Tensor(1.0)).item(), 4)
    0.7311
    """

    forward = staticmethod(F.silu)


class SELU(Module):
    """A scaled exponential linear unit, which keeps mean 0 and variance 1: see `selu`.

    Examples
    --------
    >>> round(SELU()(Tensor(1.0)).item(), 4)
    1.0507
    """

    forward = staticmethod(F.selu)


class ELU(Module):
    """x where x > 0, else alpha (exp(x) - 1).

    Parameters
    ----------
    alpha : float
        As for `minigrad.functional.elu`.

    Examples
    --------
    >>> round(ELU()(Tensor(-1.0)).item(), 4)
    -0.6321
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.elu(x, self.alpha)


class LeakyReLU(Module):
    """x where x > 0, else negative_slope * x.

    Parameters
    ----------
    negative_slope : float
        The slope below 0.

    Examples
    --------
    >>> LeakyReLU(0.25)(Tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01):
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.leaky_relu(x, self.negative_slope)


class GELU(Module):
    """x times the normal distribution function of x; `approximate="tanh"` is faster.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        As for `minigrad.functional.gelu`.

    Examples
    --------
    >>> round(GELU()(Tensor(1.0)).item(), 4)
    0.8413
    """

    def __init__(self, approximate: str = "none"):
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.gelu(x, self.approximate)


class Softmax(Module):
    """exp(x) / sum(exp(x)) along an axis.

    Parameters
    ----------
    axis : int
        The axis over which the results sum to 1.

    Examples
    --------
    >>> Softmax()(Tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.softmax(x, axis=self.axis)


class LogSoftmax(Module):
    """log(softmax(x)) along an axis.

    Parameters
    ----------
    axis : int
        The axis over which the exponentials of the results sum to 1.

    Examples
    --------
    >>> LogSoftmax()(Tensor([1000.0, 0.0])).tolist()
    [0.0, -1000.0]
    """

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.log_softmax(x, axis=self.axis)
