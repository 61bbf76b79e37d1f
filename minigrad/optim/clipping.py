"""Clipping gradients, by their common norm or value by value."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from minigrad.autograd import Tensor, note_change


def _gradients(name: str, parameters: Iterable[Tensor], limit: float) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        raise TypeError(f"{name}: expected several Tensors, such as model.parameters(), got one")
    if not limit > 0:
        raise ValueError(f"{name}: the limit must be > 0, got {limit}")
    several = list(parameters)
    if not several:
        raise ValueError(
            f"{name}: got no parameters (an iterator gives its own once: call model.parameters() "
            "again, or keep a list)"
        )
    return [p.grad for p in several if p.grad is not None]


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients together so that their common norm is at most `max_norm`.

    Parameters
    ----------
    parameters : iterable of Tensors
        Those without a gradient are passed over.
    max_norm : float
        The largest norm to allow, that of all gradients as one vector.

    Returns
    -------
    float
        The norm before.

    Raises
    ------
    ValueError
        If the norm is not finite: scaling would spread the NaN over all parameters. If
        `max_norm` is not positive, or there are no parameters.

    References
    ----------
    Pascanu et al., "On the difficulty of training recurrent neural networks", 2013.

    Examples
    --------
    >>> p = Tensor([0.0, 0.0], requires_grad=True)
    >>> (p * np.array([3.0, 4.0], np.float32)).sum().backward()
    >>> clip_grad_norm([p], max_norm=1.0)
    5.0
    >>> p.grad
    Tensor([0.6, 0.8])
    """
    gradients = _gradients("clip_grad_norm", parameters, max_norm)
    norm = math.sqrt(sum(float(np.square(g.data, dtype=np.float64).sum()) for g in gradients))
    if not math.isfinite(norm):
        raise ValueError(f"clip_grad_norm: the norm of the gradients is {norm}")
    if norm > max_norm:
        for g in gradients:
            g.data *= max_norm / norm
    return norm


def clip_grad_value(parameters: Iterable[Tensor], max_value: float) -> None:
    """Limit each value of each gradient to [-max_value, max_value], in place.

    Parameters
    ----------
    parameters : iterable of Tensors
        Those without a gradient are passed over.
    max_value : float
        The largest absolute value to allow.

    Raises
    ------
    ValueError
        If `max_value` is not positive, or there are no parameters.

    Examples
    --------
    >>> p = Tensor([0.0, 0.0], requires_grad=True)
    >>> (p * np.array([3.0, -0.5], np.float32)).sum().backward()
    >>> clip_grad_value([p], max_value=1.0)
    >>> p.grad
    Tensor([ 1. , -0.5])
    """
    for g in _gradients("clip_grad_value", parameters, max_value):
        np.clip(g.data, -max_value, max_value, out=g.data)
        note_change(g.data)
