"""No exit through a number, an item of an array or a keyword: `t.item()` is explicit."""

import array
import cmath
import math
import operator
import statistics
import warnings

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, debug, differentiable, gradients, no_grad
from minigrad.autograd import bare
from minigrad.nn import LeakyReLU


def leaf(data=2.0):
    return Tensor(data, requires_grad=True)


def set_item(target, key, t):
    target[key] = t


NUMBER = r"^this Tensor requires a gradient, and as a Python number .*: write t\.item\(\) if that"
BARE = r"^this Tensor requires a gradient, .*silently leave the graph: use t\.detach\(\)\.numpy\(\)"
EXITS = {
    "float": (float, NUMBER),
    "int": (int, NUMBER),
    "complex": (complex, NUMBER),
    "math.exp": (math.exp, NUMBER),
    "math.floor": (math.floor, NUMBER),
    "math.isclose": (lambda t: math.isclose(t, 2.0), NUMBER),
    "cmath.exp": (cmath.exp, NUMBER),
    "fsum": (lambda t: math.fsum([t, t]), NUMBER),
    "fmean": (lambda t: statistics.fmean([t, t]), NUMBER),
    "array.array": (lambda t: array.array("d", [t]), NUMBER),
    "percent": (lambda t: "%.3f" % t, NUMBER),  # noqa: UP031
    "an item of integers": (lambda t: set_item(np.zeros(2, int), 0, t), NUMBER),
    "a[:] = t": (lambda t: set_item(np.zeros(2), slice(None), t), BARE),
    "a[[0, 1]] = t": (lambda t: set_item(np.zeros(2), [0, 1], t), BARE),
    "np.float64": (np.float64, BARE),
    "np.int64": (np.int64, BARE),
    "np.bool": (np.bool_, BARE),
    "a normal's mean": (lambda t: np.random.default_rng(0).normal(t, 1), BARE),
    "arange": (lambda t: np.arange(0, t), BARE),
}
CAUSED = {  # NumPy answers with a ValueError of its own, and ours as its cause
    "a[0] = t": lambda t: set_item(np.zeros(2), 0, t),
    "a.flat[0] = t": lambda t: set_item(np.zeros(2).flat, 0, t),
    "fill": lambda t: np.zeros(2).fill(t),
    "fromiter": lambda t: np.fromiter([t, t], float),
    "initial": lambda t: np.sum(np.ones(2), initial=t),
}


@pytest.mark.parametrize(("f", "message"), EXITS.values(), ids=EXITS)
@pytest.mark.parametrize("make", [leaf, lambda: leaf() * leaf()], ids=["leaf", "result"])
def test_an_exit_is_refused(f, message, make):
    with pytest.raises(TypeError, match=message):
        f(make())
    with no_grad(), pytest.raises(TypeError, match=message):
        f(leaf())


@pytest.mark.parametrize("f", CAUSED.values(), ids=CAUSED)
def test_an_exit_into_an_array_is_refused(f):
    with pytest.raises(ValueError, match="setting an array element|setting single item") as caught:
        f(leaf())
    cause = caught.value.__cause__ or caught.value.__context__
    if "single item" in str(caught.value):  # of a.flat NumPy tells no cause
        return
    assert isinstance(cause, TypeError)
    assert "write t.item() if that is meant" in str(cause)


def test_an_integral_over_a_closure_is_refused():
    integrate = pytest.importorskip("scipy.integrate")
    t = leaf()
    with pytest.raises(TypeError, match=NUMBER):
        integrate.quad(lambda x: t * x, 0, 1)


def test_what_is_no_exit_stays_as_it_was():
    t = leaf(2.5)
    assert t > 2
    assert bool(t)
    assert f"{t:.2f}" == "2.50"
    assert t.item() == 2.5
    assert 2.5 in leaf([1.0, 2.5])
    n = t.detach()
    assert (float(n), int(n), complex(n), math.exp(n)) == (2.5, 2, 2.5, math.exp(2.5))
    assert operator.index(Tensor(3)) == 3
    a = np.zeros(2)
    a[0] = n
    assert a.tolist() == [2.5, 0]


# ------------------------------------------------------------- arrays with rules of their own
MASKED = np.ma.array([1.0, 2.0], mask=[True, False])
with warnings.catch_warnings():
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    MATRIX = np.asmatrix([[1.0, 2.0], [3.0, 4.0]])


