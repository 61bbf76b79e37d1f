"""What of a Tensor may be changed, when, and what that does: values, gradient, requires_grad."""

import operator

import numpy as np
import pytest

from minigrad import Tensor, no_grad


def leaf(data, **keywords):
    return Tensor(data, requires_grad=True, **keywords)


# ---------------------------------------------------------------------------- operators in place
IN_PLACE = {
    "+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv,
    "//=": operator.ifloordiv, "%=": operator.imod, "**=": operator.ipow,
}  # fmt: skip


@pytest.mark.parametrize(("symbol", "operation"), IN_PLACE.items(), ids=IN_PLACE)
@pytest.mark.parametrize("other", [2.0, np.array([2.0, 3.0]), leaf([2.0, 3.0])], ids=repr)
def test_a_leaf_changes_in_place_under_no_grad_alone(symbol, operation, other):
    t = leaf([5.0, 7.0], name="w")
    before, values = t, t.data
    expected = operation(t.data.copy(), other.data if isinstance(other, Tensor) else other)
    message = (
        rf"^\{symbol[0]}.*: 'w' \(shape \(2,\), float32\) requires a gradient and can't be changed "
        r"in place while recording: write `t.data .*= \.\.\.`, or do it under no_grad\(\)$"
    )
    with pytest.raises(RuntimeError, match=message):
        operation(t, other)
    assert t.tolist() == [5, 7]
    with no_grad():
        t = operation(t, other)
    assert t is before
    assert t.data is values
    assert t.requires_grad
    np.testing.assert_allclose(values, expected)


