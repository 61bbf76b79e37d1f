"""Eight threads, forks and fresh processes do everything at once, and each gets its own results.

The long run, of so many seconds and 200 forks:
`CONCURRENCY=60 python -m pytest -m slow tests/test_concurrency.py`.
"""

import multiprocessing
import os
import sys
import threading
import time

import pytest
from work import KINDS, in_process, same, work

from minigrad import Tensor

THREADS = 8
SECONDS = float(os.environ.get("CONCURRENCY", 5))
FORKS = 200 if "CONCURRENCY" in os.environ else 20


def switching_often(threads):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)


def threads_agree(seconds):
    """Let every thread repeat its own work, and compare with what it gave alone."""
    expected = [work(number) for number in range(THREADS)]
    end = time.monotonic() + seconds
    start, wrong, rounds = threading.Barrier(THREADS), [], [0] * THREADS

    def repeat(number):
        try:
            start.wait(30)
            while time.monotonic() < end or not rounds[number]:
                if not same(work(number), expected[number]):
                    wrong.append((number, "other results"))
                rounds[number] += 1
        except BaseException as error:
            wrong.append((number, repr(error)))

    switching_often([threading.Thread(target=repeat, args=[n]) for n in range(THREADS)])
    assert wrong == []
    assert all(rounds)


def test_a_sweep_minds_no_gradient_that_another_thread_retains():
    done, wrong = threading.Event(), []

    def retain():
        held = []
        while not done.is_set():
            y = Tensor([1.0], requires_grad=True) * 2
            y.retain_grad()
            held = [*held[-300:], y]

    def sweep():
        try:
            for _ in range(2000):
                x = Tensor([1.0], requires_grad=True)
                (x * x).sum().backward()
        except RuntimeError as error:
            wrong.append(error)
        done.set()

    switching_often([threading.Thread(target=retain), threading.Thread(target=sweep)])
    assert wrong == []


def test_eight_threads_do_everything_at_once():
    threads_agree(0.5)


@pytest.mark.slow
def test_eight_threads_do_everything_for_long():
    threads_agree(SECONDS)


def processes_agree(method, count):
    """Start processes, several at a time: each gives what this one gives."""
    context = multiprocessing.get_context(method)
    expected = [work(number) for number in range(len(KINDS))]
    for first in range(0, count, len(KINDS)):
        started = []
        for number in range(min(len(KINDS), count - first)):
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=in_process, args=[number, there])
            process.start()
            there.close()
            started.append((process, here))
        for number, (process, here) in enumerate(started):
            assert here.poll(60), f"process {number} says nothing"
            assert same(here.recv(), expected[number])
            process.join(60)
            assert process.exitcode == 0


fork = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork"
)


@fork
def test_a_fork_goes_on():
    processes_agree("fork", 4)


@pytest.mark.slow
def test_a_fresh_process_does_the_same():
    processes_agree("spawn", len(KINDS))


@fork
@pytest.mark.slow
def test_many_forks_go_on():
    processes_agree("fork", FORKS)
