"""Functions of functions: values, shapes, dtypes, nesting, and agreement with JAX."""

import math
import sys

import numpy as np
import pytest

from minigrad import (
    Tensor,
    elementwise_grad,
    flatten,
    ggnvp,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    nn,
    no_grad,
    value_and_grad,
    vjp,
)

RNG = np.random.default_rng(0)
X, M = RNG.normal(size=5), RNG.normal(size=(5, 5))
P = M @ M.T + 5 * np.eye(5)
BATCH = RNG.normal(size=(7, 5))


# Each is written in the functions of a module called np: NumPy's here, JAX's to compare with.
def logistic(np, x):
    return np.mean(np.log1p(np.exp(-(BATCH @ x))))


def rosenbrock(np, x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rational(np, x):
    return np.sum(x / (1 + x * x)) ** 2 / (1 + np.sum(x * x))


def softmax_entropy(np, x):
    p = np.exp(x - np.max(x))
    p = p / np.sum(p)
    return -np.sum(p * np.log(p))


def norms(np, x):
    return np.linalg.norm(x) * np.sqrt(1 + np.sum(np.abs(x) ** 3))


def quadratic_form(np, x):
    return 0.5 * np.dot(x, np.matmul(P, x)) + np.sum(np.sin(x))


def products(np, x):
    return np.prod(1.5 + np.sin(x)) + np.sum(np.cumsum(x) ** 2)


def network(np, x):
    h = np.tanh(np.matmul(M, x))
    return np.sum(np.tanh(np.matmul(P / 10, h)) ** 2)


def pairs(np, x):
    d = x[:, None] - x[None, :]
    return np.sum(np.exp(-(d**2)))


def trigonometry(np, x):
    return np.sum(np.arctan2(np.sin(x), 2 + np.cos(x)) * np.hypot(x, 1.0))


def powers(np, x):
    return np.sum((1.1 + x * x) ** np.sin(x)) + np.logaddexp(x[0], x[1])


def loop(np, x):
    y = x
    for _ in range(6):
        y = np.sin(y) + 0.3 * np.roll(y, 1) * np.cos(y)
    return np.sum(y * np.where(x > 0, x, 2.0))


FUNCTIONS = [
    *[logistic, rosenbrock, rational, softmax_entropy, norms, quadratic_form, products, network],
    *[pairs, trigonometry, powers, loop],
]


def vectors(np, x):
    return np.concatenate([np.sin(x) * x[0], np.outer(x, x)[1], np.cumsum(x)])


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_agrees_with_jax(f, jax):
    def ours(x):
        return f(np, x)

    def theirs(x):
        return f(jax.numpy, x)

    v = np.random.default_rng(1).normal(size=5)
    close = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-12)
    np.testing.assert_allclose(grad(ours)(X), jax.grad(theirs)(X), **close)
    np.testing.assert_allclose(jacobian(ours)(X), jax.jacobian(theirs)(X), **close)
    np.testing.assert_allclose(hessian(ours)(X), jax.hessian(theirs)(X), **close)
    for found, expected in zip(jvp(ours, (X,), (v,)), jax.jvp(theirs, (X,), (v,)), strict=True):
        np.testing.assert_allclose(found, expected, **close)
    np.testing.assert_allclose(hvp(ours)(X, v), jax.hessian(theirs)(X) @ v, **close)
    np.testing.assert_allclose(
        grad(lambda x: np.sum(grad(ours)(x) * v))(X), jax.hessian(theirs)(X) @ v, **close
    )


def test_several_outputs_agree_with_jax(jax):
    np.testing.assert_allclose(
        jacobian(lambda x: vectors(np, x))(X),
        jax.jacobian(lambda x: vectors(jax.numpy, x))(X),
        rtol=1e-12,
    )
    j = jax.jacobian(lambda x: vectors(jax.numpy, x))(X)
    h = jax.hessian(lambda y: jax.numpy.sum(jax.numpy.exp(y)))(jax.numpy.asarray(vectors(np, X)))
    found = ggnvp(lambda x: vectors(np, x), lambda y: np.sum(np.exp(y)))(X, X + 1)
    np.testing.assert_allclose(found, j.T @ (h @ (j @ (X + 1))), rtol=1e-9)


# ------------------------------------------------------------------------- what comes in and out
def test_plain_arrays_in_and_out_in_the_dtype_that_came_in():
    for dtype in (np.float16, np.float32, np.float64):
        x = np.ones(3, dtype)
        value, g = value_and_grad(lambda x: np.sum(x * x))(x)
        assert type(g) is np.ndarray
        assert (g.dtype, value.dtype) == (dtype, dtype)
        assert jacobian(lambda x: x * 2)(x).dtype == dtype
        assert jacobian(lambda x: x * np.ones((9, 1), x.dtype))(x).dtype == dtype
        assert {a.dtype for a in jvp(np.sin, (x,), (x,))} == {np.dtype(dtype)}
    assert type(grad(np.sin)(1.0)) is np.float64
    assert grad(lambda x: 3 * x)(np.float32(2)).dtype == np.float32


