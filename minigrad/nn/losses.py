"""The losses of `minigrad.functional` as modules, which hold their options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.nn.module import Module


class Loss(Module):
    """A function of prediction and target, with the options that it was made with.

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`; an array among them is a buffer.
    """

    function: Callable[..., Any]

    def __init__(self, **options: Any):
        self.options = options

    def forward(self, prediction: Tensor, target: Any) -> Any:
        """Return the loss."""
        return type(self).function(prediction, target, **self.options)

    def extra_repr(self) -> str:
        """Return the options."""
        return ", ".join(f"{name}={value!r:.30}" for name, value in self.options.items())


class CrossEntropyLoss(Loss):
    """The mean of -log softmax(logits) at the target: see `minigrad.functional.cross_entropy`.

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> round(CrossEntropyLoss()(Tensor([[2.0, 0.0]]), [0]).item(), 4)
    0.1269
    """

    function = staticmethod(F.cross_entropy)


class NLLLoss(Loss):
    """The mean of minus the log-probability at the label: see `minigrad.functional.nll_loss`.

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> NLLLoss()(Tensor([[-0.5, -1.0]]), [0]).item()
    0.5
    """

    function = staticmethod(F.nll_loss)


class BCEWithLogitsLoss(Loss):
    """The mean binary cross entropy of sigmoid(logits), see the function of its long name.

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> round(BCEWithLogitsLoss()(Tensor([0.0, 0.0]), [0, 1]).item(), 4)
    0.6931
    """

    function = staticmethod(F.binary_cross_entropy_with_logits)


class KLDivLoss(Loss):
    """The divergence of a target from log-probabilities: see `minigrad.functional.kl_div`.

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> round(KLDivLoss(reduction="sum")(Tensor([-1.0, -1.0]), [0.5, 0.5]).item(), 4)
    0.3069
    """

    function = staticmethod(F.kl_div)


class MSELoss(Loss):
    """The mean of (prediction - target)**2.

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> MSELoss()(Tensor([1.0, 2.0]), [1, 4]).item()
    2.0
    """

    function = staticmethod(F.mse_loss)


class L1Loss(Loss):
    """The mean of abs(prediction - target).

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> L1Loss()(Tensor([1.0, 2.0]), [1, 4]).item()
    1.0
    """

    function = staticmethod(F.l1_loss)


class HuberLoss(Loss):
    """The mean square near 0, distance far from it: see `minigrad.functional.huber_loss`.

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> HuberLoss()(Tensor([1.0, 2.0]), [1, 4]).item()
    0.75
    """

    function = staticmethod(F.huber_loss)


class HingeLoss(Loss):
    """The mean of max(0, margin - target * prediction), for targets of -1 and 1.

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> HingeLoss()(Tensor([2.0, 0.5]), [1, 1]).item()
    0.25
    """

    function = staticmethod(F.hinge_loss)


class SumSquaredError(Loss):
    """The book's 0.5 * sum((prediction - target)**2).

    Parameters
    ----------
    **options
        The keywords of the function, such as `reduction`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> SumSquaredError()(Tensor([1.0, 2.0]), [1, 4]).item()
    2.0
    """

    function = staticmethod(F.sum_squared_error)
