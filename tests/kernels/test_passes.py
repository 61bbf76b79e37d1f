"""Fused kernels: exact to what they state, for any layout, any number of blocks and threads."""

import math

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor
from minigrad.kernels import elementwise, passes, rows
from minigrad.kernels.einsum import einsum

EPS = 2.0**-23
LINE = np.linspace(-30, 30, 6001, dtype=np.float32)
LINE[LINE == 0] = 1e-3


def exact(function):
    """Apply a function of Python's floats."""
    return lambda x: np.array([function(v) for v in x.tolist()])


def logistic(v):
    return 1 / (1 + math.exp(-v)) if v > -700 else math.exp(v)


def normal(v):
    return 0.5 * math.erfc(-v * math.sqrt(0.5))


# name -> function, the exact values, how many ulps of the value and of 1 it may be off, x times
ULPS = {
    "sigmoid": (F.sigmoid, exact(logistic), 3, 0),
    "softplus": (F.softplus, exact(lambda v: max(v, 0) + math.log1p(math.exp(-abs(v)))), 3, 0),
    "silu": (F.silu, exact(lambda v: v * logistic(v)), 4, 0),
    "elu": (F.elu, exact(lambda v: v if v > 0 else math.expm1(v)), 3, 0),
    "leaky_relu": (F.leaky_relu, exact(lambda v: v if v > 0 else 0.01 * v), 1, 0),
    "erf": (F.erf, exact(math.erf), 3, 0),
    "gelu": (F.gelu, exact(lambda v: v * normal(v)), 2, 2),
    "cube": (lambda x: minigrad.Tensor(x).data ** 3, exact(lambda v: v**3), 3, 0),
}


@pytest.mark.parametrize("name", ULPS)
def test_values_are_exact_to_the_ulps_that_are_stated(name):
    function, truth, relative, absolute = ULPS[name]
    found, expected = function(LINE), truth(LINE)
    assert found.dtype == np.float32
    allowed = EPS * (relative * np.abs(expected) + absolute * np.maximum(1, np.abs(LINE)))
    assert np.all(np.abs(found - expected) <= allowed)


SLOPES = {
    "sigmoid": lambda v: logistic(v) * logistic(-v),
    "softplus": logistic,
    "silu": lambda v: logistic(v) * (1 + v * logistic(-v)),
    "elu": lambda v: 1 if v > 0 else math.exp(v),
    "leaky_relu": lambda v: 1 if v > 0 else 0.01,
    "erf": lambda v: 2 / math.sqrt(math.pi) * math.exp(-v * v),
    "gelu": lambda v: normal(v) + v * math.exp(-v * v / 2) / math.sqrt(2 * math.pi),
}


@pytest.mark.parametrize("name", SLOPES)
def test_slopes_are_exact_to_4_ulps_of_1_or_one_of_x(name):
    x = Tensor(LINE, requires_grad=True)
    ULPS[name][0](x).backward(np.ones_like(LINE))
    expected = exact(SLOPES[name])(LINE)
    assert np.all(np.abs(x.grad.data - expected) <= EPS * np.maximum(4, np.abs(LINE)))


SMOOTH = {
    "sigmoid": F.sigmoid, "softplus": F.softplus, "silu": F.silu, "elu": F.elu, "selu": F.selu,
    "gelu": F.gelu, "gelu tanh": lambda x: F.gelu(x, "tanh"), "leaky_relu": F.leaky_relu,
    "softmax": F.softmax, "log_softmax": F.log_softmax,
    "logsumexp": lambda x: F.logsumexp(x, axis=-1),
    "layer_norm": lambda x: F.layer_norm(x, x.shape[-1]),
    "cross_entropy": lambda x: F.cross_entropy(x, np.arange(len(x)) % x.shape[1]),
}  # fmt: skip


def both(function, x):
    """Return the value and the gradient."""
    t = Tensor(x, requires_grad=True)
    y = function(t)
    y.backward(np.cos(np.arange(y.size)).reshape(y.shape).astype(x.dtype))
    return y.data, t.grad.data


