"""The Tensor as an array: what it is made of, its dtype, its methods, its operators, its copies."""

import copy
import operator
import pickle
import weakref

import numpy as np
import pytest

from minigrad import Tensor, no_grad


def leaf(data, **keywords):
    return Tensor(data, requires_grad=True, **keywords)


# ------------------------------------------------------------------------------------ being made
@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, np.float32),
        ([1.0, 2.0], np.float32),
        ([[1, 2.5]], np.float32),
        (range(3), np.int64),
        (3, np.int64),
        (True, np.bool_),
        (np.ones(2), np.float64),
        (np.ones(2, np.float16), np.float16),
        (np.float64(1.5), np.float64),
        (np.float32(1.5), np.float32),
        ([np.float64(1.5)], np.float32),
        (np.arange(3, dtype=np.int8), np.int8),
        (Tensor(np.ones(2)), np.float64),
        ([], np.float32),
    ],
    ids=repr,
)
def test_python_floats_become_float32_and_arrays_keep_their_dtype(data, dtype):
    t = Tensor(data)
    assert t.dtype == dtype
    assert not t.requires_grad
    assert t.is_leaf
    np.testing.assert_array_equal(t.numpy(), np.asarray(data))


def test_dtype_converts():
    assert Tensor([1, 2], dtype=np.float64).dtype == np.float64
    assert Tensor(np.ones(2), True, dtype="float32").dtype == np.float32


def test_memory_is_shared_unless_an_optimizer_will_write_into_it():
    a = np.ones(3)
    assert np.shares_memory(Tensor(a).data, a)
    for source in (a, a[:2], Tensor(a), memoryview(a)):
        assert not np.shares_memory(leaf(source).data, a)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (None, TypeError, r"^Tensor: expected numbers, got object from None$"),
        ("abc", TypeError, r"^Tensor: expected numbers, got <U3 from 'abc'$"),
        (np.array("2020-01-01", "M8[D]"), TypeError, r"^Tensor: expected numbers, got datetime64"),
        ([[1.0], [2.0, 3.0]], ValueError, r"^Tensor: can't make one array of \[\[1.0\], \[2.0, 3"),
        ([leaf(1.0)], TypeError, r"np\.stack or np\.concatenate, not np\.array; to convert"),
    ],
    ids=["None", "a string", "a date", "ragged", "Tensors"],
)
def test_what_is_not_an_array_of_real_numbers_is_refused(data, error, message):
    with pytest.raises(error, match=message):
        Tensor(data)


@pytest.mark.parametrize("data", [1, [1, 2], True, np.arange(3)], ids=repr)
def test_whole_numbers_can_not_require_a_gradient(data):
    message = (
        r"^requires_grad: only floating point Tensors .* (int64|bool): write 1\.0 instead of 1"
    )
    with pytest.raises(TypeError, match=message):
        leaf(data)
    t = Tensor(data)
    with pytest.raises(TypeError, match=message):
        t.requires_grad = True
    assert leaf(data, dtype=np.float32).requires_grad


# -------------------------------------------------------------------------------- being an array
def test_attributes():
    t = Tensor(np.arange(6.0).reshape(2, 3))
    assert (t.shape, t.ndim, t.size, t.dtype, len(t)) == ((2, 3), 2, 6, np.float64, 2)
    assert t.T.shape == t.mT.shape == (3, 2)
    assert (t.T.numpy() == t.numpy().T).all()
    assert Tensor(np.zeros((2, 3, 4))).mT.shape == (2, 4, 3)
    assert t.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert t.numpy() is t.data


METHODS = {
    "sum": lambda t: t.sum(), "sum axis": lambda t: t.sum(0), "mean": lambda t: t.mean(axis=(0, 1)),
    "prod": lambda t: t.prod(1), "var": lambda t: t.var(ddof=1), "std": lambda t: t.std(0, ddof=1),
    "max": lambda t: t.max(1, keepdims=True), "min": lambda t: t.min(),
    "clip": lambda t: t.clip(1, 3),
    "cumsum": lambda t: t.cumsum(1), "trace": lambda t: t.trace(), "round": lambda t: t.round(1),
    "reshape": lambda t: t.reshape(3, -1), "reshape tuple": lambda t: t.reshape((6,)),
    "ravel": lambda t: t.ravel(), "flatten": lambda t: t.flatten(), "copy": lambda t: t.copy(),
    "transpose": lambda t: t.transpose(), "transpose axes": lambda t: t.transpose(1, 0),
    "transpose tuple": lambda t: t.transpose((1, 0)), "swapaxes": lambda t: t.swapaxes(0, 1),
    "squeeze": lambda t: t[:1].squeeze(0), "repeat": lambda t: t.repeat(2, axis=0),
    "take": lambda t: t.take([0, 0, 2], axis=1), "diagonal": lambda t: t.diagonal(1),
    "dot": lambda t: t.dot(t.T), "astype": lambda t: t.astype(np.float16), "T": lambda t: t.T,
    "negative": lambda t: -t, "positive": lambda t: +t, "abs": lambda t: abs(t),
    "getitem": lambda t: t[1, ::2], "getitem mask": lambda t: t[t > 2],
    "sum keywords": lambda t: t.sum(axis=-1, keepdims=True),
}  # fmt: skip


