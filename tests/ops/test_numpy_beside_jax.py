"""The rows of NumPy's functions beside JAX, in float64, real and complex: values and gradients."""

import types

import numpy as np
import pytest
from numpy_rows import complex_rows, rows
from operations import OPERATIONS

from minigrad import Tensor, gradients

pytestmark = pytest.mark.slow

# The sign of a complex number is a step to JAX, and its arccosh has another branch: ours is that of
# NumPy, and agrees with differences.
NOT_AS_NUMPY = {"complex sign", "complex arccosh"}
# JAX has no such function or option, or no derivative of it, or another one at a step.
OTHER = {
    *(
        "copysign divmod eig fix float_power floor_divide fmod frexp heaviside histogram "
        "intersect1d nextafter piecewise polydiv real_if_close remainder resize roots setdiff1d "
        "setxor1d spacing tensorsolve union1d unique unique_all unique_counts unique_inverse "
        "unique_values unwrap "
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


def in_jax(value, jnp, done):
    """Return a function as it would be if `np` were JAX's."""
    module = getattr(value, "__module__", None) or ""
    if isinstance(value, np.ufunc) or module.startswith("numpy"):
        inner = next((m for m in ("linalg", "fft") if m in module), None)
        owner = getattr(value, "__self__", None)
        if isinstance(owner, np.ufunc):
            return getattr(getattr(jnp, owner.__name__), value.__name__)
        space = getattr(jnp, inner) if inner else jnp
        return getattr(space, value.__name__)
    if isinstance(value, types.FunctionType) and "np" in value.__globals__:
        if value not in done:
            done[value] = None
            scope = {**value.__globals__, "np": jnp}
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