@pytest.mark.parametrize("name", SMOOTH)
def test_blocks_threads_and_layouts_change_nothing(name, monkeypatch):
    x = np.random.default_rng(0).normal(0, 3, (60, 50)).astype(np.float32)
    expected = both(SMOOTH[name], x)
    for module in (passes, rows):
        monkeypatch.setattr(module, "BLOCK", 1200)
        monkeypatch.setattr(module, "SHARED", 100)
    monkeypatch.setattr(rows, "FEWEST_IN_BLAS", 0)
    before = minigrad.get_num_threads()
    try:
        for threads in (1, 2):
            minigrad.set_num_threads(threads)
            for laid in (x, x.T.copy().T, np.repeat(x, 2, axis=1)[:, ::2]):
                for found, one in zip(both(SMOOTH[name], laid), expected, strict=True):
                    np.testing.assert_allclose(found, one, rtol=1e-5, atol=1e-6)
    finally:
        minigrad.set_num_threads(before)


NORMS = {
    "layer_norm": lambda x, w, b: F.layer_norm(x, len(w), w, b),
    "rms_norm": lambda x, w, _b: F.rms_norm(x, len(w), w),
    "batch_norm": F.batch_norm,
}


@pytest.mark.parametrize("shape", [(640, 12), (641, 12), (300, 1), (300, 2000)])
@pytest.mark.parametrize("name", NORMS)
def test_norms_of_many_rows_are_those_of_the_formula(name, shape):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(3, 2, size) for size in (shape, shape[1:], shape[1:])]
    g = rng.normal(size=shape)

    def gradients(**keywords):
        inputs = [Tensor(x, requires_grad=True) for x in arrays]
        NORMS[name](*inputs).backward(g, **keywords)
        return [x.grad.data for x in inputs if x.grad is not None]

    for found, formula in zip(gradients(), gradients(create_graph=True), strict=True):
        np.testing.assert_allclose(found, formula, rtol=1e-9, atol=1e-9)


EXTREME = np.array([-np.inf, -1e30, -200, 200, 1e30, np.inf, np.nan], np.float32)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "silu", "elu", "selu", "leaky_relu"])
def test_extreme_inputs_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    with np.errstate(all="ignore"):
        found = getattr(F, name)(EXTREME)
    expected = getattr(torch.nn.functional, name)(torch.from_numpy(EXTREME)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("n", [-8, -3, -2, -1, 0, 1, 2, 3, 5, 7, 8, 9, 0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_powers_are_those_of_numpy(n, dtype):
    x = np.random.default_rng(0).uniform(0.5, 2, 1000).astype(dtype)
    x = x if n == 0.5 else x * np.where(np.arange(1000) % 2, 1, -1).astype(dtype)
    found = elementwise.power(x, n)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, x.astype(np.longdouble) ** n, rtol=8 * np.finfo(dtype).eps)


SUMS = [
    "ij,jk->ik", "ij,jk->ki", "bij,bjk->bik", "bij,bkj->bik", "bhqd,bhkd->bhqk", "ij,kl->ijkl",
    "ij,ij->ij", "ij,ij->", "ij,jk,kl->il", "aij,bij->ab", "ijk,jl->il", "i,j->ij", "bi,bi->b",
    "ij->ji", "abc,cd,de->abe", "ij,jk->", "bij,jk->k",
]  # fmt: skip


@pytest.mark.parametrize("subscripts", SUMS)
def test_sums_by_products_are_those_of_numpy(subscripts):
    rng, sizes = np.random.default_rng(0), dict(zip("abcdehijklq", range(2, 13), strict=True))
    terms = subscripts.partition("->")[0].split(",")
    arrays = [rng.normal(size=[sizes[c] for c in term]) for term in terms]
    expected = np.einsum(subscripts, *arrays)
    np.testing.assert_allclose(einsum(subscripts, *arrays), expected, rtol=1e-12, atol=1e-12)
