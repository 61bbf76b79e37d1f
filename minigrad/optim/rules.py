"""The update rules of the book, and AdamW: each is its equation, written in place.

p is the parameter, g its gradient, t the step counted from 1; the other arrays are the rule's
state, zero at first. Every line is the book's in the book's order, so that results agree to the
last bit. `locals()` are `self` and the arguments: so an option is written in the signature, which
says its default, and in the rule.
"""

from __future__ import annotations

import math

import numpy as np

from minigrad.autograd import Array
from minigrad.optim.optimizer import Optimizer, Params


class SGD(Optimizer):
    """Stochastic gradient descent: p -= lr g.

    Parameters
    ----------
    params : iterable of Tensors or of dicts, optional
        What to update by `step()`, see `Optimizer`; none for `update(params, grads)`.
    lr : float
        The learning rate.
    weight_decay : float
        Adds weight_decay * p to the gradient of weights (two or more axes).

    References
    ----------
    The book, section 6.1.2.

    Examples
    --------
    >>> params = {"w": np.array([1.0, 2.0])}
    >>> SGD(lr=0.5).update(params, {"w": np.array([1.0, 0.0])})
    >>> params["w"]
    array([0.5, 2. ])
    """

    def __init__(self, params: Params = None, lr: float = 0.01, *, weight_decay: float = 0.0):
        Optimizer.__init__(**locals())

    @staticmethod
    def rule(p: Array, g: Array, t: int, *, lr: float) -> None:
        """Take one step."""
        p -= lr * g


class Momentum(Optimizer):
    """Gradient descent with momentum: v = momentum v - lr g; p += v.

    Parameters
    ----------
    params, lr, weight_decay
        As for `SGD`.
    momentum : float
        How much of the velocity remains.

    References
    ----------
    Polyak, 1964; the book, section 6.1.4.

    Examples
    --------
    >>> params, rule = {"w": np.array([1.0])}, Momentum(lr=0.5)
    >>> for _ in range(2):
    ...     rule.update(params, {"w": np.array([1.0])})
    >>> params["w"]  # 1 - 0.5 - (0.9 * 0.5 + 0.5)
    array([-0.45])
    """

    state_names = ("v",)

    def __init__(
        self,
        params: Params = None,
        lr: float = 0.01,
        momentum: float = 0.9,
        *,
        weight_decay: float = 0.0,
    ):
        Optimizer.__init__(**locals())

    @staticmethod
    def rule(p: Array, g: Array, t: int, v: Array, *, lr: float, momentum: float) -> None:
        """Take one step."""
        v *= momentum
        v -= lr * g
        p += v


class Nesterov(Momentum):
    """Nesterov's accelerated gradient: the gradient is taken where the momentum leads.

    p += momentum^2 v - (1 + momentum) lr g; v = momentum v - lr g.

    Parameters
    ----------
    params, lr, momentum, weight_decay
        As for `Momentum`.

    References
    ----------
    Nesterov, 1983, in the form of Bengio et al., 2012 (arXiv 1212.0901).

    Examples
    --------
    >>> params, rule = {"w": np.array([1.0])}, Nesterov(lr=0.5)
    >>> rule.update(params, {"w": np.array([1.0])})
    >>> params["w"]  # 1 - (1 + 0.9) * 0.5
    array([0.05])
    """

    @staticmethod
    def rule(p: Array, g: Array, t: int, v: Array, *, lr: float, momentum: float) -> None:
        """Take one step."""
        p += momentum * momentum * v
        p -= (1 + momentum) * lr * g
        v *= momentum
        v -= lr * g


