"""Statistics: averages, quantiles, covariances, and reductions that leave NaN out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from minigrad.autograd import alike, bare, compose, messages
from minigrad.ops.complex_numbers import conj, is_complex


# --------------------------------------------------------------------------- leaving NaN out
def _skipping(function: Callable[..., Any], neutral: float) -> None:
    """Make `np.nansum` and its kin: NaN counts as the neutral element; all NaN: as NumPy says."""
    plain = getattr(np, function.__name__.removeprefix("nan"))
    always = neutral in (0, 1)

    def run(a: Any, axis: Any = None, **options: Any) -> Any:
        y = plain(np.where(np.isnan(a), neutral, a), axis=axis, **options)
        if always or not np.any(np.isinf(bare(y))):
            return y
        keep = {"keepdims": options.get("keepdims", False)}
        return np.where(np.all(np.isnan(bare(a)), axis=axis, **keep), np.nan, y)

    compose(function)(run)


_skipping(np.nansum, 0)
_skipping(np.nanprod, 1)
_skipping(np.nanmax, -np.inf)
_skipping(np.nanmin, np.inf)


def _counting(function: Callable[..., Any]) -> None:
    """Make `np.nanmean` and its kin, which count the values that are there."""
    plain = getattr(np, function.__name__.removeprefix("nan"))

    def run(a: Any, axis: Any = None, *, where: Any = True, **options: Any) -> Any:
        there = ~np.isnan(a) & where
        return plain(a, axis=axis, where=there, **options)

    compose(function)(run)


for _f in (np.nanmean, np.nanvar, np.nanstd):
    _counting(_f)


# -------------------------------------------------------------------------------------- quantiles
def _quantiles(
    a: Any, q: Any, axis: Any, method: Any, keepdims: bool, skip: bool, weights: Any = None
) -> Any:
    """Between two neighbours in the order of the values, of which each gets its share.

    Where NumPy puts a quantile of n values is seen from that of 0, 1, ..., n - 1. Of equal values
    the gradient goes to those that a stable sort puts there.
    """
    if is_complex(a):
        raise TypeError(messages.no_order("quantile"))
    if weights is not None:
        raise TypeError("quantile: weights= has no derivative here: sort, and sum the weights")
    if skip and not a.size:
        return np.mean(a, axis=axis, keepdims=keepdims)  # NaN, with NumPy's warning
    shape, n = a.shape, a.ndim
    axes = tuple(range(n)) if axis is None else normalize_axis_tuple(axis, n, "axis")
    rest = [i for i in range(n) if i not in axes]
    length = math.prod(shape[i] for i in axes)
    a = np.reshape(np.transpose(a, (*rest, *axes)), (*[shape[i] for i in rest], length))
    if a.dtype.kind != "f":
        a = a.astype(float)
    ordered = np.sort(a, axis=-1)
    missing = np.isnan(bare(ordered))
    counts = length - np.sum(missing, axis=-1) if skip else np.full(a.shape[:-1], length)
    found = []
    for share in np.ravel(bare(q)).tolist():
        place = np.zeros(counts.shape)
        for count in np.unique(counts):
            if count:
                place[counts == count] = np.quantile(np.arange(float(count)), share, method=method)
        low = np.floor(place).astype(int)
        weight = (place - low).astype(a.dtype)
        lower, upper = (
            np.take_along_axis(ordered, np.expand_dims(np.minimum(k, max(length - 1, 0)), -1), -1)
            for k in (low, low + (weight > 0))
        )
        y = (lower + (upper - lower) * np.expand_dims(weight, -1))[..., 0]
        gone = counts == 0 if skip else np.any(missing, axis=-1)
        y = np.where(gone, np.nan, y) if np.any(gone) else y
        if keepdims:
            y = np.reshape(y, [1 if i in axes else k for i, k in enumerate(shape)])
        found.append(y)
    return found[0] if np.ndim(q) == 0 else np.reshape(np.stack(found), (*np.shape(q), *y.shape))


def _quantile_of(skip: bool, percent: bool) -> Callable[..., Any]:
    def run(
        a: Any,
        q: Any,
        axis: Any = None,
        *,
        method: Any = "linear",
        keepdims: bool = False,
        weights: Any = None,
    ) -> Any:
        q = np.true_divide(bare(q), 100) if percent else bare(q)
        return _quantiles(a, q, axis, method, keepdims, skip, weights)

    return run


def _median_of(skip: bool) -> Callable[..., Any]:
    def run(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        if not a.size:
            return np.mean(a, axis=axis, keepdims=keepdims)
        return _quantiles(a, 0.5, axis, "linear", keepdims, skip)

    return run


for _name, _skip in (("", False), ("nan", True)):
    compose(getattr(np, f"{_name}quantile"))(_quantile_of(_skip, percent=False))
    compose(getattr(np, f"{_name}percentile"))(_quantile_of(_skip, percent=True))
    compose(getattr(np, f"{_name}median"))(_median_of(_skip))


# -------------------------------------------------------------------- averages and covariances
@compose(np.average)
def _average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    if weights is None:
        y = np.mean(a, axis=axis, keepdims=keepdims)
        total = np.full(y.shape, a.size / max(y.size, 1), y.dtype)
        return (y, total) if returned else y
    a, weights = alike([a, weights])
    if weights.shape != a.shape:
        if axis is None:
            raise TypeError(
                f"average: weights of shape {weights.shape} for values of shape {a.shape}: name "
                "the axis"
            )
        axes = normalize_axis_tuple(axis, a.ndim, "axis")
        if weights.shape != tuple(a.shape[i] for i in axes):
            raise ValueError(f"average: weights of shape {weights.shape} do not fit axis {axis}")
        weights = np.transpose(weights, np.argsort(axes))
        weights = np.reshape(weights, [k if i in axes else 1 for i, k in enumerate(a.shape)])
        weights = np.broadcast_to(weights, a.shape)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    if np.any(bare(total) == 0):
        raise ZeroDivisionError("average: the weights sum to 0")
    y = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (y, total) if returned else y


@compose(np.cov)
def _cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    if m.ndim > 2:
        raise ValueError(f"cov: expected a vector or a matrix, got shape {m.shape}")
    x = np.atleast_2d(m) if m.ndim < 2 else m
    x = x if rowvar or m.ndim < 2 else np.transpose(x)
    if y is not None:
        other = np.atleast_2d(alike([y, m])[0])
        x = np.concatenate([x, other if rowvar or np.ndim(y) < 2 else np.transpose(other)])
    x = x if dtype is None else x.astype(dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    fweights, aweights = (w if w is None else alike([w, x])[0] for w in (fweights, aweights))
    weights = aweights if fweights is None else fweights
    if fweights is not None and aweights is not None:
        weights = fweights * aweights
    if weights is None:
        centred, n = x - np.mean(x, axis=1, keepdims=True), x.shape[1] - ddof
        weighted = centred
    else:
        total = np.sum(weights)
        centred = x - np.expand_dims(np.sum(x * weights, axis=1) / total, 1)
        weighted = centred * weights
        n = total - ddof * (np.sum(weights * aweights) / total if aweights is not None else 1)
    n = n if bare(n) > 0 else 0.0  # too few values: NaN
    return np.squeeze(np.matmul(centred, conj(np.transpose(weighted))) / n)


@compose(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = np.cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    size = np.sqrt(np.real(np.diagonal(c)))
    return c / np.expand_dims(size, 1) / size


# -------------------------------------------------------------------------------------- histograms
@compose(np.histogram_bin_edges)
def _bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """Edges from the least value to the largest, which have their gradients."""
    given = np.histogram_bin_edges(bare(a), bare(bins), range, bare(weights))
    if np.ndim(bins) or range is not None or given[0] == given[-1]:
        return bins if np.ndim(bins) else given
    return np.linspace(np.min(a), np.max(a), len(given))


@compose(np.histogram)
def _histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Counts are constants; with weights, each bin is their sum."""
    edges = np.histogram_bin_edges(a, bins, range, weights)
    values, ends = np.ravel(bare(a)), bare(edges)
    if weights is None:
        counts: Any = np.histogram(values, ends)[0]
    else:
        inside = (values >= ends[0]) & (values <= ends[-1])
        places = np.clip(np.searchsorted(ends, values, side="right") - 1, 0, len(ends) - 2)
        counts = np.bincount(places[inside], np.ravel(weights)[inside], len(ends) - 1)
    return (counts / np.sum(counts) / np.diff(edges) if density else counts), edges
