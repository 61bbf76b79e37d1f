"""Rows of reductions, running sums, statistics, and the methods of ufuncs."""

import numpy as np
from rows import AXES, HOLES, MASK, SCALAR, A, B, U, V, W, row


def reductions(names, x, **options):
    for name in names.split():
        f = getattr(np, name)
        for axis in AXES:
            for keep in (False, True):
                call = {"axis": axis, "keepdims": keep, **options}
                row(f"{name} {call}", lambda x, f=f, k=call: f(x, **k), x)
        row(f"{name} 0-d {options}", lambda x, f=f, k=options: f(x, **k), SCALAR)


# ------------------------------------------------------------------------------------- reductions
reductions("nansum nanprod nanmean nanvar nanstd nanmax nanmin nanmedian", HOLES)
reductions("median", A)
for name in ("quantile", "nanquantile", "percentile", "nanpercentile"):
    part = 0.37 if "quantile" in name else 37
    reductions(name, HOLES if "nan" in name else A, q=part)
    _f = getattr(np, name)
    many = np.array([[part, part / 2], [part / 3, part]])
    row(f"{name} of several", lambda x, f=_f, q=many: f(x, q, axis=0), A)
for _method in (
    *["linear", "lower", "higher", "nearest", "midpoint", "inverted_cdf", "hazen", "weibull"],
    *["averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf"],
    *["median_unbiased", "normal_unbiased"],
):
    row(f"quantile {_method}", lambda x, m=_method: np.quantile(x, 0.3, axis=1, method=m), A)
for name in ("sum", "prod", "mean", "var", "std"):
    _f = getattr(np, name)
    for axis in (None, 1):
        row(f"{name} where {axis}", lambda x, f=_f, a=axis: f(x, axis=a, where=MASK), A)
    row(f"{name} dtype", lambda x, f=_f: f(x, dtype=np.float64), A)
for name in ("sum", "prod"):
    _f = getattr(np, name)
    row(f"{name} initial", lambda x, f=_f: f(x, axis=0, initial=0.7, where=MASK), A)
for name, _limit in (("max", -9.0), ("min", 9.0)):
    _f = getattr(np, name)
    row(f"{name} initial", lambda x, f=_f, k=_limit: f(x, axis=0, initial=k, where=MASK), A)
    row(f"{name} of nothing", lambda x, f=_f: f(x[:0], axis=0, initial=0.7), A)
for name in ("var", "std"):
    _f = getattr(np, name)
    row(f"{name} correction", lambda x, f=_f: f(x, axis=1, correction=1), A)
    row(f"{name} mean", lambda x, f=_f: f(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)), A)
for name in ("cumprod", "nancumsum", "nancumprod", "cumsum"):
    _f = getattr(np, name)
    for axis in (None, 0, 1, -1):
        row(f"{name} {axis}", lambda x, f=_f, a=axis: f(x, axis=a), HOLES if "nan" in name else A)
    row(f"{name} dtype", lambda x, f=_f: f(x, axis=0, dtype=np.float64), A)
row("cumprod with zeros", lambda x: np.cumprod(x, axis=1), np.array([[0.0, 2, 3], [2, 0, 0]]))
for name in ("cumulative_sum", "cumulative_prod"):
    _f = getattr(np, name, None)
    for initial in (False, True):
        row(f"{name} {initial}", lambda x, f=_f, i=initial: f(x, axis=1, include_initial=i), A)
    row(f"{name} of a vector", _f, V)
for axis in (None, 0, -1, (0, 1)):
    row(f"average {axis}", lambda x, a=axis: np.average(x, axis=a), A)
    row(f"average keepdims {axis}", lambda x, a=axis: np.average(x, axis=a, keepdims=True), A)
    row(f"average weights {axis}", lambda x, w, a=axis: np.average(x, a, w), A, U)
row("average weights 1d", lambda x, w: list(np.average(x, 1, w, returned=True)), A, U[0])
row("trapezoid", lambda y: np.trapezoid(y, dx=0.3, axis=0), A)
row("trapezoid x", lambda y, x: np.trapezoid(y, x), A, W)
row("trapezoid x matrix", lambda y, x: np.trapezoid(y, x, axis=0), A, B)
for _options in (
    {},
    {"bias": True},
    {"ddof": 0},
    {"rowvar": False},
    {"aweights": [2.0, 1.0, 0.5, 1.0]},
    {"fweights": [1, 2, 1, 3], "aweights": [0.5, 1, 2, 1]},
):
    row(f"cov {_options}", lambda x, k=_options: np.cov(x, **k), A)
row("cov of two", np.cov, A, B)
row("cov of a vector", np.cov, V)
row("corrcoef", np.corrcoef, A)
row("corrcoef of two", lambda x, y: np.corrcoef(x, y, rowvar=False), A, B)

# ------------------------------------------------------------------------------------ ufunc methods
for name in ("add", "multiply", "maximum", "minimum", "logaddexp", "hypot", "subtract"):
    _f = getattr(np, name)
    if name != "subtract":
        for axis in (0, 1):
            row(f"{name}.reduce {axis}", lambda x, f=_f, a=axis: f.reduce(x, axis=a), A)
    row(f"{name}.accumulate", lambda x, f=_f: f.accumulate(x, axis=1), A)
    row(f"{name}.outer", _f.outer, A, W + 0.013)
    row(f"{name}.reduceat", lambda x, f=_f: f.reduceat(x, [0, 2, 1, 3], axis=1), A)
row("add.reduce all", lambda x: np.add.reduce(x, axis=None, initial=2.0, where=MASK), A)
row("multiply dtype", lambda x, y: np.multiply(x, y, dtype=np.float64), A, B)
