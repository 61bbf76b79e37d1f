"""Pullbacks of the elementwise functions.

Where a function has a kink, its row says which value is taken there. The sweep itself sums the
gradients of inputs that were broadcast.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd import Array, alike, bare, compose, define, differentiable, on_arrays
from minigrad.kernels import elementwise as kernels
from minigrad.ops.complex_numbers import ordered

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
compose(np.frexp)(lambda x: (np.ldexp(x, -np.frexp(bare(x))[1]), np.frexp(bare(x))[1]))
compose(np.modf)(lambda x: (np.fmod(x, 1), np.trunc(x)))


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
define(np.arccosh, lambda g, _y, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)))
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


@compose(np.sinc)
def _sinc(x: Any) -> Any:
    """sin(pi x) / (pi x); near 0 its series, so that derivatives of every order are exact."""
    (x,) = alike([x])
    t = x * math.pi
    square = t * t
    series = square * 0 + 1
    for k in range(20, 0, -2):  # 1 - t^2/3! (1 - t^2/(4 5) (1 - ...))
        series = 1 - square / (k * (k + 1)) * series
    near = np.abs(bare(t)) < 1
    safe = np.where(near, 1, t)
    return np.where(near, series, np.sin(safe) / safe)


def _bessel_gradient(g: Any, _y: Any, x: Any, order: int) -> Any:
    """I_n' = (I_(n-1) + I_(n+1)) / 2."""
    return g * 0.5 * (_bessel_i(x, order=abs(order - 1)) + _bessel_i(x, order=order + 1))


@differentiable(_bessel_gradient)
def _bessel_i(x: Any, order: int) -> Any:
    """The mean of exp(x cos t) cos(n t): 128 points are exact wherever exp(x) is finite."""
    angles = (np.arange(128) + 0.5) * (math.pi / 128)
    pairs = zip(np.cos(angles).tolist(), np.cos(order * angles).tolist(), strict=True)
    return sum(np.exp(x * c) * (w / 128) for c, w in pairs)


define(np.i0, lambda g, _y, x: g * _bessel_i(x, order=1))

# -------------------------------------------------------------- kinks and steps: 0 at the kink
define(np.fabs, lambda g, _y, x: g * np.sign(x))
define(np.copysign, lambda g, _y, a, b: g * np.sign(a) * np.copysign(np.ones_like(a), b), _zero)
define(np.nextafter, _same, _zero)
for step in (np.floor, np.ceil, np.trunc, np.rint, np.spacing):
    define(step, _zero)
define(np.floor_divide, _zero, _zero)
define(np.heaviside, _zero, lambda g, _y, x, _h: np.where(x == 0, g, 0))
define(np.round, lambda g, _y, _x, decimals=0: np.zeros_like(g))


# ------------------------------------------------------ a choice of two: a tie is shared by halves
def _chosen(g: Array, y: Array, a: Array, b: Array) -> Array:
    return np.where(a == b, g * 0.5, np.where(a == y, g, 0))


for choice in (np.maximum, np.minimum, np.fmax, np.fmin):
    define(choice, _chosen, lambda g, y, a, b: _chosen(g, y, b, a), forward=ordered(choice))


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
    return ordered(np.clip)(x, low, high)


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


@compose(np.ix_)
def _ix(*sequences: Any) -> Any:
    """Positions and masks alone: as an index, floats mean nothing."""
    if any(np.asarray(bare(s)).dtype.kind not in "biu" for s in sequences if np.size(bare(s))):
        raise TypeError("ix_: expected whole numbers or masks, got floats")
    return np.ix_(*bare(sequences))


compose(np.around)(lambda a, decimals=0: np.round(a, decimals=decimals))
compose(np.fix)(lambda x: np.trunc(x))

# ----------------------------------------------------- integers and booleans have no derivative
_PLAIN = (
    "equal not_equal isnan isinf isfinite signbit iscomplex isreal "
    "tril_indices_from triu_indices_from diag_indices_from einsum_path "
    "logical_and logical_or logical_xor logical_not isclose allclose array_equal array_equiv "
    "argwhere nonzero flatnonzero count_nonzero any all shape ndim size iscomplexobj isrealobj "
    "result_type can_cast min_scalar_type common_type may_share_memory shares_memory zeros_like "
    "ones_like empty_like array2string array_repr array_str isin unravel_index isneginf isposinf"
).split()
on_arrays(*(getattr(np, name) for name in _PLAIN))
