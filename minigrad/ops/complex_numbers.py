"""Pullbacks of what tells complex numbers from real ones, and the refusal of an order for them.

For a real loss L of z = x + iy the gradient is dL/dx - i dL/dy, so that dL = Re(g dz): the row of
a holomorphic function needs no conjugate, and stands with the real ones. A real input of a complex
result gets the real part, in the sweep. This is the convention of JAX and HIPS autograd.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.autograd import Array, bare, compose, define, messages, rules

COMPLEX = "c"


def is_complex(x: Any) -> bool:
    """Tell whether a number, array or Tensor is complex."""
    return x.dtype.kind == COMPLEX if hasattr(x, "dtype") else isinstance(x, complex)


def conj(x: Any) -> Any:
    """Return the complex conjugate; of real numbers themselves."""
    return np.conjugate(x) if is_complex(x) else x


def squared(x: Any) -> Any:
    """Return the square of the absolute value, which is real."""
    return np.real(x) ** 2 + np.imag(x) ** 2 if is_complex(x) else x * x


def _sign(g: Any, y: Any, x: Any) -> Any:
    """0 for real numbers, whose sign is a step; of complex ones it is z / |z|."""
    if not is_complex(x):
        return np.zeros_like(g)
    size = np.abs(x)
    return (g - np.real(g * y) * conj(y)) / np.where(size == 0, 1, size)


def _angle(g: Any, _y: Any, x: Any, deg: bool = False) -> Any:
    return g * (180 / math.pi if deg else 1) / (1j * x) if is_complex(x) else np.zeros_like(g)


@compose(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    if is_complex(x):
        parts = np.real(x), np.imag(x)
        real, imag = [np.nan_to_num(p, nan=nan, posinf=posinf, neginf=neginf) for p in parts]
        return real + 1j * imag
    limits = np.finfo(x.dtype) if x.dtype.kind == "f" else np.iinfo(x.dtype)
    x = np.where(np.isnan(x), nan, x)
    x = np.where(np.isposinf(x), limits.max if posinf is None else posinf, x)
    return np.where(np.isneginf(x), limits.min if neginf is None else neginf, x)


define(np.conjugate, lambda g, *_: conj(g))
define(np.absolute, lambda g, _y, x: g * conj(np.sign(x)))  # Re(conj(z) dz) / |z|; 0 at 0
define(np.sign, _sign)
define(np.angle, _angle)
define(np.real, lambda g, *_: g)
define(np.imag, lambda g, _y, _x: -1j * g if is_complex(_x) else np.zeros_like(g))
compose(np.real_if_close)(
    lambda a, tol=100: np.real(a) if np.isrealobj(np.real_if_close(bare(a), tol)) else a
)


# --------------------------------------------------------------------- orderings, of real numbers
def ordered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that refuses complex numbers, which have no order."""

    @functools.wraps(function)
    def run(*arrays: Any, **keywords: Any) -> Any:
        for a in arrays:
            if is_complex(a):
                raise TypeError(messages.no_order(function.__name__.lstrip("_")))
        return function(*arrays, **keywords)

    return run


def _ordered_bare(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Array:
    result: Array = ordered(function)(*bare(arguments), **bare(keywords))
    return result


_ORDERINGS: list[Any] = [
    *[np.less, np.less_equal, np.greater, np.greater_equal, np.argmax, np.argmin, np.nanargmax],
    *[np.nanargmin, np.argsort, np.lexsort, np.argpartition, np.searchsorted, np.digitize],
]
for _f in _ORDERINGS:
    rules[_f] = functools.partial(_ordered_bare, _f)
