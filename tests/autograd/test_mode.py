"""Grad mode: as a context, as a decorator, nested, after errors, and in each thread by itself."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minigrad import Tensor, enable_grad, is_grad_enabled, no_grad


def recorded():
    """Tell whether an operator and a function are recorded; they must agree with the mode."""
    x = Tensor([1.0], requires_grad=True)
    found = {(x * x).requires_grad, np.exp(x).requires_grad, x[0].requires_grad, is_grad_enabled()}
    assert len(found) == 1
    return found.pop()


def test_as_context_managers():
    assert recorded()
    with no_grad():
        assert not recorded()
        with enable_grad():
            assert recorded()
            with no_grad(), no_grad():
                assert not recorded()
            assert recorded()
        assert not recorded()
    assert recorded()


def test_one_object_can_be_entered_inside_itself():
    off = no_grad()
    with off:
        with enable_grad(), off:
            assert not recorded()
        with off:
            assert not recorded()
        assert not recorded()
    assert recorded()


def test_one_object_can_be_entered_by_several_threads():
    off, entered, done = no_grad(), threading.Event(), threading.Event()
    seen = []

    def inside_another_block():
        with enable_grad(), off:
            entered.set()
            assert done.wait(10)
        seen.append(recorded())

    thread = threading.Thread(target=inside_another_block)
    with no_grad():
        with off:
            thread.start()
            assert entered.wait(10)
        assert not recorded()
    done.set()
    thread.join()
    assert seen == [True]


def test_as_decorators():
    @no_grad()
    def outer(depth):
        """Say what is recorded at each depth."""
        return [recorded(), *inner(depth)]

    @enable_grad()
    def inner(depth):
        return [recorded(), *(outer(depth - 1) if depth else [])]

    assert outer(2) == [False, True] * 3
    assert recorded()
    assert (outer.__name__, outer.__doc__) == ("outer", "Say what is recorded at each depth.")


@pytest.mark.parametrize("mode", [no_grad, enable_grad])
def test_a_generator_is_refused(mode):
    def values():
        yield recorded()

    with pytest.raises(
        TypeError, match=rf"^{mode.__name__}: .*values is a generator, which runs af"
    ):
        mode()(values)


def test_mode_comes_back_after_an_error():
    @no_grad()
    def fails():
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert recorded()
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert recorded()


def test_each_thread_has_its_own_mode():
    entered, done = threading.Event(), threading.Event()
    seen = {}

    def silent():
        with no_grad():
            entered.set()
            assert done.wait(10)
            seen["silent"] = recorded()

    thread = threading.Thread(target=silent)
    thread.start()
    assert entered.wait(10)
    seen["here"] = recorded()
    with no_grad(), ThreadPoolExecutor(1) as pool:
        seen["started under no_grad"] = pool.submit(recorded).result()
    done.set()
    thread.join()
    assert seen == {"silent": False, "here": True, "started under no_grad": True}


def test_threads_train_side_by_side():
    def train(seed):
        rng = np.random.default_rng(seed)
        x, w = rng.normal(size=(20, 5)), Tensor(rng.normal(size=5), requires_grad=True)
        for i in range(50):
            w.zero_grad()
            np.mean(np.tanh(x @ w) ** 2).backward()
            with no_grad():
                w -= 0.1 * w.grad
                assert not recorded()
            assert recorded()
            assert i >= 0
        return w.tolist()

    expected = [train(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(train, range(8))) == expected
