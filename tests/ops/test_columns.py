"""Windows as rows: im2col and col2im with the book's numbers, and NumPy's sliding windows."""

import numpy as np
import pytest
from book import CONVOLUTIONS, assert_close, case, window_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from windows import cases, pairs

import minigrad.functional as F
from minigrad import Tensor
from minigrad.testing import check_gradients

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.normal(size=shape)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_book_columns(name):
    book, (window, kernel) = case(name), window_of(name)
    assert_close(F.im2col(book["x"], kernel, **window), book["col"])
    assert_close(F.col2im(book["col"], book["x"].shape, kernel, **window), book["dcol_image"])
    x = Tensor(book["x"], requires_grad=True)
    F.im2col(x, kernel, **window).backward(book["col"])
    assert_close(x.grad, book["dcol_image"])
    col = Tensor(book["col"], requires_grad=True)
    F.col2im(col, x.shape, kernel, **window).backward(book["x"])
    assert_close(col.grad, book["col"])


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution_is_a_product_with_the_columns(name):
    book, (window, kernel) = case(name), window_of(name)
    n, o, height, width = book["y"].shape
    rows = F.im2col(book["x"], kernel, **window) @ book["W"].reshape(o, -1).T + book["b"]
    assert_close(rows.reshape(n, height, width, o).transpose(0, 3, 1, 2), book["y"])


@cases(60)
@given(st.data())
def test_col2im_is_the_adjoint_of_im2col(data):
    kernel, shape = data.draw(pairs(1, 3)), (*data.draw(pairs(1, 3)), *data.draw(pairs(5, 8)))
    ranges = {"stride": pairs(1, 3), "padding": pairs(0, 2), "dilation": pairs(1, 2)}
    window = {name: data.draw(values) for name, values in ranges.items()}
    x = normal(*shape)
    col = F.im2col(x, kernel, **window)
    c = normal(*col.shape)
    back = F.col2im(c, shape, kernel, **window)
    assert np.sum(col * c) == pytest.approx(np.sum(x * back), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((7,), (3,)),
        ((4, 5), ((2, 3),)),
        ((4, 5), (2, 0)),
        ((4, 5, 3), ((2, 2), (-1, 0))),
        ((3,), (3,)),
    ],
)
def test_sliding_windows(shape, arguments):
    x = Tensor(normal(*shape), requires_grad=True)
    y = sliding_window_view(x, *arguments)
    np.testing.assert_array_equal(y.data, sliding_window_view(x.data, *arguments))
    check_gradients(lambda x: sliding_window_view(x, *arguments), x)


def test_a_moving_average_by_windows_is_that_by_convolution():
    x = normal(10)
    windows = np.mean(sliding_window_view(Tensor(x), 4), axis=-1)
    y = F.conv2d(x.reshape(1, 1, 1, 10), np.full((1, 1, 1, 4), 0.25))
    np.testing.assert_allclose(windows.data, y.ravel(), rtol=1e-12)
