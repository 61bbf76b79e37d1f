"""An interrupt at a random moment, as Ctrl-C gives it: raised between two steps of Python code."""

import gc
import signal
import sys
import time

import pytest


def interrupted(work, seconds):
    """Call `work` again and again until a signal raises KeyboardInterrupt in it.

    Python drops what is raised in a callback of the garbage collector, which so is off, or in a
    `__del__`: then it is over a second later.
    """
    if not hasattr(signal, "setitimer"):
        pytest.skip("this system has no timers that send signals")
    if sys.gettrace():
        pytest.skip("what follows the lines would be interrupted too, with its locks locked")
    before = signal.signal(signal.SIGALRM, _raise)
    gc.disable()
    try:
        try:
            _again_and_again(work, seconds)
        finally:  # work may have raised something else before; and this may be interrupted itself
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGALRM, before)
        gc.enable()


def _again_and_again(work, seconds):
    """Loop in a function of its own: in 3.13 a `try` misses what a loop's last jump raises."""
    end = time.monotonic() + seconds + 1
    signal.setitimer(signal.ITIMER_REAL, seconds)
    while time.monotonic() < end:
        work()


def _raise(*_):
    raise KeyboardInterrupt
