"""What tests of convolution and pooling share: comparing with PyTorch, small blocks, threads."""

from contextlib import ExitStack, contextmanager, nullcontext
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import minigrad
from minigrad import Tensor, gradients
from minigrad.kernels import pooling, scatter, tiles, turning, unfolding
from minigrad.kernels import threads as thread_kernels

# So that a handful of numbers makes many blocks and tiles, and every call is worth sharing.
TINY = {
    unfolding: {"BLOCK_SIZE": 60, "SHORTEST_ROW": 4},
    tiles: {"UNPACKED": 60, "SMALL_RESULT": 6, "FEWEST_ROWS": 1, "FEWEST_COLUMNS": 1},
    turning: {"TURNED": 2},
    scatter: {"PRODUCTS": 12},
    pooling: {"SHARED_PIXELS": 0},
    thread_kernels: {"SHARED_WORK": 0},
}
SCATTERED = {scatter: {"FILTERS": 0}}


@contextmanager
def threads(n):
    before = minigrad.get_num_threads()
    minigrad.set_num_threads(n)
    try:
        yield
    finally:
        minigrad.set_num_threads(before)


@contextmanager
def constants(*tables):
    """Give modules other constants for a while."""
    with ExitStack() as stack:
        for module, values in [pair for table in tables for pair in table.items()]:
            stack.enter_context(mock.patch.multiple(module, **values))
        yield


@contextmanager
def tiny_blocks(n, *more):
    with threads(n), constants(TINY, *more):
        yield


BLOCKS = {
    "usual": nullcontext,
    "tiny": lambda: tiny_blocks(1),
    "tiny, two threads": lambda: tiny_blocks(2),
    "tiny, scattered": lambda: tiny_blocks(2, SCATTERED),
}


def cases(examples):
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def distinct(*shape, seed=0):
    """Values of which no two are near each other, so that differences keep clear of ties."""
    n = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(n) / n).reshape(shape)


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


LAYOUTS = {
    "in order": lambda a: a,
    "batch innermost": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0),
    "backwards": lambda a: a[..., ::-1].copy()[..., ::-1],
    "Fortran": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
}


def compare(ours, theirs, *arrays, layouts=()):
    """Compare a function's result, gradients, and the gradients of those with PyTorch's."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    xs = [Tensor(a, requires_grad=True) for a in arrays]
    for x, name in zip(xs, layouts, strict=False):
        x.data = LAYOUTS[name](x.data)
    y, t = ours(*xs), theirs(*ts)
    assert_same(y, t)
    weights = rng.normal(size=y.shape)
    g, tg = Tensor(weights, requires_grad=True), torch.tensor(weights, requires_grad=True)
    first = gradients([y], xs, [g], create_graph=True)
    t_first = torch.autograd.grad(t, ts, tg, create_graph=True)
    for d, e in zip(first, t_first, strict=True):
        assert_same(d, e)
    u = [rng.normal(size=d.shape) for d in first]
    second = gradients(sum(np.sum(d * v) for d, v in zip(first, u, strict=True)), [*xs, g])
    t_sum = sum((d * torch.tensor(v)).sum() for d, v in zip(t_first, u, strict=True))
    t_second = torch.autograd.grad(t_sum, [*ts, tg], allow_unused=True)
    for d, e in zip(second, t_second, strict=True):
        assert_same(d, e)


def assert_same(ours, theirs):
    ours = np.zeros(()) if ours is None else ours.data
    theirs = np.zeros(ours.shape) if theirs is None else theirs.detach().numpy()
    assert ours.dtype == theirs.dtype
    if ours.ndim:
        assert ours.shape == theirs.shape
    scale = 1 + abs(theirs).max(initial=0)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * scale)
