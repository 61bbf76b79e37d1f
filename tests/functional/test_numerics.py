"""Functions of networks at extreme inputs: within the ulps that docs/numerics.md states.

The reference is computed with more than 100 digits, from the very numbers that the function gets.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, gradients

mp = pytest.importorskip("mpmath")
PAGE = Path(__file__).parents[2] / "docs" / "numerics.md"
DTYPES = "float16", "float32", "float64"
LARGE = {"float16": 6e4, "float32": 1e38, "float64": 1e308}
DIGITS = {"float16": 120, "float32": 150, "float64": 420}  # differences of large numbers need them
FAR = {"float16": 30, "float32": 1e4, "float64": 1e8}


# ------------------------------------------------------------------------------------ inputs
def line(dtype):
    """Return numbers of all sizes, and of both signs."""
    ends = np.finfo(dtype)
    small = [float(ends.smallest_subnormal), float(ends.tiny), float(ends.eps), 1e-3, 0.1, 0.7]
    sizes = [*small, 1.0, 3.0, 9.5, 17.0, 60.0, 700.0, LARGE[dtype]]
    return np.array([*(-np.array(sizes[::-1])), -0.0, *sizes], dtype)


def rows(dtype):
    """Return rows of logits: close, far apart, large, and all alike."""
    rng = np.random.default_rng(0)
    far = LARGE[dtype] / 4
    fixed = [[0, 0, 0, 0], [far, 0, -far, far], [-far, -far, -far, -far], [11, -11, 0, 0.5]]
    scales = np.array([[1e-3], [1], [5], [50], [1000]])
    return np.concatenate([fixed, rng.normal(size=(5, 4)) * scales]).astype(dtype)


def columns(dtype):
    """Return columns about as far from 0 as they are wide."""
    return (3 + np.random.default_rng(1).normal(size=(20, 3))).astype(dtype)


def far_off(dtype):
    """Return columns of values close to each other and far from 0."""
    return columns(dtype) + np.dtype(dtype).type(FAR[dtype])


def many(dtype):
    return np.random.default_rng(2).random(100_000).astype(dtype)


# --------------------------------------------------------------------------------- references
def sigmoid(x):
    return 1 / (1 + mp.exp(-x)) if x >= 0 else mp.exp(x) / (1 + mp.exp(x))


def softplus(x):
    return max(x, 0) + mp.log1p(mp.exp(-abs(x)))


def by_value(function):
    return lambda x: [function(v) for v in x]


def by_row(function):
    return lambda x: [y for row in x for y in function(row)]


def log_sum(row):
    top = max(row)
    return top + mp.log(mp.fsum(mp.exp(v - top) for v in row))


def mean(values):
    return mp.fsum(values) / len(values)


def variance(values):
    centre = mean(values)
    return mp.fsum((v - centre) ** 2 for v in values) / len(values)


def by_column(function):
    return lambda x: [function(column) for column in zip(*x, strict=True)]


def normalised(x):
    columns = [*zip(*x, strict=True)]
    scaled = [[(v - mean(c)) / mp.sqrt(variance(c) + EPS) for v in c] for c in columns]
    return [v for row in zip(*scaled, strict=True) for v in row]


def norm(values):
    return mp.sqrt(mp.fsum(v * v for v in values))


def deviation(values):
    return mp.sqrt(variance(values))


def batch_norm(x):
    return F.batch_norm(x, np.ones(3, x.dtype), np.zeros(3, x.dtype))


LABELS, TARGETS, EPS = np.arange(9) % 4, (np.arange(27) % 2), mp.mpf(1e-6)
FUNCTIONS = {  # name: the function, its inputs, its reference
    "sigmoid": (F.sigmoid, line, by_value(sigmoid)),
    "softplus": (F.softplus, line, by_value(softplus)),
    "binary_cross_entropy_with_logits": (
        lambda x: F.binary_cross_entropy_with_logits(x, TARGETS[: x.size]),
        lambda dtype: np.clip(line(dtype), -1e3, 1e3),
        lambda x: [mean([softplus(v) - v * int(t) for v, t in zip(x, TARGETS, strict=True)])],
    ),
    "softmax": (F.softmax, rows, by_row(lambda r: [mp.exp(v - log_sum(r)) for v in r])),
    "log_softmax": (F.log_softmax, rows, by_row(lambda r: [v - log_sum(r) for v in r])),
    "logsumexp": (lambda x: F.logsumexp(x, axis=1), rows, by_row(lambda r: [log_sum(r)])),
    "cross_entropy": (
        lambda x: F.cross_entropy(x, LABELS),
        lambda dtype: np.clip(rows(dtype), -1e3, 1e3),
        lambda x: [mean([log_sum(r) - r[int(t)] for r, t in zip(x, LABELS, strict=True)])],
    ),
    "np.linalg.norm": (_norm := lambda x: np.linalg.norm(x, axis=0), columns, by_column(norm)),
    "np.var": (_var := lambda x: np.var(x, axis=0), columns, by_column(variance)),
    "np.std": (_std := lambda x: np.std(x, axis=0), columns, by_column(deviation)),
    "batch_norm": (batch_norm, columns, normalised),
    "np.linalg.norm, far off": (_norm, far_off, by_column(norm)),
    "np.var, far off": (_var, far_off, by_column(variance)),
    "np.std, far off": (_std, far_off, by_column(deviation)),
    "batch_norm, far off": (batch_norm, far_off, normalised),
    "np.mean of 100,000": (np.mean, many, lambda x: [mean(x)]),
}


def exact(x):
    """Return the same numbers as mpmath's."""
    return [exact(v) for v in x] if np.ndim(x) else mp.mpf(float(x))


