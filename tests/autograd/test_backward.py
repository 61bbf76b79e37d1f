"""The reverse sweep: right gradients at every order, kept where they belong, released in time."""

import math

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, gradients, no_grad
from minigrad.testing import check_gradients


def leaf(data, **keywords):
    return Tensor(data, requires_grad=True, **keywords)


# -------------------------------------------------------------------------------- right gradients
def several_uses(x):
    y = x * x
    z = y + x
    return y * z + np.sin(y) * x


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (several_uses, [(3,)]),
        (lambda x: (x + x) * (x * x) - x, [(2, 2)]),
        (lambda a, b: (a * b + b) * a, [(3, 1), (1, 4)]),
        (lambda a, b: (a - b).sum(axis=0) * b, [(2, 3, 4), (4,)]),
        (lambda w, x: np.tanh(np.tanh(x @ w) @ w) @ w.T, [(3, 3), (2, 3)]),
        (lambda x: x @ x.T @ x, [(3, 3)]),
        (lambda x: x[[0, 0, 2]] * x[1] + x[::-1], [(3,)]),
        (lambda x: np.split(x * x, 3), [(6,)]),
        (lambda a, b: [a * b, a + b, a], [(2,), (2,)]),
        (lambda x: x.sum() * x / x.max(), [(5,)]),
    ],
    ids=[
        "shared", "diamond", "broadcast", "broadcast down", "tied weights", "with itself",
        "repeated index", "parts", "several outputs", "scalar in the middle",
    ],
)  # fmt: skip
def test_gradients_are_right(f, shapes):
    rng = np.random.default_rng(5)
    check_gradients(f, *(rng.normal(size=shape) for shape in shapes), order=2)


@pytest.mark.parametrize(
    ("f", "derivatives"),
    [
        (lambda x: x**5, [5 * 0.7**4, 20 * 0.7**3, 60 * 0.7**2, 120 * 0.7, 120]),
        (np.sin, [math.cos(0.7), -math.sin(0.7), -math.cos(0.7), math.sin(0.7), math.cos(0.7)]),
        (np.exp, [math.exp(0.7)] * 5),
        (lambda x: 1 / x, [-(0.7**-2), 2 * 0.7**-3, -6 * 0.7**-4, 24 * 0.7**-5]),
        (lambda x: np.exp2(x) * x[None] @ [1.0], [2**0.7 * (1 + 0.7 * math.log(2))]),
    ],
    ids=["x**5", "sin", "exp", "1/x", "product"],
)
def test_any_order(f, derivatives):
    x = leaf(np.array(0.7))
    y = f(x)
    for expected in derivatives:
        (y,) = gradients(y, [x], create_graph=True)
        assert y.item() == pytest.approx(expected, rel=1e-12)


def test_backward_too_makes_gradients_that_can_be_differentiated():
    x = leaf(np.array([1.0, 2.0]))
    np.sum(x**3).backward(create_graph=True)
    first = x.grad
    assert first.requires_grad
    x.zero_grad()
    np.sum(first * first).backward()  # d/dx 9 x^4
    assert x.grad.tolist() == [36, 288]


def test_a_penalty_on_the_gradient_trains():
    x, w = Tensor(np.ones((4, 3))), leaf(np.full((3, 1), 0.5))
    check_gradients(
        lambda x, w: np.sum(gradients(np.sum(np.tanh(x @ w)), [w], create_graph=True)[0] ** 2),
        x.data, w.data, order=1,
    )  # fmt: skip


def test_create_graph_records_under_no_grad_too():
    x = leaf(np.array(2.0))
    y = x**3
    with no_grad():
        (g,) = gradients(y, [x], create_graph=True)
        y.backward(create_graph=True)
        y.backward(create_graph=True)
    assert gradients(g, [x])[0].item() == 12
    assert (x.grad.item(), gradients(x.grad, [x])[0].item()) == (24, 24)