def test_argnums_and_aux():
    def f(x, y, *, scale=1.0):
        return scale * x * y**2, {"twice": 2 * x, "name": "f"}

    def one(x, y):
        return x * y**2

    assert grad(one)(2.0, 3.0) == 9
    assert grad(one, 1)(2.0, 3.0) == 12
    assert grad(one, -1)(2.0, 3.0) == 12
    assert grad(one, (1, 0))(2.0, 3.0) == (12, 9)
    assert grad(one, [0])(2.0, 3.0) == (9,)
    (value, aux), g = value_and_grad(f, has_aux=True)(2.0, 3.0, scale=2.0)
    assert (value, aux, g) == (36, {"twice": 4, "name": "f"}, 18)
    assert type(aux["twice"]) is np.float64
    assert grad(f, has_aux=True)(2.0, 3.0) == (9, {"twice": 4, "name": "f"})
    assert hessian(one, (0, 1))(2.0, 3.0) == ((0, 6), (6, 4))
    value, pull, aux = vjp(f, 2.0, 3.0, has_aux=True)
    assert (value, pull(1.0), aux["twice"]) == (18, (9, 12), 4)


def test_trees():
    tree = {"w": np.ones((2, 3)), "layers": [(np.ones(3), 2.0), None]}

    def f(t):
        return np.sum(t["w"] @ t["layers"][0][0]) * t["layers"][0][1]

    g = grad(f)(tree)
    assert list(g) == ["w", "layers"]
    assert type(g["layers"][0]) is tuple
    assert g["layers"][1] is None
    np.testing.assert_array_equal(g["w"], np.full((2, 3), 2.0))
    assert g["layers"][0][1] == 6
    both = jacobian(lambda t: {"sum": np.sum(t["a"]), "all": (t["a"] * t["b"], 1.0)})(
        {"a": np.ones(2), "b": 3.0}
    )
    np.testing.assert_array_equal(both["sum"]["a"], [1, 1])
    np.testing.assert_array_equal(both["all"][0]["a"], 3 * np.eye(2))
    np.testing.assert_array_equal(both["all"][0]["b"], [1, 1])
    np.testing.assert_array_equal(both["all"][1]["a"], [0, 0])
    value, pull = vjp(lambda t: [t["a"] * t["b"]], {"a": np.ones(2), "b": 3.0})
    assert type(value[0]) is np.ndarray
    (g,) = pull([np.array([1.0, 0.0])])
    assert g["b"] == 1
    np.testing.assert_array_equal(hvp(lambda t: t[0] ** 2 * t[1])([1.0, 2.0], [1.0, 0.0]), [4, 2])


def test_flatten():
    tree = {"w": np.ones((2, 2), np.float32), "b": [np.float64(3), np.zeros(0)]}
    vector, unflatten = flatten(tree)
    assert vector.shape == (5,)
    back = unflatten(vector * 2)
    assert (back["w"].dtype, back["w"].shape, back["b"][1].shape) == (np.float32, (2, 2), (0,))
    g = grad(lambda v: np.sum(unflatten(v)["w"] ** 2))(vector)
    np.testing.assert_array_equal(g, [2, 2, 2, 2, 0])
    with pytest.raises(ValueError, match=r"^unflatten: expected shape \(5,\), got \(4,\)$"):
        unflatten(np.ones(4))
    vector, unflatten = flatten([])
    assert (vector.shape, unflatten(vector)) == ((0,), [])


# ---------------------------------------------------------------------------------------- nesting
def test_nested_functions_keep_their_variables_apart():
    assert grad(lambda x: x * grad(lambda y: x + y)(x))(2.0) == 1  # perturbation confusion
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(2.0) == 4
    assert grad(lambda x: grad(lambda y: x * y**2)(3.0))(2.0) == 6  # plain arrays inside
    assert grad(grad(grad(lambda x: x**4)))(2.0) == 48
    assert jvp(grad(lambda x: x**3), (2.0,), (1.0,)) == (12, 12)
    assert grad(lambda x: jvp(lambda y: y**3, (x,), (1.0,))[1])(2.0) == 12
    assert grad(lambda v: jvp(lambda y: y**3, (2.0,), (v,))[1])(1.0) == 12
    assert grad(lambda u: vjp(lambda y: y**3, 2.0)[1](u)[0])(1.0) == 12
    assert grad(lambda v: hvp(lambda x: x**3)(2.0, v))(1.0) == 12
    found = jacobian(jacobian(lambda x: x**3))(np.array([1.0, 2.0]))
    assert (found[0, 0, 0], found[1, 1, 1], np.sum(found)) == (6, 12, 18)