class AdaGrad(Optimizer):
    """AdaGrad: steps shrink where gradients were large: h += g^2; p -= lr g / (sqrt(h) + 1e-7).

    Parameters
    ----------
    params, lr, weight_decay
        As for `SGD`.

    References
    ----------
    Duchi et al., 2011; the book, section 6.1.5.

    Examples
    --------
    >>> params, rule = {"w": np.array([1.0, 1.0])}, AdaGrad(lr=0.5)
    >>> rule.update(params, {"w": np.array([100.0, 0.01])})
    >>> params["w"].round(4)  # the same step for large gradients and small
    array([0.5, 0.5])
    """

    state_names = ("h",)

    def __init__(self, params: Params = None, lr: float = 0.01, *, weight_decay: float = 0.0):
        Optimizer.__init__(**locals())

    @staticmethod
    def rule(p: Array, g: Array, t: int, h: Array, *, lr: float) -> None:
        """Take one step."""
        h += g * g
        p -= lr * g / (np.sqrt(h) + 1e-7)


class RMSprop(Optimizer):
    """RMSprop: AdaGrad that forgets: h = decay_rate h + (1 - decay_rate) g^2.

    p -= lr g / (sqrt(h) + 1e-7).

    Parameters
    ----------
    params, lr, weight_decay
        As for `SGD`.
    decay_rate : float
        How much of the mean square remains.

    References
    ----------
    Tieleman and Hinton, 2012.

    Examples
    --------
    >>> params, rule = {"w": np.array([1.0, 1.0])}, RMSprop(lr=0.05)
    >>> rule.update(params, {"w": np.array([100.0, 0.01])})
    >>> params["w"].round(4)
    array([0.5, 0.5])
    """

    state_names = ("h",)

    def __init__(
        self,
        params: Params = None,
        lr: float = 0.01,
        decay_rate: float = 0.99,
        *,
        weight_decay: float = 0.0,
    ):
        Optimizer.__init__(**locals())

    @staticmethod
    def rule(p: Array, g: Array, t: int, h: Array, *, lr: float, decay_rate: float) -> None:
        """Take one step."""
        h *= decay_rate
        h += (1 - decay_rate) * g * g
        p -= lr * g / (np.sqrt(h) + 1e-7)


class Adam(Optimizer):
    """Adam: momentum, scaled by the root of the mean square, both corrected for their start.

    lr_t = lr sqrt(1 - beta2^t) / (1 - beta1^t); m += (1 - beta1)(g - m);
    v += (1 - beta2)(g^2 - v); p -= lr_t m / (sqrt(v) + eps).

    Parameters
    ----------
    params, lr, weight_decay
        As for `SGD`.
    beta1, beta2 : float
        How much of the mean and of the mean square remains.
    eps : float
        Added to the root, against a division by 0: 1e-7 as in the book, 1e-8 in most frameworks.

    References
    ----------
    Kingma and Ba, 2015; the book, section 6.1.6.

    Examples
    --------
    >>> params, rule = {"w": np.array([1.0, 1.0])}, Adam(lr=0.5)
    >>> rule.update(params, {"w": np.array([100.0, 0.01])})
    >>> params["w"].round(3)  # about lr, for large gradients and small
    array([0.5, 0.5])
    """

    state_names = ("m", "v")

    def __init__(
        self,
        params: Params = None,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        *,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
    ):
        Optimizer.__init__(**locals())

    @staticmethod
    def rule(
        p: Array,
        g: Array,
        t: int,
        m: Array,
        v: Array,
        *,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
    ) -> None:
        """Take one step."""
        lr_t = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g**2 - v)
        p -= lr_t * m / (np.sqrt(v) + eps)


class AdamW(Adam):
    """Adam with decoupled weight decay: weights shrink by lr * weight_decay before the step.

    Parameters
    ----------
    params, lr, beta1, beta2, eps
        As for `Adam`.
    weight_decay : float
        Weights (two or more axes) are multiplied by 1 - lr * weight_decay.

    References
    ----------
    Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

    Examples
    --------
    >>> params, rule = {"w": np.ones((1, 2))}, AdamW(lr=0.5, weight_decay=0.1)
    >>> rule.update(params, {"w": np.zeros((1, 2))})
    >>> params["w"]  # 1 - 0.5 * 0.1
    array([[0.95, 0.95]])
    """

    decoupled = True

    def __init__(
        self,
        params: Params = None,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        *,
        eps: float = 1e-7,
        weight_decay: float = 0.01,
    ):
        Optimizer.__init__(**locals())
