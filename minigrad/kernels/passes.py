"""Passes over arrays, block by block: each pass but the first finds its block in the cache.

A function of several passes so reads its input from memory once and writes its result once.
Results lie in memory as the first input does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.kernels.columns import Array, pieces
from minigrad.kernels.threads import get_num_threads, share

BLOCK = 1 << 18  # bytes: four such blocks fit in an L2 cache
SHARED = 1 << 19  # numbers: fewer are not worth waking other threads for


def flat(x: Array) -> Array | None:
    """Return `x` as one run of memory, in the order in which it lies there; None if it is not."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    ordered = x.transpose(order)
    return ordered.reshape(-1) if ordered.flags.c_contiguous else None


def alike(x: Array, like: Array) -> Array:
    """Return `x` where it lies as `like` does in memory, else a copy that does."""
    if x.strides == like.strides and x.dtype == like.dtype and x.shape == like.shape:
        return x
    copy = np.empty_like(like)
    copy[...] = x
    return copy


def in_blocks(work: Callable[..., object], *inputs: Array, outputs: int = 1) -> Any:
    """Call ``work(*inputs, *outputs, scratch)`` on flat blocks; return the outputs, or the one.

    The inputs are of one shape; they are computed with in the floating point type of the first.
    """
    first = np.asarray(inputs[0])
    if first.dtype.kind not in "fc" or first.dtype.itemsize == 2:  # no fast arithmetic of its own
        kind = np.result_type(first.dtype, np.float16)
        wider = [np.asarray(x).astype(np.result_type(kind, np.float32)) for x in inputs]
        found = in_blocks(work, *wider, outputs=outputs)
        return found.astype(kind) if outputs == 1 else tuple(y.astype(kind) for y in found)
    if flat(first) is None:
        first = first.copy(order="K") if first.size else np.ascontiguousarray(first)
    if flat(first) is None:  # it was broadcast
        first = np.ascontiguousarray(first)
    results = [np.empty_like(first) for _ in range(outputs)]
    arrays = [first, *[alike(np.asarray(x), first) for x in inputs[1:]], *results]
    runs: list[Any] = [flat(x) for x in arrays]
    with np.errstate(over="ignore"):
        if first.nbytes <= BLOCK:
            work(*runs, np.empty_like(runs[0]))
        else:
            _block_by_block(work, runs)
    return results[0] if outputs == 1 else tuple(results)


def _block_by_block(work: Callable[..., object], runs: list[Array]) -> None:
    size, kind = runs[0].size, runs[0].dtype
    length = BLOCK // kind.itemsize

    def run(some: slice) -> None:
        scratch = np.empty(min(length, some.stop - some.start), kind)
        for i in range(some.start, some.stop, length):
            parts = [x[i : min(i + length, some.stop)] for x in runs]
            work(*parts, scratch[: len(parts[0])])

    threads = get_num_threads() if size >= SHARED else 1
    if threads == 1:
        run(slice(0, size))
    else:
        share(_quietly(run), pieces(size, size, threads))


def _quietly(run: Callable[[slice], None]) -> Callable[[slice], None]:
    """Let overflow pass: how NumPy treats it is a setting of each thread."""
    return np.errstate(over="ignore")(run)
