"""How weights begin: scales that keep the spread of activations from layer to layer."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from minigrad.autograd import Array
from minigrad.random import Rng, generator

Initializer = Callable[[tuple[int, ...], int, "np.random.Generator"], Array]
Init = str | float | Initializer


def normal(std: float) -> Initializer:
    """Return an initialiser that draws from a normal distribution of this standard deviation.

    Parameters
    ----------
    std : float
        The standard deviation.

    Returns
    -------
    callable
        `(shape, fan_in, rng) -> array`, for the argument `init` of a layer.

    Examples
    --------
    >>> weights = normal(0.01)((100, 50), 100, np.random.default_rng(0))
    >>> weights.shape, float(weights.std().round(3))
    ((100, 50), 0.01)
    """
    return lambda shape, fan_in, rng: std * rng.standard_normal(shape)


def he(shape: tuple[int, ...], fan_in: int, rng: np.random.Generator) -> Array:
    """Draw with standard deviation sqrt(2 / fan_in), for ReLU (He et al., 2015).

    Parameters
    ----------
    shape : tuple
        The shape of the weights.
    fan_in : int
        The number of inputs of each unit.
    rng : Generator
        Draws the weights.

    Returns
    -------
    ndarray
        Of this shape, float64.

    Examples
    --------
    >>> weights = he((200, 50), 200, np.random.default_rng(0))
    >>> weights.shape, float(weights.std().round(2))
    ((200, 50), 0.1)
    """
    return math.sqrt(2 / fan_in) * rng.standard_normal(shape)


def xavier(shape: tuple[int, ...], fan_in: int, rng: np.random.Generator) -> Array:
    """Draw with standard deviation sqrt(1 / fan_in), for sigmoid and tanh (the book, 6.2.2).

    Parameters
    ----------
    shape : tuple
        The shape of the weights.
    fan_in : int
        The number of inputs of each unit.
    rng : Generator
        Draws the weights.

    Returns
    -------
    ndarray
        Of this shape, float64.

    Examples
    --------
    >>> weights = xavier((100, 50), 100, np.random.default_rng(0))
    >>> weights.shape, float(weights.std().round(2))
    ((100, 50), 0.1)
    """
    return math.sqrt(1 / fan_in) * rng.standard_normal(shape)


NAMES: dict[str, Initializer] = {"he": he, "relu": he, "xavier": xavier, "sigmoid": xavier}


def draw(
    init: Init,
    shape: tuple[int, ...],
    fan_in: int,
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> Array:
    """Draw initial weights.

    Parameters
    ----------
    init : str, float or callable
        "he" (or "relu"), "xavier" (or "sigmoid"), a standard deviation, or a function
        `(shape, fan_in, rng) -> array`.
    shape : tuple
        The shape of the weights.
    fan_in : int
        The number of inputs of each unit.
    rng : Generator or int, optional
        The library's own by default.
    dtype : dtype
        The type of the result.

    Returns
    -------
    ndarray
        Of this shape and dtype.

    Raises
    ------
    ValueError
        If the name is unknown, the deviation negative, or a function returned another shape.
    TypeError
        If it is none of these.

    Examples
    --------
    >>> draw("he", (200, 50), fan_in=200, rng=0, dtype=np.float64).std().round(2).item()
    0.1
    >>> draw(0.01, (200, 50), fan_in=200, rng=0, dtype=np.float64).std().round(3).item()
    0.01
    """
    if isinstance(init, str):
        if init not in NAMES:
            raise ValueError(f"init: {init!r} is unknown: use one of {sorted(NAMES)}, or a number")
        init = NAMES[init]
    elif isinstance(init, numbers.Real):
        if not 0 <= init < math.inf:
            raise ValueError(f"init: a standard deviation must be >= 0, got {init!r}")
        init = normal(float(init))
    elif not callable(init):
        raise TypeError(f"init: expected a name, a number or a function, got {init!r:.60}")
    weights = np.asarray(init(shape, fan_in, generator(rng)), dtype)
    if weights.shape != shape:
        raise ValueError(
            f"init: expected weights of shape {shape}, the function gave {weights.shape}"
        )
    return weights