# ----------------------------------------------------------------------------- where gradients go
def test_never_reached_is_none_and_reached_by_zero_is_zero():
    a, b, c = leaf([1.0, 2.0]), leaf([1.0, 2.0]), leaf([1.0, 2.0])
    np.sum(a * 0 + np.floor(b)).backward()
    assert (a.grad.tolist(), b.grad.tolist(), c.grad) == ([0, 0], [0, 0], None)
    assert gradients(np.sum(a * 2), [a, c])[1] is None


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_add_up_until_forgotten(create_graph):
    x = leaf([1.0, 2.0])
    for expected in ([2, 4], [4, 8], [6, 12]):
        np.sum(x * x).backward(create_graph=create_graph)
        assert isinstance(x.grad, Tensor)
        assert x.grad.tolist() == expected
    x.zero_grad()
    assert x.grad is None


def test_backward_from_a_leaf():
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1


def test_several_outputs_and_upstream_gradients():
    x = leaf([1.0, 2.0])
    y, z = x * x, 3 * x
    upstream = [np.array([1.0, 10.0]), Tensor([2.0, 2.0])]
    assert gradients([y, z], [x], upstream, retain_graph=True)[0].tolist() == [8, 46]
    assert gradients([y, y], [x], [[1, 0], [0, 1]], retain_graph=True)[0].tolist() == [2, 4]
    y.backward([1, 10])
    assert x.grad.tolist() == [2, 40]
    assert x.grad.dtype == np.float32


def test_gradients_of_results_and_of_the_output_itself():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    h = x * w
    y = np.sum(h * h)
    gy, gh, gx = gradients(y, [y, h, x])
    assert (gy.item(), gh.tolist(), gx.tolist()) == (1, [6, 16], [18, 64])
    assert x.grad is None
    assert w.grad is None


def test_only_the_way_to_the_inputs_is_swept():
    x, w = leaf([1.0]), leaf([2.0])
    aside = np.exp(w)
    y = x * aside
    gradients(y, [x])
    assert aside._node.saved is not None
    np.sum(aside).backward()
    assert w.grad.item() == pytest.approx(math.exp(2))


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = leaf([1.0, 2.0])
    h = x * x
    h.retain_grad()
    for factor in (1, 2):
        np.sum(h * 3).backward(retain_graph=True)
        assert h.grad.tolist() == [3 * factor, 3 * factor]
    assert x.grad.tolist() == [12, 24]


def test_a_leaf_that_is_gone_takes_no_gradient():
    x = leaf([1.0])
    y = x * leaf([2.0])
    y.backward()
    assert x.grad.item() == 2


# ----------------------------------------------------------------- each gradient is its owner's
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, Tensor])
def test_scaling_one_gradient_in_place_leaves_all_others_alone(create_graph, kind):
    a, b, c, d = (leaf(np.full(4, value)) for value in (1.0, 2.0, 3.0, 4.0))
    upstream = kind(np.array([1.0, 2.0, 3.0, 4.0]))
    y = (a + b - -c) + np.reshape(np.reshape(d, (2, 2)), 4)
    h = y + 0
    h.retain_grad()
    h.backward(upstream, create_graph=create_graph)
    a.backward(upstream, create_graph=create_graph)
    owners = [a, b, c, d, h]
    for owner in owners:
        before = [o.grad.data.copy() for o in owners if o is not owner]
        owner.grad.data *= 0.5
        after = [o.grad.data for o in owners if o is not owner]
        np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(np.asarray(upstream), [1, 2, 3, 4])


def test_adding_up_never_writes_into_a_gradient_handed_out():
    x = leaf([1.0, 2.0])
    np.sum(x * x).backward()
    kept, array = x.grad, x.grad.data
    np.sum(x * x).backward()
    assert kept.tolist() == array.tolist() == [2, 4]


# --------------------------------------------------------------------------------------- released
def test_a_second_backward_says_what_to_do():
    x = leaf([1.0], name="x")
    y = np.exp(x) * x
    y.backward()
    message = (
        r"^backward: the arrays kept by multiply \(shape \(1,\), float32\) were released by an "
        r"earlier backward: to sweep a graph twice, call the first with retain_graph=True$"
    )
    with pytest.raises(RuntimeError, match=message):
        y.backward()
    assert x.grad.item() == pytest.approx(2 * math.e)


