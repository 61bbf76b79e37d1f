"""Convolution: the book's numbers, differences, PyTorch's results, any layout, memory, dtypes."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from book import CONVOLUTIONS, assert_close, case, window_of
from hypothesis import given
from hypothesis import strategies as st
from windows import BLOCKS, LAYOUTS, cases, compare, pairs

import minigrad.functional as F
from minigrad import Tensor, gradients, nn
from minigrad.testing import check_gradients

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.normal(size=shape)


# -------------------------------------------------------------------------- the book's numbers
def test_all_six_cases_are_here():
    assert len(CONVOLUTIONS) == 6


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_book(name, blocks):
    book, (window, _) = case(name), window_of(name)
    x, w, b = (Tensor(book[k], requires_grad=True) for k in "xWb")
    with BLOCKS[blocks]():
        y = F.conv2d(x, w, b, **window)
        y.backward(book["g"])
    assert_close(y, book["y"])
    for tensor, key in ((x, "dx"), (w, "dW"), (b, "db")):
        assert_close(tensor.grad, book[key])


# ---------------------------------------------------------------------------------- differences
GEOMETRIES = {
    "plain": ((2, 2, 4, 5), (3, 2, 2, 3), {}),
    "one pixel": ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    "a kernel as large as the image": ((2, 1, 3, 4), (2, 1, 3, 4), {}),
    "strides that skip pixels": ((1, 2, 7, 5), (2, 2, 2, 1), {"stride": (3, 2)}),
    "rows left over": ((1, 1, 6, 7), (1, 1, 3, 2), {"stride": (2, 3)}),
    "padding beyond the kernel": ((1, 1, 2, 3), (2, 1, 2, 2), {"padding": (3, 2)}),
    "a kernel larger than the image": ((1, 2, 2, 1), (1, 2, 3, 3), {"padding": 1}),
    "same": ((1, 2, 3, 4), (2, 2, 2, 3), {"padding": "same"}),
    "valid": ((1, 2, 3, 4), (2, 2, 2, 3), {"padding": "valid"}),
    "dilated": ((1, 1, 6, 7), (1, 1, 3, 2), {"dilation": (2, 4), "padding": 1}),
    "dilation and stride share a factor": (
        (1, 1, 9, 8), (1, 1, 2, 3), {"dilation": (4, 2), "stride": (2, 4), "padding": 1},
    ),
    "groups": ((2, 4, 3, 3), (6, 2, 2, 2), {"groups": 2}),
    "depthwise": ((1, 3, 4, 3), (6, 1, 3, 2), {"groups": 3, "padding": 1}),
}  # fmt: skip


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize(("x", "w", "options"), GEOMETRIES.values(), ids=GEOMETRIES)
def test_both_orders_agree_with_differences(x, w, options, blocks):
    arrays = normal(*x), normal(*w), normal(w[0])
    with BLOCKS[blocks]():
        check_gradients(partial(F.conv2d, **options), *arrays)


def test_third_order_agrees_with_differences():
    check_gradients(
        lambda x, w: F.conv2d(x, w, stride=2, padding=1) ** 2,
        normal(1, 1, 3, 2),
        normal(1, 1, 2, 2),
        order=3,
    )


# -------------------------------------------------------------------------------------- PyTorch
@st.composite
def convolutions(draw, transposed=False):
    """Draw arrays and options of a convolution, how the arrays lie in memory, threads, blocks."""
    kernel, stride, dilation = draw(pairs(1, 4)), draw(pairs(1, 3)), draw(pairs(1, 3))
    padding, groups = draw(pairs(0, 3)), draw(st.integers(1, 3))
    n, first, second = (draw(st.integers(1, 3)) for _ in range(3))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if transposed:
        extra = tuple(draw(st.integers(0, s - 1)) for s in stride)
        least = [  # so that the output has a pixel
            max(1, -(-(2 * p - r - e + 1) // s) + 1)
            for p, r, e, s in zip(padding, reach, extra, stride, strict=True)
        ]
        options["output_padding"] = extra
    else:
        least = [max(1, r - 2 * p) for r, p in zip(reach, padding, strict=True)]
    image = [low + draw(st.integers(0, 6)) for low in least]
    out = second if transposed else first * groups
    shapes = [(n, second * groups, *image), (first * groups, second, *kernel)]
    if transposed:
        shapes = [(n, first * groups, *image), (first * groups, second, *kernel)]
        out = second * groups
    if draw(st.booleans()):
        shapes.append((out,))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    layouts = [draw(st.sampled_from([*LAYOUTS])) for _ in range(2)]
    return [rng.normal(size=s) for s in shapes], options, layouts, draw(st.sampled_from([*BLOCKS]))


def agree(name, drawn):
    torch = pytest.importorskip("torch")
    arrays, options, layouts, blocks = drawn
    f, t = (partial(getattr(module, name), **options) for module in (F, torch.nn.functional))
    with BLOCKS[blocks]():
        compare(f, t, *arrays, layouts=layouts)


FAST, SLOW = 60, 1000


@pytest.mark.parametrize(
    "examples", [FAST, pytest.param(SLOW, marks=pytest.mark.slow)], ids=["60", "1000"]
)
@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_agrees_with_pytorch(name, examples):
    pytest.importorskip("torch")

    @cases(examples)
    @given(convolutions(transposed=name != "conv2d"))
    def run(drawn):
        agree(name, drawn)

    run()


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # PyTorch's own, of uneven padding
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (4, 5)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_is_pytorchs(kernel, dilation):
    torch = pytest.importorskip("torch")
    f, t = (
        partial(module.conv2d, padding="same", dilation=dilation)
        for module in (F, torch.nn.functional)
    )
    compare(f, t, normal(2, 3, 6, 7), normal(2, 3, *kernel))


# ------------------------------------------------------------------- of any layout, size and type
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_memory_layout_changes_nothing(layout):
    x, w, g = normal(3, 2, 6, 5), normal(4, 2, 3, 2), normal(3, 4, 4, 4)
    expected = gradients([F.conv2d(*(t := [Tensor(a, True) for a in (x, w)]))], t, [g])
    xs = [Tensor(a, True) for a in (x, w)]
    for tensor, a in zip(xs, (x, w), strict=True):
        tensor.data = layout(a)
    for d, e in zip(gradients([F.conv2d(*xs)], xs, [layout(g)]), expected, strict=True):
        np.testing.assert_allclose(d.data, e.data, rtol=1e-12, atol=1e-14)


def test_broadcast_images_and_gradients():
    w = Tensor(normal(2, 3, 2, 2), True)
    x = Tensor(np.broadcast_to(np.array(1.5), (2, 3, 4, 4)))
    y = F.conv2d(x, w)
    np.testing.assert_allclose(
        y.data, np.broadcast_to(1.5 * w.data.sum((1, 2, 3)), (2, 3, 3, 2)).swapaxes(1, 3)
    )
    np.sum(y).backward()
    np.testing.assert_allclose(w.grad.data, np.full(w.shape, 1.5 * 2 * 9))


@pytest.mark.parametrize("f", [F.conv2d, F.conv_transpose2d])
def test_an_empty_batch_gives_an_empty_result_and_zero_gradients(f):
    x, w, b = (Tensor(np.ones(s), True) for s in [(0, 2, 5, 5), (2, 2, 3, 3), (2,)])
    y = f(x, w, b)
    assert y.shape == (0, 2, 3, 3) if f is F.conv2d else (0, 2, 7, 7)
    y.backward(np.ones(y.shape))
    assert x.grad.shape == (0, 2, 5, 5)
    assert not w.grad.data.any()
    assert not b.grad.data.any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("f", [F.conv2d, F.conv_transpose2d])
def test_every_type_stays(f, dtype):
    x, w, b = (Tensor(normal(*s).astype(dtype), True) for s in [(2, 4, 5, 5), (4, 4, 3, 3), (4,)])
    y = f(x, w, b, stride=2, padding=1)
    assert y.dtype == dtype
    for d in gradients([y], [x, w, b], [np.ones(y.shape)], create_graph=True):
        assert d.dtype == dtype


def test_half_precision_is_summed_in_single():
    x, w = np.full((1, 64, 8, 8), 1.0, np.float16), np.full((1, 64, 8, 8), 2.0**-9, np.float16)
    w[0, 0, 0, 0] = 2048  # in half precision, 2048 + 2**-9 is 2048
    assert F.conv2d(x, w).item() == np.float16(2048 + 4095 * 2.0**-9)
    mixed = F.conv2d(Tensor(x), w.astype(np.float32))
    assert mixed.dtype == np.float32


def test_what_an_earlier_call_left_behind_is_never_read():
    """The scratch memory is reused: a pad that is not cleared would show."""
    nan = np.full((4, 3, 20, 20), np.nan)
    F.conv2d(nan, normal(2, 3, 5, 5), padding=4)
    for options in ({"padding": 3}, {"padding": 2, "stride": 3}, {"padding": 4, "dilation": 3}):
        x, w = Tensor(normal(2, 3, 5, 6), True), Tensor(normal(2, 3, 3, 3), True)
        y = F.conv2d(x, w, **options)
        F.conv2d(nan, normal(2, 3, 5, 5), padding=4)
        y.backward(np.ones(y.shape))
        assert np.isfinite(y.data).all()
        assert np.isfinite(x.grad.data).all()
        assert np.isfinite(w.grad.data).all()


def test_what_is_not_finite_spreads_to_its_windows_alone():
    x = np.zeros((2, 1, 5, 5))
    x[1, 0, 2, 2] = np.inf
    y = F.conv2d(x, np.ones((1, 1, 2, 2)), padding=1)
    expected = np.zeros((2, 1, 6, 6))
    expected[1, 0, 2:4, 2:4] = np.inf
    np.testing.assert_array_equal(y, expected)


def test_lists_are_arrays():
    image = [[[[1.0, 2.0], [3.0, 4.0]]]]
    y = F.conv2d(image, [[[[1.0, 0.0], [0.0, 1.0]]]], [0.5])
    assert (y.item(), y.dtype) == (5.5, np.float32)
    assert F.max_pool2d(image, 2).item() == 4
    assert F.avg_pool2d(image, 2).item() == 2.5
    assert F.im2col(image, 2).numpy().tolist() == [[1.0, 2.0, 3.0, 4.0]]


# ---------------------------------------------------------------------------------------- memory
MEMORY = """
import tracemalloc, numpy as np, minigrad, minigrad.functional as F
minigrad.set_num_threads({threads})
x = minigrad.Tensor(np.ones((64, 16, 64, 64), np.float32), requires_grad=True)
w = minigrad.Tensor(np.ones((32, 16, 3, 3), np.float32), requires_grad=True)
g = np.ones((64, 32, 64, 64), np.float32)
tracemalloc.start()
y = F.conv2d(x, w, padding=1)
print(tracemalloc.get_traced_memory()[1] - y.data.nbytes)
y.backward(g)
own_copy_of_g = g.nbytes
print(tracemalloc.get_traced_memory()[1] - y.data.nbytes - own_copy_of_g - x.grad.data.nbytes)
"""
MIB = 1 << 20


@pytest.mark.parametrize("n", [1, 2])
def test_memory_is_the_input_the_output_and_a_small_constant(n):
    """Columns of all images would take 144 MiB; a thread has one of 4 MiB, and up to as much."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY.format(threads=n)], capture_output=True, text=True, check=True
    )
    forward, backward = map(int, done.stdout.split())
    assert forward < (1 + 8 * n) * MIB
    assert backward < (1 + 12 * n) * MIB


def test_the_graph_keeps_the_input_and_no_columns():
    x = Tensor(normal(2, 3, 8, 8), True)
    layer = nn.Conv2d(3, 4, 3, dtype=np.float64)
    y = layer(x)
    kept = [value for value in y._node.saved if isinstance(value, np.ndarray)]
    assert {id(value) for value in kept} == {id(x.data), id(layer.weight.data)}