def slopes(reference, x, upstream):
    """Return the derivatives of a reference, weighted by `upstream`, by differences."""
    values, step, found = [exact(v) for v in x.ravel()], mp.mpf(10) ** -40, []
    for i, value in enumerate(values):
        ends = []
        for moved in (value + step, value - step):
            flat = [*values[:i], moved, *values[i + 1 :]]
            rows = [flat[j : j + x.shape[-1]] for j in range(0, x.size, x.shape[-1])]
            ys = reference(flat if x.ndim == 1 else rows)
            ends.append(mp.fsum(u * y for u, y in zip(upstream, ys, strict=True)))
        found.append((ends[0] - ends[1]) / (2 * step))
    return found


def ulps(found, expected, dtype, of_the_largest):
    """Return the largest error in units of the last place, of each value or of the largest."""
    sizes = np.array([float(abs(e)) for e in expected])
    sizes = np.full_like(sizes, sizes.max()) if of_the_largest else sizes
    units = np.spacing(sizes.astype(dtype)).astype(float)
    pairs = zip(np.ravel(found), expected, strict=True)
    errors = [float(abs(exact(f) - e)) for f, e in pairs]
    return float(np.max(np.array(errors) / units))


def measured(name, dtype):
    """Return the errors of value and gradient."""
    function, inputs, reference = FUNCTIONS[name]
    with mp.workdps(DIGITS[dtype]), np.errstate(all="ignore"):
        x = inputs(dtype)
        tensor = Tensor(x, requires_grad=True)
        y = function(tensor)
        assert y.dtype == dtype
        value = ulps(y.data, reference(exact(x)), dtype, inputs is not line)
        if inputs is many:
            (g,) = gradients(y, [tensor])
            return value, ulps(g.data, [1 / mp.mpf(x.size)] * x.size, dtype, True)
        upstream = np.random.default_rng(3).normal(size=y.shape).astype(dtype)
        (g,) = gradients(y, [tensor], upstream)
        expected = slopes(reference, x, [exact(u) for u in upstream.ravel()])
        return value, ulps(g.data, expected, dtype, True)


def stated():
    """Read the table of the page: by name and dtype, the errors of value and gradient."""
    rows = re.findall(
        r"^\| `(.*?)`(.*?) \| .* \| (.*) \| (.*) \| (.*) \|$", PAGE.read_text("utf-8"), re.M
    )
    return {
        (name + rest, dtype): tuple(float(n.replace(",", "")) for n in cell.split(" / "))
        for name, rest, *cells in rows
        for dtype, cell in zip(DTYPES, cells, strict=True)
    }


def test_every_function_has_its_row():
    assert set(stated()) == {(name, dtype) for name in FUNCTIONS for dtype in DTYPES}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_are_within_what_is_stated(name, dtype):
    value, gradient = measured(name, dtype)
    most_value, most_gradient = stated()[name, dtype]
    assert value <= most_value
    assert gradient <= most_gradient