def test_a_second_backward_through_a_shared_part_says_so_too():
    x = leaf([1.0])
    h = np.exp(x)
    h.name = "hidden"
    np.sum(h).backward()
    with pytest.raises(RuntimeError, match=r"the arrays kept by 'hidden' = exp \(shape \(1,\), fl"):
        np.sum(h * 2).backward()


@pytest.mark.parametrize("keywords", [{"retain_graph": True}, {"create_graph": True}])
def test_a_graph_that_is_kept_can_be_swept_again(keywords):
    x = leaf([1.0, 2.0])
    y = np.sum(np.exp(x) * x)
    y.backward(**keywords)
    first = x.grad.tolist()
    y.backward()
    assert x.grad.tolist() == [2 * g for g in first]


# -------------------------------------------------------------------------------------- messages
SEVERAL = (
    r"^backward: the output has 3 values \(shape \(3,\)\): reduce it to one, for example with "
    r"\.sum\(\), or pass the upstream gradient$"
)
NOTHING = (
    r"^backward: Tensor\(\[1\., 2\., 3\.\]\) requires no gradient: none of what it was computed "
    r"from does, or it was computed under no_grad\(\) or from detached Tensors\. Setting its"
)
SHAPE = r"^backward: gradient has shape \(2,\), the output \(3,\)$"
CONSTANT = r"^gradients: the input Tensor\(\[1\.\]\) does not require a gradient$"


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda x: (x * 2).backward(), ValueError, SEVERAL),
        (lambda x: (x * 2).backward(np.ones(2)), ValueError, SHAPE),
        (lambda x: (x * 2).backward(Tensor([1.0, 2.0]), create_graph=True), ValueError, SHAPE),
        (lambda x: x.detach().backward(), RuntimeError, NOTHING),
        (lambda x: np.sum(Tensor([1, 2])).backward(), RuntimeError, "requires no gradient"),
        (lambda x: gradients(x * 2, [Tensor([1.0])], np.ones(3)), RuntimeError, CONSTANT),
    ],
    ids=["several", "shape", "shape of a Tensor", "nothing", "integers", "constant input"],
)
def test_messages(f, error, message):
    with pytest.raises(error, match=message):
        f(leaf([1.0, 2.0, 3.0]))


def test_nothing_recorded_under_no_grad_is_said():
    x = leaf([1.0])
    with no_grad():
        y = x * 2
    y.name = "loss"
    with pytest.raises(RuntimeError, match=r"^backward: .* or it was computed under no_grad\(\)"):
        y.backward()


def test_a_pullback_of_the_wrong_shape_is_named():
    @minigrad.differentiable(lambda g, _y, _x: np.ones(5))
    def wrong(x):
        return x * 2

    x = leaf([1.0, 2.0], name="x")
    message = (
        r"^backward: the gradient for 'x' \(shape \(2,\), float32\) came with shape \(5,\): a pul"
    )
    with pytest.raises(RuntimeError, match=message):
        wrong(x).backward(np.ones(2))


def test_data_replaced_by_another_shape_between_forward_and_backward_is_named():
    x = leaf([1.0, 2.0], name="x")
    y = np.sum(x * x)
    x.data = np.ones(3, np.float32)
    with pytest.raises(
        RuntimeError, match=r"came with shape \(2,\): .* replaced by some of anothe"
    ):
        y.backward()


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "f", [lambda x: x, lambda x: x + 0.0, lambda x: x.T, lambda x: x.reshape(3, 2), np.conj],
    ids=["itself", "sum", "transpose", "reshape", "conj"],
)  # fmt: skip
def test_no_gradient_shares_memory_with_the_array_given(f, create_graph):
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    y = f(x)
    y.retain_grad()
    g = np.ones(y.shape)
    y.backward(g, create_graph=create_graph, retain_graph=True)
    (found,) = gradients([y], [x], [g])
    g[:] = 7
    for gradient in x.grad, y.grad, found:
        assert (gradient.data == 1).all()
