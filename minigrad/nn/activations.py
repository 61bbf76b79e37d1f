"""The activations of `minigrad.functional` as modules."""

from __future__ import annotations

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.nn.module import Module


class ReLU(Module):
    """max(x, 0)."""

    forward = staticmethod(F.relu)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    forward = staticmethod(F.sigmoid)


class Tanh(Module):
    """The hyperbolic tangent."""

    forward = staticmethod(F.tanh)


class Softplus(Module):
    """log(1 + exp(x))."""

    forward = staticmethod(F.softplus)


class SiLU(Module):
    """x sigmoid(x)."""

    forward = staticmethod(F.silu)


class SELU(Module):
    """A scaled exponential linear unit, which keeps mean 0 and variance 1: see `selu`."""

    forward = staticmethod(F.selu)


class ELU(Module):
    """x where x > 0, else alpha (exp(x) - 1)."""

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.elu(x, self.alpha)


class LeakyReLU(Module):
    """x where x > 0, else negative_slope * x."""

    def __init__(self, negative_slope: float = 0.01):
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.leaky_relu(x, self.negative_slope)


class GELU(Module):
    """x times the normal distribution function of x; `approximate="tanh"` is faster."""

    def __init__(self, approximate: str = "none"):
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.gelu(x, self.approximate)


class Softmax(Module):
    """exp(x) / sum(exp(x)) along an axis."""

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.softmax(x, axis=self.axis)


class LogSoftmax(Module):
    """log(softmax(x)) along an axis."""

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.log_softmax(x, axis=self.axis)
