"""Pooling: the book's numbers, differences, PyTorch's results, ties, NaN, borders, types."""

from functools import partial

import numpy as np
import pytest
from book import LAYERS, assert_close, case
from hypothesis import given
from hypothesis import strategies as st
from windows import BLOCKS, LAYOUTS, cases, compare, distinct, pairs

import minigrad.functional as F
from minigrad import Tensor, gradients
from minigrad.testing import check_gradients

POOLS = {"max": F.max_pool2d, "avg": F.avg_pool2d}
each = pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)


# -------------------------------------------------------------------------- the book's numbers
BOOK = sorted({key.split("/")[0] for key in LAYERS if key.startswith("maxpool_")})


def test_all_five_cases_are_here():
    assert len(BOOK) == 5


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("name", BOOK)
def test_book(name, blocks):
    book = case(name)
    kernel, stride = (2, 2) if "ties" in name else (int(part[1:]) for part in name.split("_")[1:3])
    x = Tensor(book["x"], requires_grad=True)
    with BLOCKS[blocks]():
        y = F.max_pool2d(x, kernel, stride)
        y.backward(book["g"])
    assert_close(y, book["y"])
    assert_close(x.grad, book["dx"])


# ---------------------------------------------------------------------------------- differences
WINDOWS = {
    "tiles": ((2, 2, 4, 6), (2, 3), None, 0),
    "rows and columns left over": ((1, 2, 5, 7), 2, None, 0),
    "one pixel": ((1, 1, 1, 1), 1, None, 0),
    "overlapping": ((1, 2, 5, 5), 3, 1, 0),
    "overlapping one way": ((1, 1, 6, 5), (3, 2), (2, 3), 0),
    "gaps": ((1, 1, 7, 8), 2, (3, 4), 0),
    "padded": ((2, 1, 4, 5), 3, 2, 1),
    "padded as far as it goes": ((1, 1, 3, 4), (3, 4), 2, (2, 3)),
    "the whole image": ((2, 3, 3, 4), (3, 4), None, 0),
    "same": ((1, 1, 4, 5), (2, 3), 1, "same"),
}


@each
@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), WINDOWS.values(), ids=WINDOWS)
def test_both_orders_agree_with_differences(pool, shape, kernel, stride, padding, blocks):
    with BLOCKS[blocks]():
        f = partial(pool, kernel_size=kernel, stride=stride, padding=padding)
        check_gradients(f, distinct(*shape))
        check_gradients(lambda x: f(x) ** 2, distinct(*shape))


# -------------------------------------------------------------------------------------- PyTorch
@st.composite
def poolings(draw):
    kernel, stride = draw(pairs(1, 4)), draw(st.none() | pairs(1, 4))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    low = [max(1, k - 2 * p) for k, p in zip(kernel, padding, strict=True)]
    shape = (*draw(pairs(1, 3)), *(n + draw(st.integers(0, 6)) for n in low))
    layout, blocks = draw(st.sampled_from([*LAYOUTS])), draw(st.sampled_from([*BLOCKS]))
    return distinct(*shape, seed=draw(st.integers(0, 99))), kernel, stride, padding, layout, blocks


@each
@pytest.mark.parametrize(
    "examples", [60, pytest.param(1000, marks=pytest.mark.slow)], ids=["60", "1000"]
)
def test_agrees_with_pytorch(pool, examples):
    torch = pytest.importorskip("torch")

    @cases(examples)
    @given(poolings())
    def run(drawn):
        x, kernel, stride, padding, layout, blocks = drawn
        f, t = (
            partial(getattr(m, pool.__name__), kernel_size=kernel, stride=stride, padding=padding)
            for m in (F, torch.nn.functional)
        )
        with BLOCKS[blocks]():
            compare(lambda x: f(x) ** 2, lambda x: t(x) ** 2, x, layouts=[layout])

    run()


# ------------------------------------------------------------------------- ties, NaN, borders
def gradient_of_max(x, *window):
    x = Tensor(np.asarray(x, np.float64).reshape(1, 1, *np.shape(x)), requires_grad=True)
    y = F.max_pool2d(x, *window)
    (d,) = gradients([y], [x], [np.arange(1.0, y.size + 1).reshape(y.shape)])
    return y.data[0, 0].tolist(), d.data[0, 0].tolist()


NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("x", "window", "y", "d"),
    [
        pytest.param([[3, 3], [3, 3]], (2,), [[3]], [[1, 0], [0, 0]], id="the first of a tie"),
        pytest.param([[1, 2], [2, 2]], (2,), [[2]], [[0, 1], [0, 0]], id="the row before"),
        pytest.param(
            [[2, 2, 2]], ((1, 2), 1), [[2, 2]], [[1, 2, 0]], id="ties of overlapping windows"
        ),
        pytest.param([[1, 5, 1]], ((1, 2), 1), [[5, 5]], [[0, 3, 0]], id="a pixel that wins twice"),
        pytest.param([[-3, -2]], (2, 2, 1), [[-3, -2]], [[1, 2]], id="padding never wins"),
        pytest.param([[-INF, -INF]], ((1, 2),), [[-INF]], [[1, 0]], id="nothing but -inf"),
        pytest.param([[-INF]], (2, 2, 1), [[-INF]], [[1]], id="-inf against padding"),
        pytest.param([[INF, 1, INF]], ((1, 3),), [[INF]], [[1, 0, 0]], id="inf"),
        pytest.param([[0.0, -0.0]], ((1, 2),), [[0]], [[1, 0]], id="both zeros"),
    ],
)
@pytest.mark.parametrize("blocks", BLOCKS)
def test_stated_values(x, window, y, d, blocks):
    with BLOCKS[blocks]():
        assert gradient_of_max(x, *window) == (y, d)


@pytest.mark.parametrize("blocks", BLOCKS)
def test_nan_wins_and_takes_the_gradient(blocks):
    with BLOCKS[blocks]():
        y, d = gradient_of_max([[9, NAN, 1, 2], [NAN, 9, 4, 3]], 2)
    np.testing.assert_array_equal(y, [[NAN, 4]])
    assert d == [[0, 1, 0, 0], [0, 0, 2, 0]]


def test_a_gradient_that_is_not_finite_stays_at_its_pixel():
    x = Tensor(distinct(1, 1, 2, 4), requires_grad=True)
    F.max_pool2d(x, 2).backward(np.array([[[[NAN, INF]]]]))
    assert np.isfinite(x.grad.data).sum() == 6


@pytest.mark.parametrize("kernel", [(15, 17), (16, 16), (17, 16), (1, 300)])
def test_windows_of_more_than_255_pixels(kernel):
    shape = (1, 2, kernel[0] + 1, kernel[1] + 2)
    x = Tensor(np.arange(np.prod(shape), dtype=np.float64).reshape(shape), requires_grad=True)
    y = F.max_pool2d(x, kernel, 1)
    np.testing.assert_array_equal(y.data, x.data[:, :, -2:, -3:])
    y.backward(np.ones(y.shape))
    assert x.grad.data[:, :, -2:, -3:].all()
    assert x.grad.data.sum() == y.size


def test_average_counts_padding_as_zeros():
    y = F.avg_pool2d(np.full((1, 1, 2, 2), 8.0), 2, 1, 1)
    assert y[0, 0].tolist() == [[2, 4, 2], [4, 8, 4], [2, 4, 2]]


# ------------------------------------------------------------------- of any layout, size and type
@each
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_type_stays(pool, dtype):
    x = Tensor(distinct(2, 3, 5, 5).astype(dtype), requires_grad=True)
    y = pool(x, 3, 2, 1)
    (d,) = gradients([y], [x], [np.ones(y.shape)], create_graph=True)
    assert y.dtype == d.dtype == dtype
    (second,) = gradients([np.sum(pool(x, 3, 2, 1) ** 2)], [x], create_graph=True)
    assert second.dtype == dtype


@each
def test_an_empty_batch(pool):
    x = Tensor(np.ones((0, 2, 4, 4)), requires_grad=True)
    y = pool(x, 2)
    y.backward(np.ones(y.shape))
    assert (y.shape, x.grad.shape) == ((0, 2, 2, 2), (0, 2, 4, 4))


@each
def test_the_gradient_may_lie_in_memory_as_it_likes(pool):
    x, g = distinct(2, 3, 6, 4), distinct(2, 3, 3, 2, seed=1)
    found = []
    for layout in LAYOUTS.values():
        t = Tensor(x, requires_grad=True)
        pool(t, 2).backward(layout(g))
        found.append(t.grad.data)
    for d in found[1:]:
        np.testing.assert_array_equal(d, found[0])
