"""Pullbacks of the ufuncs of scipy.special, for Tensors that are handed to them.

It is imported when SciPy is there and one of its functions meets a Tensor. Equations as in the
NIST Digital Library of Mathematical Functions, chapters 5 to 10 and 25. An order or a shape
parameter has no derivative that SciPy could express: it is refused by its number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from minigrad.autograd import Primitive, alike, bare, compose, define, differentiable, rules

_ROOT_PI, _ROOT_2_PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)


# ---------------------------------------------------------------------- the gamma function's kin
@differentiable(lambda g, _y, x, s: -s * g * _hurwitz(x, s=s + 1))  # type: ignore[has-type]
def _hurwitz(x: Any, s: int) -> Any:
    """The sum of 1 / (x + n)^s, as a function of x."""
    return sp.zeta(s, x)


def _trigamma(x: Any) -> Any:
    """The sum of 1 / (x + n)^2; below 0 by reflection."""
    above = bare(x) > 0
    safe = np.where(above, 0.5, x)
    low = (math.pi / np.sin(math.pi * safe)) ** 2 - _hurwitz(1 - safe, s=2)
    return np.where(above, _hurwitz(np.where(above, x, 1), s=2), low)


def _keeping(function: Any) -> Any:
    """Give results the type of the last argument: beside Python's numbers SciPy may widen it."""
    return lambda *arguments: function(*arguments).astype(np.asarray(arguments[-1]).dtype)


def _beta_gradient(scale: Any) -> tuple[Any, Any]:
    return (
        lambda g, y, a, b: g * scale(y) * (sp.psi(a) - sp.psi(a + b)),
        lambda g, y, a, b: g * scale(y) * (sp.psi(b) - sp.psi(a + b)),
    )


def _log_density(a: Any, x: Any) -> Any:
    """The logarithm of the density of the gamma distribution."""
    return sp.xlogy(a - 1, x) - x - sp.gammaln(a)


for _f in {sp.psi, sp.digamma}:
    define(_f, lambda g, _y, x: g * _trigamma(x))
define(sp.gamma, lambda g, y, x: g * y * sp.psi(x))
define(sp.rgamma, lambda g, y, x: -g * y * sp.psi(x))
define(sp.gammaln, lambda g, _y, x: g * sp.psi(x))
define(sp.loggamma, lambda g, _y, x: g * sp.psi(x))
define(sp.gammasgn, lambda g, *_: np.zeros_like(g))
define(sp.beta, *_beta_gradient(lambda y: y))
define(sp.betaln, *_beta_gradient(lambda _y: 1))
define(
    sp.betainc,
    None,
    None,
    lambda g, _y, a, b, x: g * np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b)),
)
define(
    sp.gammainc,
    None,
    lambda g, _y, a, x: g * np.exp(_log_density(a, x)),
    forward=_keeping(sp.gammainc),
)
define(
    sp.gammaincc,
    None,
    lambda g, _y, a, x: -g * np.exp(_log_density(a, x)),
    forward=_keeping(sp.gammaincc),
)

# ------------------------------------------------------------------------------ Bessel functions
define(sp.j0, lambda g, _y, x: -g * sp.j1(x))
define(sp.y0, lambda g, _y, x: -g * sp.y1(x))
define(sp.i0, lambda g, _y, x: g * sp.i1(x))
define(sp.k0, lambda g, _y, x: -g * sp.k1(x))
define(sp.j1, lambda g, _y, x: g * 0.5 * (sp.j0(x) - sp.jv(2, x)))
define(sp.y1, lambda g, _y, x: g * 0.5 * (sp.y0(x) - sp.yn(2, x)))
define(sp.i1, lambda g, _y, x: g * 0.5 * (sp.i0(x) + sp.iv(2, x)))
define(sp.k1, lambda g, _y, x: -g * 0.5 * (sp.k0(x) + sp.kn(2, x)))
define(sp.i0e, lambda g, y, x: g * (sp.i1e(x) - np.sign(x) * y))
define(sp.i1e, lambda g, y, x: g * (0.5 * (sp.i0e(x) + sp.ive(2, x)) - np.sign(x) * y))
define(
    sp.ive,
    None,
    lambda g, y, v, x: g * (_mean_of_neighbours(sp.ive, v, x) - np.sign(x) * y),
    forward=_keeping(sp.ive),
)


def _mean_of_neighbours(function: Any, v: Any, x: Any, sign: int = 1) -> Any:
    return 0.5 * (function(v - 1, x) + sign * function(v + 1, x))


def _by_order(function: Any, left: int, right: int) -> None:
    """J' = (J_(v-1) - J_(v+1)) / 2, and so on: the signs of the two neighbours."""
    define(
        function,
        None,
        lambda g, _y, v, x: g * left * _mean_of_neighbours(function, v, x, right * left),
        forward=_keeping(function),
    )