def test_matmul_in_place():
    t = leaf(np.eye(2))
    with pytest.raises(RuntimeError, match="^@=: a leaf "):
        t @= np.eye(2)
    with no_grad():
        t @= np.array([[1.0, 2.0], [3.0, 4.0]])
    assert t.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("operation", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize("t", [Tensor([5.0]), leaf([2.5]) * 2], ids=["constant", "result"])
def test_others_are_replaced_not_changed(operation, t):
    before, values = t, t.data.copy()
    t = operation(t, 2.0)
    assert t is not before
    assert before.data == values
    assert t.data == operation(values, 2.0)


def test_a_running_total_stays_in_the_graph():
    x, total = leaf([1.0, 2.0]), Tensor(0.0)
    for value in x:
        total += value * value
    total.backward()
    assert x.grad.tolist() == [2, 4]


def test_items_can_not_be_set():
    t = leaf([1.0, 2.0])
    with pytest.raises(
        TypeError, match=r"can't be set in place, the graph would miss it: use np\.wh"
    ):
        t[0] = 3.0
    t.data[0] = 3.0
    assert t.tolist() == [3, 2]


# ----------------------------------------------------------------------------------------- data
def test_data_is_the_array_itself():
    t = leaf([1.0, 2.0])
    t.data -= 0.5
    t.data[0] = 9
    assert t.tolist() == [9, 1.5]
    assert t.requires_grad
    scalar = leaf(3.0)
    scalar.data -= 1
    assert scalar.item() == 2
    result = np.sum(leaf([1.0]))
    result.data -= 1  # arithmetic on 0-d arrays gives scalars, which can't change in place
    assert result.item() == 0


def test_data_can_be_replaced():
    t = leaf([1.0, 2.0], name="w")
    np.sum(t * t).backward()
    t.data = np.array([3.0, 4.0], np.float32)
    assert t.grad.tolist() == [2, 4]
    np.sum(t * t).backward()
    assert t.grad.tolist() == [8, 12]
    t.data = [5.0, 6.0]
    assert (t.tolist(), t.dtype, t.name) == ([5, 6], np.float32, "w")


@pytest.mark.parametrize("values", [np.ones(3, np.float32), np.ones(2)], ids=["shape", "dtype"])
def test_data_of_another_shape_or_dtype_drops_the_gradient(values):
    t = leaf([1.0, 2.0], name="w")
    np.sum(t * t).backward()
    t.data = values
    assert (t.grad, t.requires_grad, t.name) == (None, True, "w")
    assert (t.shape, t.dtype) == (values.shape, values.dtype)
    np.sum(t * t).backward()
    assert (t.grad.shape, t.grad.dtype) == (values.shape, values.dtype)


def test_python_numbers_take_the_dtype_of_a_leaf():
    t = leaf(np.ones(2))
    t.data = [0.1, 2]
    assert (t.dtype, t.data[0]) == (np.float64, 0.1)


def test_a_leaf_takes_no_whole_numbers():
    t = leaf([1.0, 2.0], name="w")
    message = (
        r"^data: 'w' \(shape \(2,\), float32\) requires a gradient, so it takes floating point "
        r"arrays, got int64: write data\.astype\(float32\)$"
    )
    with pytest.raises(TypeError, match=message):
        t.data = np.array([1, 2])
    assert (t.tolist(), t.dtype, t.requires_grad) == ([1, 2], np.float32, True)
    constant = Tensor([1.0])
    constant.data = np.array([1, 2])
    assert (constant.dtype, constant.shape) == (np.int64, (2,))


def test_data_of_a_result_can_not_be_replaced():
    h = leaf([1.0]) * 2
    h.name = "h"
    message = r"^data: 'h' = multiply \(shape \(1,\), float32\) was computed by the graph"
    with pytest.raises(RuntimeError, match=message):
        h.data = np.ones(1)


# ----------------------------------------------------------------------------------------- grad
@pytest.mark.parametrize("value", [np.array([3.0, 4.0]), [3, 4], Tensor([3.0, 4.0])], ids=repr)
def test_grad_can_be_assigned(value):
    t = leaf([1.0, 2.0])
    t.grad = value
    assert isinstance(t.grad, Tensor)
    assert (t.grad.tolist(), t.grad.dtype) == ([3, 4], np.float32)
    np.sum(t).backward()
    assert t.grad.tolist() == [4, 5]
    t.zero_grad()
    assert t.grad is None
    t.grad = value
    t.grad = None
    assert t.grad is None


def test_grad_of_another_shape_is_refused():
    t = leaf([1.0, 2.0], name="w")
    with pytest.raises(ValueError, match=r"^grad: expected shape \(2,\), got \(3,\)$"):
        t.grad = np.ones(3)


def test_grad_of_a_result_is_not_kept_and_says_so():
    h = leaf([1.0]) * 2
    message = (
        r"^grad: multiply \(shape \(1,\), float32\) is not a leaf, and only leaves keep their "
        r"gradient: call t\.retain_grad\(\) before backward\(\)$"
    )
    with pytest.warns(UserWarning, match=message):
        assert h.grad is None
    h.retain_grad()
    (h * h).sum().backward()
    assert h.grad.tolist() == [4]


# --------------------------------------------------------------------------------- requires_grad
def test_requires_grad_can_be_switched_on_leaves():
    t = Tensor([1.0], name="w")
    t.requires_grad = True
    assert (t * 2).requires_grad
    t.requires_grad = False
    assert not (t * 2).requires_grad
    assert t.name == "w"


def test_requires_grad_of_a_result_can_not_be_switched_off():
    h = leaf([1.0]) * 2
    h.requires_grad = True
    message = (
        r"^requires_grad: multiply \(shape \(1,\), float32\) is part of a graph: use t\.detach"
    )
    with pytest.raises(RuntimeError, match=message):
        h.requires_grad = False


def test_detach_shares_memory_and_leaves_the_graph():
    t = leaf([1.0, 2.0])
    u = t.detach()
    assert not u.requires_grad
    assert u.is_leaf
    u.data[0] = 5
    assert t.tolist() == [5, 2]


def test_astype_stays_in_the_graph():
    t = leaf([1.5, 2.5])
    u = t.astype(np.float64)
    np.sum(u * u).backward()
    assert (u.dtype, t.grad.dtype, t.grad.tolist()) == (np.float64, np.float32, [3, 5])
    assert np.sum(leaf(2.0) * 2).astype(np.float64).dtype == np.float64
    assert np.astype(t, np.float64).requires_grad
    assert t.detach().astype(int).tolist() == [1, 2]
    assert Tensor([1, 2]).astype(np.float64).dtype == np.float64
    for dtype in (int, bool):
        with pytest.raises(
            TypeError, match=r"^astype: (int64|bool) has no gradients: write t\.det"
        ):
            t.astype(dtype)
