"""Rare arguments do what NumPy does with bare arrays, or raise what it raises."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from minigrad import Tensor, gradients
from minigrad.testing import check_gradients

S, V, A = np.array(3.0), np.array([1.0, 2.5, -0.5]), np.arange(9.0).reshape(3, 3)
C, EMPTY = np.arange(27.0).reshape(3, 3, 3), np.zeros((2, 0))

CALLS = {
    "einsum of a label thrice": (lambda x: np.einsum("iii->i", x), C),
    "einsum of a label thrice, summed": (lambda x: np.einsum("iii", x), C),
    "einsum of a label four times": (
        lambda x: np.einsum("iiij->j", x), np.arange(54.0).reshape(3, 3, 3, 2)),
    "einsum of two diagonals": (lambda x: np.einsum("ijji->ij", x), np.ones((2, 3, 3, 2))),
    "einsum of an empty ellipsis": (lambda x: np.einsum("...i->i", x), V),
    "einsum without its ellipsis": (lambda x: np.einsum("...i->", x), A),
    "einsum without its ellipsis, of two": (lambda x: np.einsum("...i,i->i", x, x[0]), A),
    "repeat of a scalar": (lambda x: np.repeat(x, 2), S),
    "repeat of a scalar along 0": (lambda x: np.repeat(x, 2, axis=0), S),
    "repeat of a scalar along -1": (lambda x: np.repeat(x, 2, axis=-1), S),
    "repeat of a scalar along 1": (lambda x: np.repeat(x, 2, axis=1), S),
    "take of a scalar along 0": (lambda x: np.take(x, [0, 0], axis=0), S),
    "take of a scalar along -1": (lambda x: np.take(x, 0, axis=-1), S),
    "take of a scalar along 1": (lambda x: np.take(x, 0, axis=1), S),
    "diff of no order": (lambda x: np.diff(x, 0), V),
    "diff of no order of a scalar": (lambda x: np.diff(x, n=0), S),
    "diff of a scalar": (np.diff, S),
    "diff behind a number": (lambda x: np.diff(x, prepend=0.5), A),
    "diff between numbers along 0": (lambda x: np.diff(x, axis=0, prepend=1.0, append=2.0), A),
    "polydiv by what is longer": (lambda x: np.polydiv(x[:1], x)[0], V),
    "polydiv, a remainder with a zero in front": (
        lambda x: np.polydiv(x, x[:3])[1], np.array([1.0, 0.0, 1.0, 5.0])),
    "polydiv without a remainder": (
        lambda x: np.polydiv(x, [1.0, 0.0, 3.0, 1.0])[1], np.array([1.0, 2.0, 3.0, 7.0, 2.0])),
    "linspace of one value": (lambda x: np.linspace(x[0], x[1], 1), V),
    "roots of nothing": (lambda x: np.roots(x * 0), V),
    "array_split of a vector": (lambda x: np.array_split(x, 2)[0], V),
    "hstack of one": (lambda x: np.hstack([x]), A),
    "polydiv by a number": (lambda x: np.polydiv(x, [2.0])[1], V),
    "polyder, once": (np.polyder, V),
    "corrcoef of one variable": (lambda x: np.corrcoef(x), V),
    "vecdot of a number and a vector": (lambda x: np.vecdot(x[0], x), V),
    "quantile at two places": (lambda x: np.quantile(x, [0.3, 0.8]), A),
    "quantile at one place": (lambda x: np.quantile(x, [0.3], axis=1), A),
    "maximum.accumulate of columns": (lambda x: np.maximum.accumulate(x[[1, 0, 2]]), A),
    "minimum.accumulate of rows": (lambda x: np.minimum.accumulate(x[:, [1, 0, 2]], axis=1), A),
    "cond by the smallest": (lambda x: np.linalg.cond(x, -2), A + 9 * np.eye(3)),
    "vecmat without a matrix": (
        lambda x: getattr(np, "vecmat", np.linalg.solve)(x, x), V),  # since NumPy 2.2
    "windows along an axis": (lambda x: sliding_window_view(x, 2, axis=-1), A),
    "windows along an axis that is not": (lambda x: sliding_window_view(x, 2, axis=5), A),
    "windows along -3": (lambda x: sliding_window_view(x, 2, axis=-3), A),
    "windows of two lengths": (lambda x: sliding_window_view(x, (2, 2), axis=0), A),
    "windows too large": (lambda x: sliding_window_view(x, 9, axis=0), A),
    "norm of empty rows": (lambda x: np.linalg.norm(x, 3, axis=1), EMPTY),
    "norm 1 of empty rows": (lambda x: np.linalg.vector_norm(x, ord=1, axis=1), EMPTY),
    "norm -inf of empty rows": (lambda x: np.linalg.norm(x, -np.inf, axis=1), EMPTY),
    "trace": (np.trace, np.arange(24.0).reshape(2, 3, 4)),
    "trace of the next diagonal": (lambda x: np.trace(x, 1), A),
    "hsplit of a vector": (lambda x: np.hsplit(x, 3)[2], V),
    "hsplit of three axes": (lambda x: np.hsplit(x, 3)[1], np.arange(12.0).reshape(2, 3, 2)),
}  # fmt: skip


@pytest.mark.parametrize(("f", "x"), CALLS.values(), ids=CALLS)
def test_a_rare_call(f, x):
    try:
        expected = f(x)
    except (ValueError, TypeError) as error:
        with pytest.raises(TypeError if isinstance(error, TypeError) else ValueError):
            f(Tensor(x, requires_grad=True))
        return
    y = f(Tensor(x, requires_grad=True))
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.data, expected)
    if x.size:
        check_gradients(f, x + 0.1)


@pytest.mark.parametrize("widths", [{1: (1, 2)}, {-1: (1, 2)}, {0: 0, 1: (1, 2)}])
def test_widths_of_padding_by_axis(widths):
    """Bare arrays take them since NumPy 2.2, Tensors under every version."""
    y = np.pad(Tensor(A, requires_grad=True), widths)
    np.testing.assert_array_equal(y.data, np.pad(A, [(0, 0), (1, 2)]))


def test_the_largest_of_empty_rows_has_norm_0():
    for norm in (np.linalg.norm, lambda x, o, axis: np.linalg.vector_norm(x, ord=o, axis=axis)):
        y = norm(Tensor(EMPTY, requires_grad=True), np.inf, axis=1)
        assert y.tolist() == [0, 0]


@pytest.mark.parametrize("order", [3, 1.5, 0.5, 1, 2, -1, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_a_norm_at_zero_is_zero(order, dtype):
    x = Tensor(np.zeros((2, 2), dtype), requires_grad=True)
    y = np.linalg.norm(x, order, axis=1)
    assert y.dtype == dtype
    (g,) = gradients(np.sum(y), [x])
    assert g.tolist() == [[0, 0], [0, 0]]
    x = Tensor(np.array([0, 2], dtype), requires_grad=True)
    (g,) = gradients(np.linalg.norm(x, order), [x])
    assert g.tolist() == pytest.approx([0, 0 if order == -1 else 1])


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize(
    ("values", "slope"),
    [
        ([np.nan, 1.0], [1, 0]),
        ([np.nan, 2.0, np.nan], [0.5, 0, 0.5]),
        ([3.0, 3.0], [0.5, 0.5]),
    ],
    ids=["one", "two", "none"],
)
def test_the_gradient_of_an_extreme_goes_to_its_nans(name, values, slope):
    x = Tensor(values, requires_grad=True)
    y = getattr(np, name)(x)
    (g,) = gradients(y, [x])
    assert g.tolist() == slope
    torch = pytest.importorskip("torch")
    t = torch.tensor(values, requires_grad=True)
    getattr(torch, name)(t).backward()
    assert t.grad.tolist() == slope


def test_an_infinite_gradient_of_an_extreme_goes_to_it_alone():
    x = Tensor([0.0, -1.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        (g,) = gradients(np.sqrt(np.max(x)), [x])
    assert g.tolist() == [np.inf, 0]


@pytest.mark.parametrize("n", [40_000, 65_792, 300_000])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_mean_over_more_values_than_float16_counts(n, create_graph):
    x = Tensor(np.linspace(0, 2, n, dtype=np.float16), requires_grad=True)
    (g,) = gradients(np.mean(x), [x], create_graph=create_graph)
    np.testing.assert_allclose(g.data.astype(float), 1 / n, rtol=0, atol=2.0**-24)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 1.0]])
def test_a_covariance_of_fewer_values_than_freedoms_is_infinite(weights):
    expected = np.cov(A, ddof=7, aweights=weights)
    assert np.isinf(expected).all()
    np.testing.assert_array_equal(np.cov(Tensor(A), ddof=7, aweights=weights).data, expected)


def test_counts_of_a_histogram_and_its_density():
    for density in (False, True):
        expected, ends = np.histogram(C, 4, density=density)
        counts, edges = np.histogram(Tensor(C, requires_grad=True), 4, density=density)
        np.testing.assert_allclose(np.asarray(getattr(counts, "data", counts)), expected)
        np.testing.assert_allclose(edges.data, ends)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_variance_of_fewer_values_than_freedoms_is_infinite():
    where = np.eye(3, dtype=bool) | (A > 4)  # rows of one, of two and of three values
    expected = np.var(A, axis=1, ddof=2, where=where)
    assert np.isnan(expected[0])
    np.testing.assert_allclose(np.var(Tensor(A), axis=1, ddof=2, where=where).data, expected)


def test_the_method_sorts_along_the_last_axis_and_gives_a_copy():
    for array in (V, C[:, ::-1, ::-1]):
        x = Tensor(array)
        np.testing.assert_array_equal(x.sort().data, np.sort(array))
        np.testing.assert_array_equal(x.data, array)


@pytest.mark.parametrize("function", [np.mean, np.var, np.std, np.sum, np.max])
def test_an_array_for_the_result_is_refused_by_position_too(function):
    with pytest.raises(TypeError, match=r"out"):
        function(Tensor(A, requires_grad=True), 0, *[None] * (function is not np.max), np.empty(3))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_lengths_without_axes_are_of_the_last_axes():
    expected = np.fft.fftn(C, s=(2, 4))
    np.testing.assert_allclose(np.fft.fftn(Tensor(C), s=(2, 4)).data, expected, atol=1e-12)


def test_each_nan_is_a_value_of_its_own():
    x = np.array([1.0, np.nan, 0.5, np.nan, 1.0])
    np.testing.assert_array_equal(np.unique_values(Tensor(x)).data, np.unique_values(x))
    for found, expected in zip(np.unique_counts(Tensor(x)), np.unique_counts(x), strict=True):
        np.testing.assert_array_equal(getattr(found, "_array", found), expected)


def test_the_method_rounds_to_whole_numbers():
    np.testing.assert_array_equal(Tensor([1.26, -0.4]).round().data, np.float32([1, 0]))


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.3.0", reason="NumPy wants an axis, or takes none"
)
def test_axes_that_newer_versions_of_numpy_take_or_leave_out():
    zeros, places = np.zeros((2, 3)), np.argsort(-C, axis=-1)
    trimmed = np.trim_zeros(Tensor(zeros, requires_grad=True), axis=0)
    assert trimmed.shape == np.trim_zeros(zeros, axis=0).shape
    found = np.take_along_axis(Tensor(C), places)
    np.testing.assert_array_equal(found.data, np.take_along_axis(C, places))
