"""How convolutions become matrix products: kernels of 3 by 3, tiles, products over threads."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from windows import LAYOUTS, cases, compare, constants, threads

import minigrad.functional as F
from minigrad import Tensor, gradients
from minigrad.kernels import products, tiles
from minigrad.kernels import threads as thread_kernels

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.normal(size=shape)


# ---------------------------------------------------------------- kernels of 3 by 3, many channels
WIDTHS = [4, 5, 7, 10]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_many_channels_agree_with_pytorch(width, layout):
    arrays = [normal(*s) for s in [(9, 20, 3, width), (20, 20, 3, 3), (20,)]]
    torch = pytest.importorskip("torch")
    f, t = (partial(module.conv2d, padding=1) for module in (F, torch.nn.functional))
    compare(f, t, *arrays, layouts=[layout])


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_many_channels_spread_what_is_not_finite_to_its_windows_alone(bad):
    x, w = normal(9, 20, 5, 7), normal(20, 20, 3, 3)
    for column in range(7):
        x_bad = x.copy()
        x_bad[3, 2, 1, column] = bad
        with np.errstate(invalid="ignore"):  # inf - inf
            finite = np.isfinite(F.conv2d(x_bad, w, padding=1))
        expected = np.ones(finite.shape, bool)
        expected[3, :, :3, max(0, column - 1) : column + 2] = False
        np.testing.assert_array_equal(finite, expected)


# ------------------------------------------------------------------------------------- products
SIZES = st.integers(1, 12)


@cases(200)
@given(st.integers(1, 3), SIZES, SIZES, SIZES, st.integers(1, 300))
def test_tiles_change_no_product(r, m, n, k, unpacked):
    table = {"UNPACKED": unpacked, "SMALL_RESULT": 20, "FEWEST_ROWS": 1, "FEWEST_COLUMNS": 1}
    with constants({tiles: table}):
        a, b = normal(m, k), normal(r, k, n)
        out = np.full((r, m, n), np.nan)
        tiles.products(a, b, out)
        np.testing.assert_allclose(out, a @ b, rtol=0, atol=1e-13)
        c, d = normal(r, m, k), normal(r, n, k)
        expected = (c @ d.swapaxes(1, 2)).sum(0)
        np.testing.assert_allclose(tiles.sum_of_products(c, d), expected, rtol=0, atol=1e-13)


SHARED = {thread_kernels: {"SHARED_WORK": 0}, products: {"FEWEST_IN_BLAS": 0}}


@pytest.mark.parametrize("shape", [(20, 10, 3), (3, 10, 20), (5, 5, 5), (1, 4, 5), (1, 1, 1)])
@pytest.mark.parametrize("table", [{}, SHARED], ids=["alone", "shared"])
@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_a_product_over_threads_is_the_product(shape, table, n_threads):
    m, k, n = shape
    a, b = normal(m, k), normal(n, k).T
    with threads(n_threads), constants(table):
        np.testing.assert_allclose(products.matmul(a, b), a @ b, rtol=0, atol=1e-13)
        np.testing.assert_allclose(products.matmul(a[0], b), a[0] @ b, rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", [(30, 40), (2, 15, 40)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_linear_is_the_same_over_threads(shape, create_graph):
    arrays = normal(*shape), normal(40, 6), normal(6)
    found = []
    for n in 1, 2:
        with threads(n), constants(SHARED):
            xs = [Tensor(a, True) for a in arrays]
            y = F.linear(*xs)
            upstream = [np.ones(y.shape)]
            found.append([y, *gradients([y], xs, upstream, create_graph=create_graph)])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one.data, two.data, rtol=0, atol=1e-12)
