"""Checkpoints: the same gradients as without, of all that is reached, for a tenth of the memory."""

import time
import tracemalloc

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, checkpoint, grad, gradients, hvp, nn, no_grad
from minigrad.testing import check_gradients


def leaf(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def test_gradients_of_both_orders():
    def f(x, y):
        return np.sin(x) * y + x**2

    check_gradients(checkpoint(f), np.ones(3), np.arange(1.0, 4.0))
    check_gradients(lambda x: checkpoint(f)(x, checkpoint(np.exp)(x)), np.ones(3))
    x, v = np.array([0.3, 0.7]), np.ones(2)
    np.testing.assert_allclose(
        hvp(lambda x: np.sum(checkpoint(f)(x, x)))(x, v), hvp(lambda x: np.sum(f(x, x)))(x, v)
    )


def test_what_the_function_reaches_by_itself():
    w, x = leaf(3, 3), leaf(3, seed=1)
    hidden = np.tanh(w @ x)  # a result; its own gradient is left to the graph outside
    again = np.sin(hidden)

    def f(y):
        return y * hidden + again + w[0]

    def loss(f):
        return np.sum(f(np.cos(x) * 2) ** 2)

    expected = gradients(loss(f), [w, x], retain_graph=True)
    for g, e in zip(gradients(loss(checkpoint(f)), [w, x]), expected, strict=True):
        np.testing.assert_allclose(g.data, e.data, rtol=1e-12)


def test_trees_of_several_results_and_nothing_to_record():
    def f(t, *, scale):
        return {"a": t["x"] * scale, "b": [np.sum(t["x"]), 5, t["k"]]}

    x = leaf(2, 3)
    y = checkpoint(f)({"x": x, "k": np.ones(2)}, scale=2.0)
    assert y["b"][1] == 5
    (g,) = gradients([y["a"], y["b"][0]], [x], [np.ones((2, 3)), 3.0])
    np.testing.assert_array_equal(g.data, np.full((2, 3), 5.0))
    assert type(checkpoint(np.sin)(1.0)) is np.float64
    with no_grad():
        assert not checkpoint(np.sin)(x).requires_grad
    z = checkpoint(lambda x: (x, x.astype(np.float32) * 2))(x)
    assert [part.dtype for part in z] == [np.float64, np.float32]
    np.testing.assert_array_equal(gradients(np.sum(z[0]) + np.sum(z[1]), [x])[0].data, 3)


def test_a_module_on_data_that_needs_no_gradient():
    model, x = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Tanh()), Tensor(np.ones((5, 3)))
    found = []
    for f in (model, checkpoint(model)):
        minigrad.manual_seed(1)
        found.append(gradients(np.sum(f(x) ** 2), model.parameters()))
    for e, g in zip(*found, strict=True):
        np.testing.assert_array_equal(g.data, e.data)


@pytest.mark.parametrize("source", ["library", "own", "named", "global"])
def test_random_numbers_are_drawn_again(source):
    rng = np.random.default_rng(3)
    dropout = nn.Dropout(0.5, rng=7)

    def f(x):
        if source == "library":
            return F.dropout(x, 0.5) * x
        if source == "own":
            return dropout(x) * x
        if source == "named":
            return x * x * rng.normal(size=x.shape)
        return x * x * np.random.normal(size=x.shape)  # noqa: NPY002

    minigrad.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    x = Tensor(np.ones(64), requires_grad=True)
    y = checkpoint(f)(x)
    after = f(x.detach()).data  # the sweep must not disturb what is drawn later
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad.data, 2 * y.data)
    later = f(x.detach()).data
    assert not np.array_equal(later, y.data)
    assert not np.array_equal(later, after)


def test_a_parameter_that_was_changed_is_refused():
    w, x = leaf(3), leaf(3, seed=1)
    y = np.sum(checkpoint(lambda x: w * x)(x))
    with no_grad():
        w -= 1
    with pytest.raises(RuntimeError, match="changed in place after it was recorded"):
        y.backward()


STEPS, SIZE = 10_000, 64


def chain(x, w, n):
    for _ in range(n):
        x = np.tanh(x * w)
    return x


def measured(run):
    w = Tensor(np.full(SIZE, 1.01), requires_grad=True)
    x = Tensor(np.linspace(-1, 1, SIZE), requires_grad=True)
    tracemalloc.start()
    np.sum(run(x, w)).backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    times = []
    for _ in range(3):
        start = time.process_time()
        np.sum(run(x, w)).backward()
        times.append(time.process_time() - start)
    return peak, min(times), w.grad.data


@pytest.mark.slow
def test_a_chain_of_ten_thousand_steps():
    def plain(x, w):
        return chain(x, w, STEPS)

    def kept(x, w):
        segment = checkpoint(lambda x: chain(x, w, 100))
        for _ in range(STEPS // 100):
            x = segment(x)
        return x

    (all_of_it, slow, expected), (peak, fast, found) = measured(plain), measured(kept)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert peak < all_of_it / 10
    print(f"memory {peak / all_of_it:.3f}, time {fast / slow:.2f}")
    assert fast < 2 * slow


def test_grad_of_a_chain():
    f = checkpoint(lambda x: np.sin(x) * x)
    assert grad(lambda x: f(f(f(x))))(1.2) == pytest.approx(
        grad(lambda x: (lambda g: g(g(g(x))))(lambda x: np.sin(x) * x))(1.2)
    )
