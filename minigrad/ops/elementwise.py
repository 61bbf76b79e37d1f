"""Pullbacks of the elementwise functions.

Where a function has a kink, its row says which value is taken there. The sweep itself sums the
gradients of inputs that were broadcast.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd import Array, Pullback, bare, compose, define, differentiable, on_arrays
from minigrad.kernels import elementwise as kernels

Limit = Array | float | None


def _zero(g: Array, *_: object) -> Array:
    return np.zeros_like(g)


def _same(g: Array, *_: object) -> Array:
    return g


# ------------------------------------------------------------------------------------ arithmetic
define(np.add, _same, _same)
define(np.subtract, _same, lambda g, *_: -g)
define(np.multiply, lambda g, _y, _a, b: g * b, lambda g, _y, a, _b: g * a)
define(np.divide, lambda g, _y, _a, b: g / b, lambda g, y, _a, b: -g * y / b)
define(np.negative, lambda g, *_: -g)
define(np.positive, _same)
define(np.copy, _same)
define(np.reciprocal, lambda g, y, _x: -g * y * y)
define(np.square, lambda g, _y, x: 2 * g * x)
define(np.remainder, _same, lambda g, _y, a, b: -g * np.floor_divide(a, b))
define(np.fmod, _same, lambda g, _y, a, b: -g * np.trunc(a / b))
define(np.ldexp, lambda g, _y, _x, n: np.ldexp(g, n), None)
compose(np.divmod)(lambda a, b: (np.floor_divide(a, b), np.remainder(a, b)))
compose(np.modf)(lambda x: (np.fmod(x, 1), np.trunc(x)))
compose(np.conjugate)(lambda x: np.positive(x))


def _power_base(g: Array, _y: object, a: Array, b: Array | float) -> Array:
    """d(a**b)/da = b a**(b-1); 0 where b = 0, even at a = 0."""
    if isinstance(b, float | int):
        if b == 0:
            return np.zeros_like(g)
        return g * (2 * a) if b == 2 else g * (b * kernels.power(a, b - 1))
    return g * b * np.where((a == 0) & (b == 0), 1, a) ** (b - 1)


def _power_exponent(g: Array, y: Array, a: Array | float, _b: object) -> Array:
    """d(a**b)/db = a**b log a; 0 where a = 0, as 0**b is constant for b > 0."""
    if isinstance(a, float | int):
        return g * (y * math.log(a)) if a > 0 else g * (0.0 if a == 0 else math.nan)
    return g * (y * np.log(np.where(a == 0, 1, a)))


define(np.power, _power_base, _power_exponent, forward=kernels.power)
define(np.float_power, _power_base, _power_exponent)

# --------------------------------------------------------------- roots, exponentials, logarithms
define(np.sqrt, lambda g, y, _x: 0.5 * g / y)
define(np.cbrt, lambda g, y, _x: g / (3 * y * y))
define(np.exp, lambda g, y, _x: g * y)
define(np.exp2, lambda g, y, _x: g * y * math.log(2))
define(np.expm1, lambda g, y, _x: g * (y + 1))
define(np.log, lambda g, _y, x: g / x)
define(np.log2, lambda g, _y, x: g / (x * math.log(2)))
define(np.log10, lambda g, _y, x: g / (x * math.log(10)))
define(np.log1p, lambda g, _y, x: g / (1 + x))
define(np.logaddexp, lambda g, y, a, _b: g * np.exp(a - y), lambda g, y, _a, b: g * np.exp(b - y))
define(
    np.logaddexp2, lambda g, y, a, _b: g * np.exp2(a - y), lambda g, y, _a, b: g * np.exp2(b - y)
)


# ---------------------------------------------------------------- trigonometric and hyperbolic
def _radius(a: Array, b: Array) -> Array:
    """The length of (a, b), without overflow or underflow; 1 at (0, 0)."""
    r = np.hypot(a, b)
    return np.where(r == 0, 1, r)


define(np.sin, lambda g, _y, x: g * np.cos(x))
define(np.cos, lambda g, _y, x: -g * np.sin(x))
define(np.tan, lambda g, y, _x: g * (1 + y * y))
define(np.arcsin, lambda g, _y, x: g / np.sqrt(1 - x * x))
define(np.arccos, lambda g, _y, x: -g / np.sqrt(1 - x * x))
define(np.arctan, lambda g, _y, x: g / (1 + x * x))
define(
    np.arctan2,  # 0 at (0, 0)
    lambda g, _y, a, b: g * (b / _radius(a, b)) / _radius(a, b),
    lambda g, _y, a, b: -g * (a / _radius(a, b)) / _radius(a, b),
)
define(np.sinh, lambda g, _y, x: g * np.cosh(x))
define(np.cosh, lambda g, _y, x: g * np.sinh(x))
define(np.tanh, lambda g, y, _x: g * (1 - y * y))
define(np.arcsinh, lambda g, _y, x: g / np.sqrt(x * x + 1))
define(np.arccosh, lambda g, _y, x: g / np.sqrt((x - 1) * (x + 1)))
define(np.arctanh, lambda g, _y, x: g / (1 - x * x))
define(
    np.hypot,  # 0 at (0, 0)
    lambda g, y, a, _b: g * a / np.where(y == 0, 1, y),
    lambda g, y, _a, b: g * b / np.where(y == 0, 1, y),
)
for degrees in (np.degrees, np.rad2deg):
    define(degrees, lambda g, *_: g * (180 / math.pi))
for radians in (np.radians, np.deg2rad):
    define(radians, lambda g, *_: g * (math.pi / 180))

# -------------------------------------------------------------- kinks and steps: 0 at the kink
define(np.absolute, lambda g, _y, x: g * np.sign(x))
define(np.fabs, lambda g, _y, x: g * np.sign(x))
define(np.copysign, lambda g, _y, a, b: g * np.sign(a) * np.copysign(np.ones_like(a), b), _zero)
for step in (np.sign, np.floor, np.ceil, np.trunc, np.rint):
    define(step, _zero)
define(np.floor_divide, _zero, _zero)
define(np.heaviside, _zero, lambda g, _y, x, _h: np.where(x == 0, g, 0))
define(np.round, lambda g, _y, _x, decimals=0: np.zeros_like(g))


# ------------------------------------------------------ a choice of two: a tie is shared by halves
def _larger(g: Array, _y: object, a: Array, b: Array) -> Array:
    return np.where(a > b, g, np.where(a == b, g * 0.5, 0))


def _smaller(g: Array, _y: object, a: Array, b: Array) -> Array:
    return np.where(a < b, g, np.where(a == b, g * 0.5, 0))


def _swapped(pullback: Pullback) -> Pullback:
    return lambda g, _y, a, b: pullback(g, None, b, a)


def _or_other_nan(pullback: Pullback) -> Pullback:
    return lambda g, _y, a, b: np.where(np.isnan(b), g, pullback(g, None, a, b))


define(np.maximum, _larger, _swapped(_larger))
define(np.minimum, _smaller, _swapped(_smaller))
define(np.fmax, _or_other_nan(_larger), _swapped(_or_other_nan(_larger)))
define(np.fmin, _or_other_nan(_smaller), _swapped(_or_other_nan(_smaller)))


def _only(g: Any, mask: Any) -> Any:
    """Return g where `mask`, else zeros, not g * 0: a NaN or infinity there stays there."""
    if type(g) is type(mask) is np.ndarray and mask.dtype == bool:
        return kernels.masked(g, mask)
    return np.where(mask, g, 0)


@differentiable(
    None,
    lambda g, _y, c, _a, _b: _only(g, c),
    lambda g, _y, c, _a, _b: _only(g, np.logical_not(bare(c))),
)
def _where(condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition, x, y)


@compose(np.where)
def _where_or_indices(condition: Array, x: Any = None, y: Any = None) -> Array | tuple[Array, ...]:
    return np.nonzero(bare(condition)) if x is None and y is None else _where(condition, x, y)


@differentiable(
    lambda g, _y, x, low, high: _only(g, _within(x, low, high)),
    lambda g, _y, x, low, high: _only(g, _below(x, low, high)),
    lambda g, _y, x, low, high: _only(g, _above(x, low, high)),
)
def clip(x: Array, low: Limit = None, high: Limit = None) -> Array:
    """Limit `x` to [low, high]; on a limit itself the gradient goes to `x`."""
    return np.clip(x, low, high)


def _within(x: Array, low: Limit, high: Limit) -> Array | bool:
    return (True if low is None else x >= low) & (True if high is None else x <= high)


def _below(x: Array, low: Array, high: Limit) -> Array:
    return x < low if high is None else (x < low) & (low <= high)


def _above(x: Array, low: Limit, high: Array) -> Array:
    return x > high if low is None else (x > high) | (low > high)  # NumPy lets `high` win


@compose(np.clip)
def _clip(
    a: Array, a_min: Limit = None, a_max: Limit = None, *, min: Limit = None, max: Limit = None
) -> Array:
    return clip(a, a_min if min is None else min, a_max if max is None else max)


if hasattr(np, "astype"):  # since NumPy 2.1
    compose(np.astype)(lambda x, dtype: x.astype(dtype))
compose(np.around)(lambda a, decimals=0: np.round(a, decimals=decimals))
compose(np.fix)(lambda x: np.trunc(x))

# ----------------------------------------------------- integers and booleans have no derivative
compose(np.full_like)(lambda a, fill_value: np.full_like(bare(a), np.asarray(fill_value)))
_PLAIN = (
    "equal not_equal less less_equal greater greater_equal isnan isinf isfinite signbit "
    "logical_and logical_or logical_xor logical_not isclose allclose array_equal array_equiv "
    "argmax argmin nanargmax nanargmin argsort lexsort argpartition argwhere nonzero flatnonzero "
    "count_nonzero searchsorted digitize any all shape ndim size iscomplexobj isrealobj "
    "result_type can_cast min_scalar_type common_type may_share_memory shares_memory zeros_like "
    "ones_like empty_like array2string array_repr array_str isin unravel_index isneginf isposinf"
).split()
on_arrays(*(getattr(np, name) for name in _PLAIN))
