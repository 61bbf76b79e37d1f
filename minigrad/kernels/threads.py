"""Sharing independent blocks of work over threads, with BLAS held to one thread meanwhile."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def _blas_function(name: str, result: type = ctypes.c_int) -> Callable[..., Any] | None:
    """Return that function of OpenBLAS; None if NumPy has another BLAS."""
    try:  # symbols are also looked for in the libraries that NumPy's extension is linked with
        numpy = ctypes.CDLL(sys.modules["numpy._core._multiarray_umath"].__file__)
    except (KeyError, OSError, TypeError):
        return None
    for form in ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}"):
        found = getattr(numpy, form.format(name), None)
        if found is not None:
            found.restype = result
            return found  # type: ignore[no-any-return]
    return None


def _find_blas() -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    """Return OpenBLAS's functions to get and set its threads, or None."""
    get, put = _blas_function("get_num_threads"), _blas_function("set_num_threads")
    return (get, put) if get and put else None


def blas_kernels() -> str:
    """Return the processor that OpenBLAS's kernels are written for, such as "Haswell", or ""."""
    name = _blas_function("get_corename", ctypes.c_char_p)
    return name().decode() if name else ""


def _default_threads() -> int:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(variable, "").isdigit():
            return max(1, int(os.environ[variable]))
    if _blas is None:  # threads of ours on top of a BLAS's own would fight for the cores
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


_blas = _find_blas()
_threads = _default_threads()
_pool: ThreadPoolExecutor | None = None
_lock = threading.Lock()
# Fewer multiply-adds than this (about 0.3 ms) are not worth waking other threads for (0.1 ms).
SHARED_WORK = 16_000_000
_holders = 0  # callers that hold BLAS to one thread now
_blas_threads = 1  # what to give back when the last of them is done


def get_num_threads() -> int:
    """Return the number of threads that convolution, pooling and linear layers use.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> get_num_threads() >= 1
    True
    """
    return _threads


def set_num_threads(n: int) -> None:
    """Set the number of threads that convolution, pooling and linear layers use.

    Until then it is ``OPENBLAS_NUM_THREADS`` or ``OMP_NUM_THREADS`` where set, else the number of
    cores. One setting always gives the same bits; two settings may round sums differently.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError
        If `n` is not an integer.
    ValueError
        If it is less than 1.

    Examples
    --------
    >>> before = get_num_threads()
    >>> set_num_threads(2)
    >>> get_num_threads()
    2
    >>> set_num_threads(before)
    """
    global _threads, _pool
    if not isinstance(n, int):
        raise TypeError(f"set_num_threads: expected a number of threads, got {n!r}")
    if n < 1:
        raise ValueError(f"set_num_threads: expected at least 1 thread, got {n}")
    with _lock:
        if _pool is not None:
            _pool.shutdown(wait=False)  # what was submitted still runs
        _threads, _pool = n, None


def _after_fork() -> None:
    """Start afresh in a forked child: the pool's threads and who held the lock did not follow."""
    global _pool, _lock, _holders
    if _blas is not None and _holders:
        _blas[1](_blas_threads)
    _pool, _lock, _holders = None, threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _SingleThreadedBlas:
    """Hold BLAS to one thread; the last of several concurrent holders gives back the others.

    Products under it leave BLAS's own threads asleep. Once woken they wait for more work for some
    20 ms, busily, and so take a core from the threads here.
    """

    def __enter__(self) -> None:
        global _holders, _blas_threads
        if _blas is not None:
            with _lock:
                _holders += 1
                if _holders == 1:
                    _blas_threads = _blas[0]()
                    _blas[1](1)

    def __exit__(self, *_: object) -> None:
        global _holders
        if _blas is not None:
            with _lock:
                _holders -= 1
                if _holders == 0:
                    _blas[1](_blas_threads)


single_threaded_blas = _SingleThreadedBlas()


def threads_for(work: int) -> int:
    """Return how many threads are worth waking for so many multiply-adds."""
    return _threads if work >= SHARED_WORK else 1


def share(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return ``[work(item) for item in items]``, computed by up to `get_num_threads` threads."""
    global _pool
    with single_threaded_blas:
        if _threads == 1 or len(items) < 2:
            return [work(item) for item in items]
        with _lock:
            _pool = _pool or ThreadPoolExecutor(_threads, "minigrad")
            results = _pool.map(work, items)
        return list(results)
