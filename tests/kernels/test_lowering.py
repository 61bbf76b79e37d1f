"""How convolutions become matrix products: Winograd's algorithm, tiles, products over threads."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from windows import LAYOUTS, cases, compare, constants, threads

import minigrad.functional as F
from minigrad import Tensor, gradients
from minigrad.kernels import lowering, products
from minigrad.kernels import threads as thread_kernels
from minigrad.kernels.lowering import Direct, Winograd

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.normal(size=shape)


# ------------------------------------------------------------------------- Winograd's algorithm
WIDTHS = [4, 5, 7, 10]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_winograd_agrees_with_pytorch(width, layout):
    shapes = (9, 20, 3, width), (20, 20, 3, 3), (20,)
    arrays = [normal(*s) for s in shapes]
    assert isinstance(way_of(*shapes[:2]), Winograd)
    torch = pytest.importorskip("torch")
    f, t = (partial(module.conv2d, padding=1) for module in (F, torch.nn.functional))
    compare(f, t, *arrays, layouts=[layout])


def way_of(x_shape, w_shape, stride=1, dilation=1, dtype=np.float64):
    return lowering.lowering(x_shape[0], x_shape[3], w_shape, stride, dilation, np.dtype(dtype))


@pytest.mark.parametrize(
    ("x", "w", "options"),
    [
        ((9, 20, 6, 6), (20, 20, 3, 2), {}),
        ((9, 20, 6, 6), (20, 20, 3, 3), {"stride": 2}),
        ((9, 20, 6, 6), (20, 20, 3, 3), {"dilation": 2}),
        ((9, 20, 6, 6), (20, 20, 3, 3), {"dtype": np.int64}),
        ((9, 2, 6, 6), (2, 2, 3, 3), {}),
        ((1, 20, 6, 6), (20, 20, 3, 3), {}),
    ],
)
def test_what_winograd_cannot_do_or_would_slow_is_done_directly(x, w, options):
    assert isinstance(way_of(x, w, **options), Direct)


def test_winograd_rounds_about_as_well_as_the_direct_way():
    x, w = normal(16, 64, 12, 12), normal(64, 64, 3, 3)
    exact = np.asarray(F.conv2d(x, w))
    errors = {}
    for way, limit in (("winograd", 20), ("direct", np.inf)):
        with constants({lowering: {"FEWEST_CHANNELS": limit}}):
            y = F.conv2d(x.astype(np.float32), w.astype(np.float32))
        errors[way] = np.sqrt(np.mean((y - exact) ** 2))
    assert 0 < errors["winograd"] < 4 * errors["direct"]


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_winograd_spreads_what_is_not_finite_to_its_windows_alone(bad):
    x, w = normal(9, 20, 5, 7), normal(20, 20, 3, 3)
    assert isinstance(way_of(x.shape, w.shape), Winograd)
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
@given(st.integers(1, 2), st.integers(1, 3), SIZES, SIZES, SIZES, st.integers(1, 300))
def test_tiles_change_no_product(p, r, m, n, k, unpacked):
    table = {"UNPACKED": unpacked, "SMALL_RESULT": 20, "ROWS": 3}
    with constants({products: table | {"FEWEST_ROWS": 1, "FEWEST_COLUMNS": 1}}):
        a, b = normal(p, m, k), normal(p, r, k, n)
        out = np.full((p, r, m, n), np.nan)
        np.testing.assert_allclose(products.product(a, b, out), a[:, None] @ b, rtol=0, atol=1e-13)
        c, tile = normal(p, r, m, k), products.transposed_tiles(m, n, k)
        tiles = products.transposed_product(c, b.swapaxes(2, 3), tile)
        assert tiles.shape == (p, m // tile[0], n // tile[1], *tile)
        np.testing.assert_allclose(products.from_tiles(tiles), (c @ b).sum(1), rtol=0, atol=1e-13)


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
