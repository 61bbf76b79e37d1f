"""The functions of networks: their gradients, PyTorch's numbers, and the types they give."""

import numpy as np
import pytest
from functions import CASES, LABELS, X

import minigrad.functional as F
from minigrad import Tensor, gradients, no_grad
from minigrad.testing import check_gradients

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
    [F.leaky_relu, F.sigmoid, F.tanh, F.softplus, F.erf, F.gelu, F.silu, F.elu, F.selu],
    ids=lambda f: f.__name__,
)
def test_integers_are_computed_in_floating_point(function, dtype):
    values = np.array([0, 200, 1], dtype)
    y = function(Tensor(values))
    assert y.dtype.kind == "f"
    assert y.dtype != np.float64  # float32 is the default; NumPy takes float16 for uint8
    np.testing.assert_allclose(y.data, function(values.astype(np.float64)), rtol=1e-3)
