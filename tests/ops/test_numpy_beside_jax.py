"""The rows of NumPy's functions beside JAX, in float64, real and complex: values and gradients."""

import types

import numpy as np
import pytest
from numpy_rows import complex_rows, rows
from operations import OPERATIONS

from minigrad import Tensor, gradients, vjp

pytestmark = pytest.mark.slow

# The sign of a complex number is a step to JAX, and its arccosh has another branch: ours is that of
# NumPy, and agrees with differences.
NOT_AS_NUMPY = {"complex sign", "complex arccosh"}
# JAX gives its functions of sets no gradient, and keeps the leading zeros of a remainder.
OTHER = {
    *(
        "intersect1d polydiv setdiff1d setxor1d union1d unique unique_all unique_counts "
        "unique_inverse unique_values"
    ).split()
}


def one_of_each():
    seen, chosen = set(), []
    for row in [*rows, *complex_rows, *OPERATIONS]:
        words = row.name.replace(".", " ").split()
        key = tuple(words[: 1 + (words[0] in ("complex", "linalg", "norm", "svd", "qr", "eigh"))])
        if (
            key in seen
            or words[-1] in OTHER
            or words[0] in OTHER
            or {*words[1:2]} & OTHER
            or row.name in NOT_AS_NUMPY
        ):
            continue
        seen.add(key)
        chosen.append(row)
    return chosen


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def taking_lists(function):
    """Return a function of JAX that takes lists of numbers, as NumPy's do."""

    def run(*arguments, **keywords):
        return function(*map(as_array, arguments), **{k: as_array(v) for k, v in keywords.items()})

    return run


def as_array(value):
    flat = isinstance(value, list) and all(isinstance(v, float | int) for v in value)
    return np.asarray(value) if flat else value


class Space:
    """A module of JAX whose functions take lists."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        value = getattr(self._module, name)
        if isinstance(value, types.ModuleType):
            return Space(value)
        takes = callable(value) and not isinstance(value, type) and not hasattr(value, "reduceat")
        return taking_lists(value) if takes else value


def in_jax(value, jnp, done):
    """Return a function as it would be if `np` were JAX's."""
    module = getattr(value, "__module__", None) or ""
    if isinstance(value, np.ufunc) or module.startswith("numpy"):
        inner = next((m for m in ("linalg", "fft") if m in module), None)
        owner = getattr(value, "__self__", None)
        if isinstance(owner, np.ufunc):
            return getattr(getattr(jnp, owner.__name__), value.__name__)
        space = getattr(jnp, inner) if inner else jnp
        found = getattr(space, value.__name__)
        return found if hasattr(found, "reduceat") else taking_lists(found)
    if isinstance(value, types.FunctionType) and "np" in value.__globals__:
        if value not in done:
            done[value] = None
            scope = {**value.__globals__, "np": Space(jnp)}
            used = [
                n for n in value.__code__.co_names if isinstance(scope.get(n), types.FunctionType)
            ]
            scope.update({n: in_jax(scope[n], jnp, done) for n in used})
            defaults = tuple(in_jax(d, jnp, done) for d in value.__defaults__ or ())
            cells = value.__closure__
            done[value] = types.FunctionType(value.__code__, scope, value.__name__, defaults, cells)
        return done[value]
    return value


def listed(value):
    return list(value) if isinstance(value, list | tuple) else [value]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", one_of_each(), ids=lambda row: row.name)
def test_agrees_with_jax(row, jax):
    try:
        f = in_jax(row.function, jax.numpy, {})
        theirs, pull = jax.vjp(lambda *x: listed(f(*x)), *map(jax.numpy.asarray, row.inputs))
    except (AttributeError, NotImplementedError, TypeError, ValueError, KeyError) as error:
        pytest.skip(f"JAX: {error!s:.80}")
    xs = [Tensor(x, requires_grad=True) for x in row.inputs]
    ours = listed(row.function(*xs))
    for y, t in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(y.data, t, rtol=1e-9, atol=1e-11)
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=y.shape) for y in ours]
    weights = [
        w + 1j * np.flip(w) if y.dtype.kind == "c" else w
        for w, y in zip(weights, ours, strict=True)
    ]
    live = [(y, w) for y, w in zip(ours, weights, strict=True) if y.requires_grad]
    found = gradients([y for y, _ in live], xs, [w for _, w in live])
    expected = pull([jax.numpy.asarray(w, t.dtype) for w, t in zip(weights, theirs, strict=True)])
    for g, e, x in zip(found, expected, xs, strict=True):
        g = np.zeros(x.shape) if g is None else g.data
        np.testing.assert_allclose(g, e, rtol=1e-8, atol=1e-10)


SPECIAL = (
    "beta betaln boxcox digamma entr erf erfc erfinv expit gamma gammaln gammasgn i0 i0e i1 i1e "
    "kl_div log_ndtr logit ndtr ndtri rel_entr spence xlog1py xlogy"
).split()


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions_agree_with_jax(name, jax):
    special = pytest.importorskip("scipy.special")
    f, theirs = getattr(special, name), getattr(jax.scipy.special, name)
    xs = [np.array([0.11, 0.37, 0.83]), np.array([0.29, 0.53, 0.71])][: f.nin]
    (y, pull), (z, push) = vjp(f, *xs), jax.vjp(theirs, *map(jax.numpy.asarray, xs))
    np.testing.assert_allclose(y, z, rtol=1e-9)
    for g, e in zip(pull(np.ones(3)), push(jax.numpy.ones(3)), strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-8, atol=1e-12)