FOREIGN = {
    "t * masked": (lambda t: t * MASKED, r"^multiply: a MaskedArray computes by rules of its own"),
    "masked * t": (lambda t: MASKED * t, f"{BARE}|^multiply: a MaskedArray"),
    "masked + t": (lambda t: MASKED + t, f"{BARE}|^add: a MaskedArray"),
    "add": (
        lambda t: np.add(MASKED, t),
        r"^add: a MaskedArray .*: pass x\.filled\(value\), or",
    ),
    "ma.multiply": (lambda t: np.ma.multiply(MASKED, t), BARE),
    "masked[:] = t": (lambda t: set_item(MASKED.copy(), slice(None), t), BARE),
    "where": (lambda t: np.where([True, False], MASKED, t), "^where: a MaskedArray"),
    "Tensor of masked": (
        lambda t: Tensor(MASKED),
        "^Tensor: a MaskedArray computes",
    ),
    "t * matrix": (
        lambda t: t * MATRIX,
        r"^multiply: a matrix computes .* pass np\.asarray\(x\)$",
    ),
    "matrix * t": (lambda t: MATRIX * t, "^multiply: a matrix computes by rules of its own"),
    "Tensor of a matrix": (
        lambda t: Tensor(MATRIX),
        "^Tensor: a matrix computes",
    ),
}


@pytest.mark.parametrize(("f", "message"), FOREIGN.values(), ids=FOREIGN)
def test_masks_and_matrices_are_refused(f, message):
    with pytest.raises(TypeError, match=message):
        f(leaf([1.0, 2.0]))


# ----------------------------------------------------------------------------- among the keywords
@differentiable(lambda g, _y, _x, *, scale, more=None: g * scale)
def scaled(x, *, scale, more=None):
    return x * scale


@pytest.mark.parametrize(
    ("f", "name", "keyword"),
    [
        (lambda x, k: np.var(x, ddof=k), "var", "ddof"),
        (lambda x, k: scaled(x, scale=k), "scaled", "scale"),
        (lambda x, k: scaled(x, scale=2.0, more={"deep": [(1, k)]}), "scaled", "more"),
        (lambda x, k: F.softmax(x, k), "softmax", "axis"),
        (lambda x, k: np.roll(x, (k,)), "roll", "shift"),
        (lambda x, k: F.batch_norm(x[:, None], np.ones(1), np.ones(1), eps=k), "batch_norm", "eps"),
    ],
)
def test_a_tensor_among_the_keywords_is_refused(f, name, keyword):
    x = leaf([1.0, 2.0, 4.0])
    message = rf"^{name}: the keyword {keyword} is a Tensor that requires a gradient, and would get"
    with pytest.raises(TypeError, match=message):
        f(x, leaf(1.0))


def test_dropout_takes_no_probability_that_is_learnt():
    with pytest.raises(TypeError, match=NUMBER):
        F.dropout(leaf([1.0]), leaf(0.5))


def test_a_tensor_without_gradient_among_the_keywords_is_its_array():
    x = leaf([1.0, 2.0])
    y = scaled(x, scale=Tensor(3.0))
    assert y.tolist() == [3, 6]
    np.sum(y).backward()
    assert x.grad.tolist() == [3, 3]


@pytest.mark.parametrize("by_name", [False, True])
def test_the_slope_of_a_leaky_relu_is_learnt(by_name):
    x, slope = leaf([[-1.0, 2.0], [-3.0, -4.0]]), leaf([0.5, 0.25])
    y = F.leaky_relu(x, negative_slope=slope) if by_name else F.leaky_relu(x, slope)
    assert y.tolist() == [[-0.5, 2], [-1.5, -1]]
    gx, gs = gradients(np.sum(y), [x, slope])
    assert gx.tolist() == [[0.5, 1], [0.5, 0.25]]
    assert gs.tolist() == [-4, -4]
    assert F.leaky_relu(x).tolist() == LeakyReLU()(x).tolist()


def test_a_complex_slope_is_refused():
    with pytest.raises(TypeError, match=r"^leaky_relu: expected a real negative_slope, got 1j"):
        F.leaky_relu(leaf([1.0]), 1j)


# ------------------------------------------------------------------------------------------ out=
def test_values_that_carry_no_gradient_may_be_written_into_arrays():
    w = leaf([1.0, 2.0])
    np.sum(w * w).backward()
    w.data -= 0.5 * w.grad
    assert w.tolist() == [0, 0]
    total = np.zeros(2)
    total += w.grad
    assert np.add(w.grad, 1, out=total) is total
    assert total.tolist() == [3, 5]
    with debug(), pytest.raises(TypeError, match=r"^add: can't write a Tensor's result into out="):
        total += w


def test_named_tuples_are_given_as_arrays_and_stay_what_they_are():
    pair = type(np.linalg.slogdet(np.eye(2)))(leaf([1.0]).detach(), 2)
    given = bare({"pair": pair})["pair"]
    assert type(given) is type(pair)
    assert type(given.sign) is np.ndarray