for _f in {sp.jn, sp.jv, sp.yn, sp.yv}:
    _by_order(_f, 1, -1)
_by_order(sp.iv, 1, 1)
for _f in {sp.kn, sp.kv}:
    _by_order(_f, -1, -1)

# -------------------------------------------------------------------- error functions, the normal
define(sp.erf, lambda g, _y, x: g * (2 / _ROOT_PI) * np.exp(-x * x))
define(sp.erfc, lambda g, _y, x: -g * (2 / _ROOT_PI) * np.exp(-x * x))
define(sp.erfi, lambda g, _y, x: g * (2 / _ROOT_PI) * np.exp(x * x))
define(sp.erfinv, lambda g, y, _x: g * (_ROOT_PI / 2) * np.exp(y * y))
define(sp.erfcinv, lambda g, y, _x: -g * (_ROOT_PI / 2) * np.exp(y * y))
define(sp.erfcx, lambda g, y, x: g * (2 * x * y - 2 / _ROOT_PI))
define(sp.dawsn, lambda g, y, x: g * (1 - 2 * x * y))
define(sp.wofz, lambda g, y, x: g * (2j / _ROOT_PI - 2 * x * y))
define(sp.ndtr, lambda g, _y, x: g * np.exp(-0.5 * x * x) / _ROOT_2_PI)
define(sp.log_ndtr, lambda g, y, x: g * np.exp(-0.5 * x * x - y) / _ROOT_2_PI)
define(sp.ndtri, lambda g, y, _x: g * _ROOT_2_PI * np.exp(0.5 * y * y))

# ------------------------------------------------------------------------- logistic, logarithms
define(sp.expit, lambda g, y, _x: g * y * (1 - y))
define(sp.logit, lambda g, _y, x: g / (x * (1 - x)))
define(sp.log_expit, lambda g, _y, x: g * sp.expit(-x))
define(sp.exp10, lambda g, y, _x: g * y * math.log(10))
define(sp.entr, lambda g, _y, x: -g * (np.log(x) + 1))
define(sp.xlogy, lambda g, _y, x, y: g * np.log(y), lambda g, _y, x, y: g * x / y)
define(sp.xlog1py, lambda g, _y, x, y: g * np.log1p(y), lambda g, _y, x, y: g * x / (1 + y))
define(sp.rel_entr, lambda g, _y, x, y: g * (np.log(x / y) + 1), lambda g, _y, x, y: -g * x / y)
define(sp.kl_div, lambda g, _y, x, y: g * np.log(x / y), lambda g, _y, x, y: g * (1 - x / y))
define(sp.cosm1, lambda g, _y, x: -g * np.sin(x))
for _f in (sp.exp2, sp.expm1, sp.log1p, sp.cbrt):
    _same = rules[getattr(np, _f.__name__)]
    define(_f, *(_same.pullbacks if isinstance(_same, Primitive) else ()))


@compose(sp.exprel)
def _exprel(x: Any) -> Any:
    """(exp(x) - 1) / x; near 0 its series, so that derivatives of every order are exact."""
    (x,) = alike([x])
    near = np.abs(bare(x)) < 1
    small, large = np.where(near, x, 0), np.where(near, 1, x)
    series = small * 0 + 1
    for k in range(20, 1, -1):  # 1 + x/2 (1 + x/3 (1 + ...))
        series = 1 + small / k * series
    return np.where(near, series, np.expm1(large) / large)


def _spence_gradient(g: Any, _y: Any, z: Any) -> Any:
    """log(z) / (1 - z); near 1 its series."""
    d = z - 1
    near = np.abs(bare(d)) < 0.1
    small = np.where(near, d, 0)
    series = small * 0
    for k in range(18, 0, -1):  # -(1 - d/2 + d^2/3 - ...)
        series = -1 / k - small * series
    return g * np.where(near, series, np.log(np.where(near, 2, z)) / -np.where(near, 1, d))


define(sp.spence, _spence_gradient)


# ----------------------------------------------------------------------------------------- losses
def _boxcox_shape(g: Any, y: Any, x: Any, power: Any) -> Any:
    """(x^p log x - y) / p, and log(x)^2 / 2 at p = 0."""
    zero = bare(power) == 0
    safe, log = np.where(zero, 1, power), np.log(x)
    return g * np.where(zero, 0.5 * log * log, (np.exp(power * log) * log - y) / safe)


define(sp.boxcox, lambda g, _y, x, p: g * np.exp((p - 1) * np.log(x)), _boxcox_shape)
define(
    sp.huber,
    lambda g, _y, d, r: g * np.maximum(np.abs(r) - d, 0),
    lambda g, _y, d, r: g * np.clip(r, -d, d),
)
define(
    sp.pseudo_huber,
    lambda g, y, d, r: g * (2 * y / d - r * r / (d * np.hypot(1, r / d))),
    lambda g, _y, d, r: g * r / np.hypot(1, r / d),
)
