"""Graphs of any depth in linear time, freed without the garbage collector, in flat memory."""

import gc
import subprocess
import sys
import threading
import time
import tracemalloc
import weakref

import numpy as np
import pytest

from minigrad import Tensor, differentiable, gradients, nn, optim
from minigrad import functional as F


def chain(x, length):
    y = x
    for _ in range(length):
        y = y * 1.0
    return y


def seconds(length):
    """Time a chain of operations: recorded, swept and freed."""
    x = Tensor(2.0, requires_grad=True)
    start = time.process_time()
    y = chain(x, length)
    y.backward()
    assert x.grad.item() == 1
    del y
    return time.process_time() - start


def assert_linear(length):
    """Compare with a tenth of the length; the collector's own time is left out."""
    gc.collect()
    gc.disable()
    try:
        short = min(seconds(length // 10) for _ in range(3))
        assert min(seconds(length) for _ in range(2)) < 40 * short  # 10, were nothing in the way
    finally:
        gc.enable()


def test_a_chain_of_100_000_operations():
    assert sys.getrecursionlimit() < 10_000
    assert_linear(100_000)


@pytest.mark.slow
def test_a_chain_of_1_000_000_operations():
    assert sys.getrecursionlimit() < 10_000
    assert_linear(1_000_000)


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize(
    "beside",
    [0, pytest.param(1, marks=pytest.mark.slow), 210],
    ids="{} operations beside each".format,
)
def test_a_deep_graph_is_freed_without_recursion(swept, beside):
    """In a thread with a small stack: freeing a chain must not go down it call by call."""
    failed = []

    def run():
        x = y = Tensor(2.0, requires_grad=True)
        for _ in range(100_000 // (1 + beside // 10)):
            y = y * 1.0
            for _ in range(beside):
                x * 1.0  # which are no part of the chain
        if swept:
            y.backward()
        node = weakref.ref(y._node.inputs[0])
        del y
        failed.append(node() is not None)

    before = threading.stack_size(192 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert failed == [False]


def test_the_clock_in_spans_that_python_3_13_needs_keeps_the_order():
    """Under every version: spans, milestones, threads that record at once, and their freeing."""
    script = """if True:
    import gc, sys, threading, weakref
    import numpy as np
    sys.version_info = (3, 13)
    from minigrad import Tensor, gradients
    from minigrad.autograd import Node, clock, reachable
    sys.setswitchinterval(1e-6)
    gc.disable()
    x = Tensor(1.0, requires_grad=True)
    made = []
    def record():
        y = x
        for i in range(3_000):
            y = y * 1.0 if i % 2 else np.add(y, 0.0)
        made.append(y)
    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    total = sum(made)
    nodes = reachable([total._node])
    assert len(nodes) == 12_004 and len({node.stamp for node in nodes}) == 12_004
    assert all(p.stamp < node.stamp for node in nodes for p in node.inputs
               if isinstance(p, Node))
    milestones = [node for node in nodes if type(node) is clock.Milestone]
    assert 12_004 / 300 < len(milestones) < 12_004 / 60
    assert gradients(total, [x], retain_graph=True)[0].item() == 4
    clock.note_change(x.data)
    last = weakref.ref(nodes[-1])
    del nodes, milestones, made[:], total
    assert last() is None
    """
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_shared_node_is_visited_once():
    x = Tensor(np.array(1.0), requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y
    start = time.perf_counter()
    y.backward()
    assert time.perf_counter() - start < 0.1
    assert (y.item(), x.grad.item()) == (2.0**60, 2.0**60)


def test_differentiating_a_deep_graph_twice():
    x = Tensor(np.array(1.0), requires_grad=True)
    (g,) = gradients(chain(x, 10_000) ** 2, [x], create_graph=True)
    assert gradients(g, [x])[0].item() == 2


# ---------------------------------------------------------------------------------------- memory
@pytest.fixture
def traced():
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    gc.enable()


MEGABYTE = 1 << 20


def test_memory_falls_during_the_sweep(traced):
    seen = []

    @differentiable(lambda g, y, _x: seen.append(traced()) or g * y)
    def exp(x):
        return np.exp(x)

    x = Tensor(np.zeros(MEGABYTE // 8), requires_grad=True)
    h, start = x, traced()
    for _ in range(20):
        h = exp(h * -0.5)
    y = np.sum(h)
    del h
    kept = traced() - start
    assert 20 * MEGABYTE < kept < 23 * MEGABYTE  # the output of each exp, no others
    y.backward()
    falls = -np.diff(seen)[1:]  # the sum's gradient is a view of one number, the next an array
    assert np.all(falls > 0.9 * MEGABYTE)
    assert traced() - start < 2.5 * MEGABYTE  # the gradient is left, and the sum's structure


def test_a_graph_is_freed_the_moment_it_goes_out_of_scope(traced):
    x = Tensor(np.zeros(MEGABYTE // 8), requires_grad=True)
    start = traced()
    for create_graph in (False, True):
        y = np.sum(np.exp(np.sin(x) * x))
        (g,) = gradients(y, [x], create_graph=create_graph, retain_graph=True)
        assert traced() - start > 3 * MEGABYTE
        del y, g
        assert traced() - start < MEGABYTE // 100


def test_only_what_pullbacks_read_is_kept(traced):
    x = Tensor(np.zeros(MEGABYTE // 8), requires_grad=True)
    start = traced()
    y = np.sum(x + 1 - x - np.reshape(x, -1) + np.concatenate([x, x])[: x.size])
    assert traced() - start < MEGABYTE // 100
    y.backward()


def train(model, rule, steps):
    rng = np.random.default_rng(0)
    for _ in range(steps):
        x, labels = rng.normal(size=(8, 6)).astype(np.float32), rng.integers(0, 3, 8)
        loss = F.cross_entropy(model(x), labels)
        rule.zero_grad()
        loss.backward()
        rule.step()


def assert_flat(traced, steps):
    """The collector is off; called at last, it finds nothing but Python's own free lists."""
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    rule = optim.Adam(model.parameters(), lr=1e-3)
    train(model, rule, 10)
    gc.collect()
    tracemalloc.reset_peak()
    before = traced()
    train(model, rule, steps)
    _, peak = tracemalloc.get_traced_memory()
    assert gc.collect() == 0
    assert traced() - before < 2048
    assert peak - before < MEGABYTE / 2


@pytest.mark.slow
def test_2_000_training_steps_leave_memory_flat(traced):
    assert_flat(traced, 2_000)


@pytest.mark.slow
def test_10_000_training_steps_leave_memory_flat(traced):
    assert_flat(traced, 10_000)
