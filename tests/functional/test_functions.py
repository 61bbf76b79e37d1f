"""The functions of networks: their gradients, PyTorch's numbers, and the types they give."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, gradients, no_grad
from minigrad.testing import check_gradients

LABELS = np.array([0, 3, 1, 1, 2])
ROWS = np.random.default_rng(0).dirichlet(np.ones(4), size=5)


def spread(*shape):
    """Return values in (-3, 3) that keep clear of 0, where some functions have a kink."""
    n = math.prod(shape)
    return np.random.default_rng(n).permutation((np.arange(n) + 0.5) / n * 6 - 3.02).reshape(shape)


X, IMAGES, VECTOR = spread(5, 4), spread(3, 4, 2, 2), spread(4)
WEIGHT, BIAS = spread(4, 3), spread(3)
MEAN, VAR = spread(4) / 2, np.exp(spread(4) / 4)


class Case(NamedTuple):
    name: str
    function: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    torch: str | Callable[..., Any]  # a name, or (torch, torch.nn.functional, *inputs) -> the same


def normalize(x, w, b):
    return F.batch_norm(x, w, b, MEAN.astype(x.dtype), VAR.astype(x.dtype), training=False)


def torch_batch_norm(t, f, x, w, b):
    return f.batch_norm(x, None, None, w, b, training=True, eps=1e-6)


def torch_normalize(t, f, x, w, b):
    return f.batch_norm(x, t.tensor(MEAN), t.tensor(VAR), w, b, training=False, eps=1e-6)


def torch_linear(t, f, x, w, b=None):
    return f.linear(x, w.T, b)


def torch_cross_entropy(targets):
    return lambda t, f, x: f.cross_entropy(x, t.tensor(targets))


def torch_dropout(t, f, x):
    return x * t.tensor(F.dropout(np.ones(x.shape), 0.4, rng=7))


CASES = [
    Case("relu", F.relu, (X,), "relu"),
    Case("relu of a scalar", F.relu, (np.array(1.3),), "relu"),
    Case("leaky_relu", F.leaky_relu, (X,), "leaky_relu"),
    Case(
        "leaky_relu 0.3", lambda x: F.leaky_relu(x, 0.3), (X,), lambda t, f, x: f.leaky_relu(x, 0.3)
    ),
    Case("sigmoid", F.sigmoid, (IMAGES,), "sigmoid"),
    Case("sigmoid of a scalar", F.sigmoid, (np.array(0.4),), "sigmoid"),
    Case("tanh", F.tanh, (X,), "tanh"),
    Case("softplus", F.softplus, (IMAGES,), "softplus"),
    Case("erf", F.erf, (X,), lambda t, f, x: t.erf(x)),
    Case("gelu", F.gelu, (IMAGES,), "gelu"),
    Case(
        "gelu tanh",
        lambda x: F.gelu(x, "tanh"),
        (X,),
        lambda t, f, x: f.gelu(x, approximate="tanh"),
    ),
    Case("softmax", F.softmax, (X,), lambda t, f, x: f.softmax(x, -1)),
    Case("softmax axis 1", lambda x: F.softmax(x, 1), (IMAGES,), lambda t, f, x: f.softmax(x, 1)),
    Case("softmax of a vector", F.softmax, (VECTOR,), lambda t, f, x: f.softmax(x, 0)),
    Case("log_softmax", F.log_softmax, (X,), lambda t, f, x: f.log_softmax(x, -1)),
    Case(
        "log_softmax axis 0",
        lambda x: F.log_softmax(x, 0),
        (IMAGES,),
        lambda t, f, x: f.log_softmax(x, 0),
    ),
    Case(
        "logsumexp", lambda x: F.logsumexp(x, axis=1), (IMAGES,), lambda t, f, x: t.logsumexp(x, 1)
    ),
    Case("linear", F.linear, (X, WEIGHT, BIAS), torch_linear),
    Case("linear without bias", F.linear, (X, WEIGHT), torch_linear),
    Case("linear of a vector", F.linear, (VECTOR, WEIGHT, BIAS), torch_linear),
    Case("linear of four axes", F.linear, (spread(2, 3, 2, 4), WEIGHT, BIAS), torch_linear),
    Case(
        "linear of transposed",
        lambda x, w: F.linear(x.T, w.T),
        (spread(4, 5), spread(3, 4)),
        lambda t, f, x, w: f.linear(x.T, w),
    ),
    Case("batch_norm", F.batch_norm, (X, VECTOR, VECTOR + 1), torch_batch_norm),
    Case(
        "batch_norm of three axes",
        F.batch_norm,
        (spread(3, 4, 5), VECTOR, VECTOR + 1),
        torch_batch_norm,
    ),
    Case("batch_norm of images", F.batch_norm, (IMAGES, VECTOR, VECTOR + 1), torch_batch_norm),
    Case("batch_norm in evaluation", normalize, (IMAGES, VECTOR, VECTOR + 1), torch_normalize),
    Case("dropout", lambda x: F.dropout(x, 0.4, rng=7), (X,), torch_dropout),
    Case(
        "dropout in evaluation", lambda x: F.dropout(x, 0.4, False), (X,), lambda t, f, x: x * 0.6
    ),
    Case("cross_entropy", lambda x: F.cross_entropy(x, LABELS), (X,), torch_cross_entropy(LABELS)),
    Case(
        "cross_entropy of rows", lambda x: F.cross_entropy(x, ROWS), (X,), torch_cross_entropy(ROWS)
    ),
    Case(
        "cross_entropy of weights",
        lambda x: F.cross_entropy(x, 3 * ROWS),
        (X,),
        torch_cross_entropy(3 * ROWS),
    ),
    Case(
        "binary_cross_entropy_with_logits",
        F.binary_cross_entropy_with_logits,
        (X, ROWS),
        "binary_cross_entropy_with_logits",
    ),
    Case("mse_loss", F.mse_loss, (X, ROWS), "mse_loss"),
    Case(
        "sum_squared_error",
        F.sum_squared_error,
        (X, ROWS),
        lambda t, f, x, y: 0.5 * f.mse_loss(x, y, reduction="sum"),
    ),
    Case(
        "l2_penalty",
        lambda *p: F.l2_penalty(p, 0.3),
        (X, IMAGES),
        lambda t, f, w, v: 0.15 * ((w**2).sum() + (v**2).sum()),
    ),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def evaluate(case, dtype):
    """Return inputs, output and the gradients for a fixed upstream gradient."""
    inputs = [Tensor(x.astype(dtype), requires_grad=True) for x in case.inputs]
    y = case.function(*inputs)
    upstream = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    y.backward(upstream)
    return inputs, y, upstream


@each_case
def test_gradients_of_both_orders(case):
    check_gradients(case.function, *case.inputs, order=2, atol=1e-6)


@each_case
def test_as_pytorch(case):
    torch = pytest.importorskip("torch")
    inputs, y, upstream = evaluate(case, np.float64)
    others = [torch.tensor(x, requires_grad=True) for x in case.inputs]
    f = torch.nn.functional
    by_name = isinstance(case.torch, str)
    expected = getattr(f, case.torch)(*others) if by_name else case.torch(torch, f, *others)
    expected.backward(torch.tensor(upstream))
    np.testing.assert_allclose(y.data, expected.detach(), rtol=1e-12, atol=1e-13)
    for x, other in zip(inputs, others, strict=True):
        ours = np.zeros(x.shape) if x.grad is None else x.grad.data
        np.testing.assert_allclose(ours, other.grad, rtol=1e-11, atol=1e-13)


@each_case
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_type_stays(case, dtype):
    inputs, y, _ = evaluate(case, dtype)
    assert y.dtype == dtype
    assert all(x.grad is None or x.grad.dtype == dtype for x in inputs)
    once_more = case.function(*inputs)
    firsts = gradients(once_more, inputs, np.ones(y.shape, dtype), create_graph=True)
    assert all(g is None or g.dtype == dtype for g in firsts)
    reached = [g for g in firsts if g is not None and g.requires_grad]
    if reached:
        seconds = gradients(reached, inputs, [np.ones(g.shape, dtype) for g in reached])
        assert all(g is None or g.dtype == dtype for g in seconds)
    with no_grad():
        assert case.function(*inputs).dtype == dtype


@each_case
def test_plain_arrays_give_plain_arrays(case):
    y = case.function(*case.inputs)
    assert not isinstance(y, Tensor)
    with no_grad():
        np.testing.assert_array_equal(y, case.function(*map(Tensor, case.inputs)).data)


TENTH = np.float64(0.1)  # not a Python number: as an operand of float32 it would give float64
EYE = np.eye(4)[LABELS]
MIXED = {
    "leaky_relu": lambda x, w: F.leaky_relu(x, TENTH),
    "dropout": lambda x, w: F.dropout(x, TENTH, rng=0),
    "dropout in evaluation": lambda x, w: F.dropout(x, TENTH, False),
    "batch_norm": lambda x, w: F.batch_norm(x, w, w, eps=TENTH, momentum=TENTH),
    "batch_norm in evaluation": lambda x, w: F.batch_norm(
        x, w, w, *np.ones((2, 4), "f4"), training=False, eps=TENTH
    ),
    "l2_penalty": lambda x, w: F.l2_penalty([x], TENTH),
    "float64 rows": lambda x, w: F.cross_entropy(x, EYE),
    "integer rows": lambda x, w: F.cross_entropy(x, EYE.astype(int)),
    "boolean rows": lambda x, w: F.cross_entropy(x, EYE.astype(bool)),
    "integer bits": lambda x, w: F.binary_cross_entropy_with_logits(x, EYE.astype(int)),
    "integers as targets": lambda x, w: F.mse_loss(x, EYE.astype(int)),
}


@pytest.mark.parametrize("function", MIXED.values(), ids=MIXED)
def test_options_and_targets_do_not_widen(function):
    x, w = Tensor(X.astype("f4"), requires_grad=True), Tensor(np.ones(4, "f4"), requires_grad=True)
    y = function(x, w)
    (g,) = gradients(np.sum(y), [x], create_graph=True)
    assert (y.dtype, g.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
@pytest.mark.parametrize(
    "function",
    [F.leaky_relu, F.sigmoid, F.tanh, F.softplus, F.erf, F.gelu],
    ids=lambda f: f.__name__,
)
def test_integers_are_computed_in_floating_point(function, dtype):
    values = np.array([0, 200, 1], dtype)
    y = function(Tensor(values))
    assert y.dtype.kind == "f"
    assert y.dtype != np.float64  # float32 is the default; NumPy takes float16 for uint8
    np.testing.assert_allclose(y.data, function(values.astype(np.float64)), rtol=1e-3)