@pytest.mark.parametrize("f", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_methods_are_those_of_ndarray_and_stay_in_the_graph(f, requires_grad):
    array = np.array([[0.3, 2.6, 1.4], [3.2, 0.9, 4.7]])
    y = f(Tensor(array, requires_grad))
    assert (y.requires_grad, y.is_leaf) == (requires_grad, not requires_grad)
    assert (y.dtype, y.shape) == (f(array).dtype, f(array).shape)
    np.testing.assert_array_equal(y.data, f(array))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("argmax", (1,)),
        ("argmin", ()),
        ("argsort", (0,)),
        ("any", (0,)),
        ("all", ()),
        ("nonzero", ()),
    ],
)
def test_methods_without_a_derivative_give_plain_arrays(name, arguments):
    array = np.array([[0.0, 2.0], [3.0, 1.0]])
    result = getattr(leaf(array), name)(*arguments)
    assert not isinstance(result, Tensor)
    np.testing.assert_array_equal(result, getattr(array, name)(*arguments))


ARITHMETIC = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow,
]  # fmt: skip
OTHERS = [2, 0.5, True, np.float64(1.5), np.float32(1.5), np.array([1.5, 2.5]), [1.5, 2.5], (2, 3)]


@pytest.mark.parametrize("operation", ARITHMETIC, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", [*OTHERS, Tensor([1.5, 2.5])], ids=repr)
@pytest.mark.parametrize("enabled", [True, False])
def test_operators_work_from_both_sides(operation, other, enabled):
    t, array = leaf(np.array([1.25, 3.75])), np.array([1.25, 3.75])
    bare = np.asarray(other)
    if enabled:
        left, right = operation(t, other), operation(other, t)
    else:
        with no_grad():
            left, right = operation(t, other), operation(other, t)
    for y, expected in [(left, operation(array, bare)), (right, operation(bare, array))]:
        assert type(y) is Tensor
        assert y.requires_grad is enabled
        np.testing.assert_allclose(y.data, expected, rtol=1e-15)


def test_matmul_works_from_both_sides():
    t, matrix = leaf([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    for y, expected in [
        (t @ matrix, [7, 10]),
        (matrix @ t, [5, 11]),
        (matrix.tolist() @ t, [5, 11]),
    ]:
        assert y.requires_grad
        assert y.dtype == np.float32
        assert y.tolist() == expected


@pytest.mark.parametrize("other", [None, object(), {}], ids=["None", "object", "{}"])
@pytest.mark.parametrize("operation", [operator.add, operator.mul, operator.matmul])
def test_operators_refuse_what_is_no_number(other, operation):
    for a, b in [(leaf([1.0]), other), (other, leaf([1.0]))]:
        with pytest.raises(TypeError, match="unsupported operand"):
            operation(a, b)


def test_comparisons_give_plain_arrays():
    t, u = leaf([1.0, 2.0, 3.0]), leaf([3.0, 2.0, 1.0])
    expected = {
        operator.eq: [0, 1, 0], operator.ne: [1, 0, 1], operator.lt: [1, 0, 0],
        operator.le: [1, 1, 0], operator.gt: [0, 0, 1], operator.ge: [0, 1, 1],
    }  # fmt: skip
    for operation, result in expected.items():
        for other in (u, u.data, u.tolist()):
            found = operation(t, other)
            assert type(found) is np.ndarray
            assert found.tolist() == result
        assert operation(t.data, u).tolist() == result
        assert type(operation(np.float64(2), t)) is np.ndarray
    assert (t == None).tolist() == [False] * 3  # noqa: E711


def test_hashing_is_by_identity():
    t, u = leaf([1.0]), leaf([1.0])
    assert {t: 1, u: 2}[t] == 1
    assert weakref.ref(t)() is t


# ------------------------------------------------------------------------------- being a number
def test_a_tensor_of_one_value_is_a_number():
    t = leaf(2.5)
    assert (bool(t), t.item(), leaf([1.0, 2.5]).item(1)) == (True, 2.5, 2.5)
    n = t.detach()
    assert (float(n), int(n), complex(n)) == (2.5, 2, 2.5)
    assert isinstance(t.item(), float)
    assert not Tensor(0.0)
    assert f"{t:.3f} {leaf([1.0])}" == "2.500 Tensor([1.], requires_grad=True)"
    assert [10, 20, 30][Tensor(1)] == 20
    assert leaf([[2.5]]).item() == 2.5


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (bool, ValueError, "truth value of an array with more than one element is ambiguous"),
        (float, TypeError, "only 0-dimensional arrays can be converted|only length-1 arrays"),
        (int, TypeError, "only 0-dimensional arrays can be converted|only length-1 arrays"),
        (Tensor.item, ValueError, "can only convert an array of size 1"),
        (operator.index, TypeError, "only integer scalar arrays"),
    ],
)
def test_a_tensor_of_several_values_is_no_number(f, error, message):
    with pytest.raises(error, match=message):
        f(Tensor([1.0, 2.0]))


def test_iteration_goes_along_the_first_axis_within_the_graph():
    t = leaf([[1.0, 2.0], [3.0, 4.0]])
    first, second = t
    (first * second).sum().backward()
    assert t.grad.tolist() == [[3, 4], [1, 2]]
    assert 3.0 in t
    assert 5.0 not in t


@pytest.mark.parametrize("t", [leaf(1.0), leaf(1.0) * 2], ids=["leaf", "result"])
def test_a_scalar_has_no_length_and_no_iteration(t):
    with pytest.raises(TypeError, match=r"len\(\) of unsized object"):
        len(t)
    with pytest.raises(TypeError, match=r"iteration over a Tensor of shape \(\): it has no axis"):
        iter(t)


# ------------------------------------------------------------------------------ names and looks
@pytest.mark.parametrize(
    ("t", "text"),
    [
        (Tensor([1.0, 2.5]), "Tensor([1. , 2.5])"),
        (Tensor(2.0), "Tensor(2.)"),
        (Tensor([1, 2]), "Tensor([1, 2], dtype=int64)"),
        (leaf(np.ones(1)), "Tensor([1.], dtype=float64, requires_grad=True)"),
        (leaf([1.0], name="w"), "Tensor([1.], requires_grad=True, name='w')"),
        (Tensor([1.0], name="x"), "Tensor([1.], name='x')"),
        (leaf([1.0]) * 2, "Tensor([2.], from=multiply)"),
        (np.exp(leaf(0.0)), "Tensor(1., from=exp)"),
        (Tensor(np.zeros((2, 2), np.float32)), "Tensor([[0., 0.],\n        [0., 0.]])"),
    ],
    ids=lambda v: v.replace("\n", " ") if isinstance(v, str) else "",
)
def test_repr(t, text):
    assert repr(t) == text


def test_repr_of_many_values_is_short():
    assert len(repr(Tensor(np.zeros((1000, 1000))))) < 500


def test_names_can_be_given_changed_and_taken():
    t = leaf([1.0])
    assert t.name is None
    t.name = "weight"
    assert (t.name, t.requires_grad) == ("weight", True)
    h = t * 2
    h.name = "hidden"
    assert h.name == "hidden"
    assert t.name == "weight"
    t.name = None
    assert t.name is None


# ------------------------------------------------------------------------------- copies of leaves
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_and_pickles_of_leaves_keep_everything(clone):
    t = leaf(np.array([1.0, 2.0]), name="w")
    np.sum(t * t).backward()
    u = clone(t)
    assert (u.name, u.requires_grad, u.dtype, u.is_leaf) == ("w", True, t.dtype, True)
    assert u.tolist() == [1, 2]
    assert u.grad.tolist() == [2, 4]
    u.data[0] = 7
    u.grad.data[0] = 7
    assert (t.tolist(), t.grad.tolist()) == ([1, 2], [2, 4])
    np.sum(u).backward()
    assert t.grad.tolist() == [2, 4]
    plain = clone(Tensor([1, 2]))
    assert (plain.requires_grad, plain.dtype, plain.name) == (False, np.int64, None)


@pytest.mark.parametrize("clone", [copy.deepcopy, copy.copy, pickle.dumps])
def test_results_of_the_graph_are_not_copied(clone):
    with pytest.raises(
        TypeError, match=r"multiply \(shape \(1,\), float32\) is part of a graph, an"
    ):
        clone(leaf([1.0]) * 2)
    assert clone((leaf([1.0]) * 2).detach())
