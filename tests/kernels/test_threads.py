"""Threads: the same bits for a setting, fork, BLAS's own threads given back, the pool's size."""

import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from windows import threads, tiny_blocks

import minigrad
import minigrad.functional as F
from minigrad import Tensor, gradients
from minigrad.kernels import threads as kernels

RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(16, 8, 20, 20)), RNG.normal(size=(16, 8, 3, 3)), RNG.normal(size=16)


def results(dtype=np.float32):
    """Results and gradients of work large enough to be shared."""
    x, w, b = (Tensor(a.astype(dtype), True) for a in (X, W, B))
    y = F.max_pool2d(F.conv2d(x, w, b, padding=1), 2)
    z = F.avg_pool2d(F.conv2d(x, w, b, padding=1), 3, 1)
    found = gradients([y, z], [x, w, b], [np.ones(y.shape), np.ones(z.shape)])
    return [t.data for t in (y, z, *found)]


# -------------------------------------------------------------------------------- what it computes
@pytest.mark.parametrize("n", [1, 2, 3])
def test_one_setting_gives_the_same_bits_every_time(n):
    with threads(n):
        first = results()
        for _ in range(5):
            for y, expected in zip(results(), first, strict=True):
                np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_settings_differ_by_rounding_alone(n, dtype, rtol):
    with threads(1):
        alone = results(dtype)
    with threads(n):
        for y, expected in zip(results(dtype), alone, strict=True):
            np.testing.assert_allclose(y, expected, rtol=0, atol=rtol * abs(expected).max())


def test_more_threads_than_blocks():
    with tiny_blocks(32):
        y = F.conv2d(X[:1, :, :4, :4], W)
    np.testing.assert_allclose(y, F.conv2d(X[:1, :, :4, :4], W), rtol=1e-12)


def test_the_work_is_shared():
    seen, barrier = set(), threading.Barrier(2, timeout=20)

    def work(_):
        seen.add(threading.current_thread().name)
        barrier.wait()  # passed only if two are at work at once

    with threads(2):
        kernels.share(work, [0, 1])
    assert len(seen) == 2


def test_one_thread_stays_in_the_callers():
    with threads(1):
        assert (
            kernels.share(lambda _: threading.get_ident(), [0, 1, 2]) == [threading.get_ident()] * 3
        )


def test_an_error_in_a_thread_reaches_the_caller_and_the_pool_lives_on():
    def work(i):
        if i == 1:
            raise ZeroDivisionError("in a block")
        return i

    with threads(2):
        with pytest.raises(ZeroDivisionError, match="in a block"):
            kernels.share(work, [0, 1, 2])
        assert kernels.share(work, [0, 2]) == [0, 2]


def test_callers_in_several_threads_get_their_own_results():
    with threads(2):
        expected, found = results(), {}

        def caller(i):
            found[i] = results()

        callers = [threading.Thread(target=caller, args=(i,)) for i in range(4)]
        for thread in callers:
            thread.start()
        for thread in callers:
            thread.join()
    for i in range(4):
        for y, e in zip(found[i], expected, strict=True):
            np.testing.assert_array_equal(y, e)


# ------------------------------------------------------------------------------------- the setting
@pytest.mark.parametrize("n", [0, -1])
def test_fewer_than_one_thread_is_refused(n):
    before = minigrad.get_num_threads()
    with pytest.raises(ValueError, match=f"set_num_threads: expected at least 1 thread, got {n}"):
        minigrad.set_num_threads(n)
    assert minigrad.get_num_threads() == before


@pytest.mark.parametrize("n", [1.5, "2", None])
def test_what_is_not_a_number_of_threads_is_refused(n):
    with pytest.raises(
        TypeError, match=f"set_num_threads: expected a number of threads, got {n!r}"
    ):
        minigrad.set_num_threads(n)


def test_the_setting_is_what_was_set():
    with threads(3):
        assert minigrad.get_num_threads() == 3
        assert kernels.share(lambda i: i, range(9)) == list(range(9))
        minigrad.set_num_threads(2)
        assert minigrad.get_num_threads() == 2
        assert kernels._pool is None  # the old one is gone, the new one not made yet


@pytest.mark.parametrize(
    ("variables", "n"),
    [
        ({"OPENBLAS_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}, 3),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"OMP_NUM_THREADS": "0"}, 1),
        ({"OMP_NUM_THREADS": "many"}, None),
        ({}, None),
    ],
)
def test_the_environment_sets_it_at_first(variables, n):
    own = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    code = "import minigrad; print(minigrad.get_num_threads())"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**own, **variables}, capture_output=True, text=True
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert int(done.stdout) == n if n else int(done.stdout) in (1, cores)


# ------------------------------------------------------------------------------ BLAS's own threads
needs_blas = pytest.mark.skipif(kernels._blas is None, reason="NumPy has another BLAS")


@pytest.fixture
def blas():
    get, put = kernels._blas
    before = get()
    put(2)
    yield get
    put(before)


@needs_blas
@pytest.mark.parametrize("n", [1, 2])
def test_blas_has_one_thread_meanwhile_and_its_own_afterwards(blas, n):
    with threads(n):
        assert kernels.share(lambda _: blas(), [0, 1]) == [1, 1]
        assert blas() == 2
        with pytest.raises(ZeroDivisionError):
            kernels.share(lambda i: 1 // i, [0, 1])
        assert blas() == 2


@needs_blas
def test_blas_gets_its_threads_back_from_the_last_of_several_callers(blas):
    inside, leave = threading.Event(), threading.Event()

    def first():
        kernels.share(lambda _: (inside.set(), leave.wait(20)), [0])

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)
    kernels.share(lambda i: i, [0, 1])
    assert blas() == 1  # the first is still at work
    leave.set()
    thread.join()
    assert blas() == 2


# -------------------------------------------------------------------------------------------- fork
def in_child(queue):
    try:
        queue.put([float(np.sum(y)) for y in results()])
    except BaseException as error:
        queue.put(error)


needs_fork = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork here"
)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_computes_though_the_pool_stayed_behind():
    with threads(2):
        expected = [float(np.sum(y)) for y in results()]  # so that there is a pool
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=in_child, args=(queue,), daemon=True)
        child.start()
        found = queue.get(timeout=60)
        child.join(60)
        assert found == expected
        assert child.exitcode == 0
        assert [float(np.sum(y)) for y in results()] == expected  # nor is the parent hurt


@needs_blas
@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_forked_in_the_middle_has_its_blas_threads_and_a_free_lock(blas):
    """The fork happens inside shared work, while BLAS is held to one thread."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()

    def child():
        kernels.share(lambda i: i, [0, 1])  # would hang on a lock held for ever
        queue.put(blas())

    def fork(_):
        process = context.Process(target=child, daemon=True)
        process.start()
        found = queue.get(timeout=60)
        process.join(60)
        return found

    with threads(2):
        assert kernels.share(fork, [0]) == [2]
