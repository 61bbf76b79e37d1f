"""The gradient checker is itself checked: it passes what is right and names what is wrong."""

import numpy as np
import pytest

from minigrad import Tensor, differentiable, gradients
from minigrad.autograd import bare
from minigrad.testing import check_gradients, numerical_gradient

X, Y = np.array([0.5, 1.5, -0.7]), np.array([[1.0], [2.0]])


def test_numerical_gradient():
    gx, gy = numerical_gradient(lambda x, y: x * x * y, X, Y)
    np.testing.assert_allclose(gx, 2 * X * Y.sum(), rtol=1e-8)
    np.testing.assert_allclose(gy, np.full((2, 1), np.sum(X * X)), rtol=1e-8)
    (g,) = numerical_gradient(lambda x: [x, x**2], X, upstream=[np.ones(3), [1.0, 0.0, 2.0]])
    np.testing.assert_allclose(g, 1 + 2 * X * [1, 0, 2], rtol=1e-8)


def test_inputs_are_left_alone():
    x = np.array([1.0, 2.0])
    check_gradients(lambda t: t**2, x)
    numerical_gradient(lambda t: t**2, x)
    assert x.tolist() == [1, 2]


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: x * y,
        lambda x, y: [np.sin(x), y * y],
        lambda x, y: np.floor(x) + 0 * y,
        lambda x, y: gradients(np.sum(x**3 * y), [x], create_graph=True)[0],
    ],
    ids=["product", "two outputs", "no slope", "itself a gradient"],
)
def test_right_gradients_pass(f):
    check_gradients(f, X, Y)
    check_gradients(f, Tensor(X), Tensor(Y, requires_grad=True), order=3)


def test_an_input_without_influence_passes():
    check_gradients(lambda x, y: x * 2, X, Y)


def wrong(pullback):
    @differentiable(pullback)
    def square(x):
        return x * x

    return square


FULL = (
    r"^order 1, input 0: the gradient is wrong at 3 of 3 places, most at \(\d,\): [-\d.]+, but "
    r"differences say [-\d.]+$"
)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (wrong(lambda g, _y, x: g * x), FULL),
        (wrong(lambda g, _y, x: g * np.where(x > 1, x, 2 * x)),
         r"^order 1, input 0: the gradient is wrong at 1 of 3 places, most at \(1,\): "),
        (wrong(lambda g, _y, x: 2 * np.abs(g) * x), "^order 1, input 0: "),
        (wrong(lambda g, _y, x: g * x * np.nan), "^order 1, input 0: .* at 3 of 3 places"),
        (wrong(lambda g, _y, x: g * bare(2 * x)), "^order 2, input 0: .* at 3 of 3 places"),
        (wrong(lambda g, _y, x: bare(g) * 2 * x), "^order 2, input 1: .* at 3 of 3 places"),
        (wrong(lambda g, _y, x: np.ones(5)), r"^order 1, input 0: gradient of shape \(5,\), not"),
        (lambda x: x.detach() * 2, "^order 1, input 0: the gradient is wrong at 3 of 3 places"),
        (lambda x: x.astype(np.float32), "^check_gradients: float64 inputs gave a .* float32$"),
    ],
    ids=[
        "a factor", "one place", "right for ones alone", "NaN", "second order", "upstream",
        "shape", "out of the graph", "float32",
    ],
)  # fmt: skip
def test_wrong_gradients_are_named(f, message):
    with pytest.raises(AssertionError, match=message):
        check_gradients(f, X)


def with_residual(pullback):
    @differentiable(pullback, residual=True)
    def square(x):
        return x * x, 2 * x

    return square


def test_a_fault_in_the_branch_that_is_recorded_is_named():
    """The recorded sweep has no residual: what is computed in its place is checked as well."""
    right = with_residual(lambda g, _y, x, residual: g * (2 * x if residual is None else residual))
    wrong = with_residual(lambda g, _y, x, residual: g * (3 * x if residual is None else residual))
    check_gradients(right, X, order=3)
    message = (
        r"^order 1, input 0: the gradient with create_graph=True is wrong at 3 of 3 places, most "
        r"at \(\d,\): [-\d.]+, but differences say [-\d.]+$"
    )
    for order in (1, 2):
        with pytest.raises(AssertionError, match=message):
            check_gradients(wrong, X, order=order)


def test_a_fault_in_the_branch_that_is_recorded_at_the_second_order_is_named():
    inner = with_residual(lambda g, _y, x, residual: g * (3 * x if residual is None else residual))

    @differentiable(lambda g, _y, x: g * inner(x))
    def cube(x):
        return x**3 / 3

    with pytest.raises(AssertionError, match="^order 2, input 0: the gradient with create_graph"):
        check_gradients(cube, X)


def test_a_pullback_that_can_not_be_recorded_passes_at_the_last_order():
    @differentiable(lambda g, _y, x: g * np.ascontiguousarray(2 * x))
    def once(x):
        return x * x

    check_gradients(once, X, order=1)
    with pytest.raises(TypeError, match="silently leave the graph"):
        check_gradients(once, X)