def test_the_variables_of_a_function_inside_are_not_seen_outside():
    w, x = np.array([0.3, 0.7]), np.linspace(0, 1, 5)

    def loss(w):  # plain arrays come out, though the slope was taken by x inside
        slope = elementwise_grad(lambda x: np.sin(np.outer(x, w)) @ w)(x)
        value, pull = vjp(lambda x: x * w[0], x)
        return np.mean((slope + value + pull(x)[0]) ** 2)

    value, g = value_and_grad(loss)(w)
    assert (type(value), type(g)) == (np.float64, np.ndarray)
    step = 1e-6 * np.eye(2)
    expected = [(loss(w + s) - loss(w - s)) / 2e-6 for s in step]
    np.testing.assert_allclose(g, expected, rtol=1e-6)


def test_with_tensors_the_results_are_of_their_graph():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    g = grad(lambda x: np.sum(x**3))(x)
    assert isinstance(g, Tensor)
    (second,) = gradients(np.sum(g), [x])
    np.testing.assert_array_equal(second.data, [6, 12])
    w = Tensor(2.0, requires_grad=True)
    slope = grad(lambda x: w * x**2)(3.0)  # as in a physics-informed network
    slope.backward()
    assert w.grad.item() == 6
    with no_grad():
        assert type(grad(lambda x: w * x**2)(3.0)) is np.float64
    plain = grad(lambda x: np.sum(x**2))(x.detach())
    assert isinstance(plain, Tensor)
    assert not plain.requires_grad
    assert x.grad is None


def test_functional_call():
    bn = nn.BatchNorm1d(4)
    model = nn.Sequential(nn.Linear(3, 4), bn, nn.Tanh(), nn.Linear(4, 1))
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    state = model.state_dict()

    def loss(p):
        return np.mean(nn.functional_call(model, p, x) ** 2)

    g = grad(loss)(state)
    np.mean(model(Tensor(x)) ** 2).backward()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(g[name], p.grad.data, rtol=1e-5)
    h = hvp(loss)(state, g)
    assert {k: v.shape for k, v in h.items()} == {k: v.shape for k, v in state.items()}
    model.eval()
    state["1.running_var"] += 1
    assert np.any(grad(loss)(state)["1.running_var"])
    assert not isinstance(bn.running_var, Tensor)
    with pytest.raises(
        ValueError, match=r"unexpected 9\.w; 0\.bias has shape \(1,\), exp.* \(4,\)"
    ):
        nn.functional_call(model, {"9.w": 1.0, "0.bias": np.ones(1)}, x)


# ------------------------------------------------------------------------------------------- work
@pytest.mark.parametrize(("inputs", "outputs", "sweeps"), [(1000, 10, 10), (10, 1000, 11)])
def test_jacobian_chooses_the_cheaper_side(inputs, outputs, sweeps, monkeypatch):
    w = np.random.default_rng(0).normal(size=(outputs, inputs)) / 30
    x = np.linspace(-1, 1, inputs)
    calls = []
    module = sys.modules["minigrad.autograd.sweep"]
    sweep = module.sweep
    monkeypatch.setattr(module, "sweep", lambda *a, **k: calls.append(1) or sweep(*a, **k))
    j = jacobian(lambda x: np.sin(w @ x))(x)
    np.testing.assert_allclose(j, np.cos(w @ x)[:, None] * w, rtol=1e-12)
    assert len(calls) == sweeps


# --------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda: grad(np.sin)(np.ones(3)), TypeError,
         r"^grad: expected one number .* shape \(3,\): use jacobian .* elementwise_grad .* vjp"),
        (lambda: grad(lambda x: (x, x))(1.0), TypeError, r"^grad: expected one number.*has_aux=T"),
        (lambda: hvp(np.sin)(np.ones(3), np.ones(3)), TypeError, "^hvp: expected one number"),
        (lambda: grad(np.sin)(1), TypeError, r"^grad: expected floating .* int64: 1: write 1.0"),
        (lambda: grad(np.sin, has_aux=True)(1.0), TypeError,
         r"^grad: has_aux=True expects a pair \(value, aux\) from f, got Tensor"),
        (lambda: grad(np.sin, 1)(1.0), ValueError, "^grad: argnums=1, but 1 arguments were given"),
        (lambda: vjp(np.sin, np.ones(3))[1](1.0), ValueError,
         r"^vjp: upstream: expected arrays of shapes \[\(3,\)\], got \[\(\)\]$"),
        (lambda: jvp(np.sin, (1.0,), (np.ones(2),)), ValueError, "^jvp: tangents: expected arrays"),
    ],
)  # fmt: skip
def test_refusals(f, error, message):
    with pytest.raises(error, match=message):
        f()


def test_elementwise_grad_and_functions_that_ignore_their_argument():
    x = np.linspace(-2, 2, 7)
    np.testing.assert_allclose(elementwise_grad(np.tanh)(x), 1 - np.tanh(x) ** 2)
    np.testing.assert_array_equal(grad(lambda x: 3.0)(x), np.zeros(7))
    np.testing.assert_array_equal(hessian(lambda x: np.sum(x))(x), np.zeros((7, 7)))
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(2))(x), np.zeros((2, 7)))
    assert jacobian(lambda x: x)(np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert math.isclose(grad(lambda x: math.pi * x)(1.0), math.pi)
