"""Attention in blocks: some queries of some heads at a time, so that no T x T array is ever held.

Only the logarithm of each query's sum of exponentials is kept; the weights are made again from it
for the gradients. Arrays are (heads, T, D), with all leading axes made one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.kernels.columns import Array, pieces
from minigrad.kernels.passes import BLOCK, SHARED
from minigrad.kernels.rows import exponentials
from minigrad.kernels.threads import get_num_threads, share

FEWEST_QUERIES = 128  # of long sequences, so that the products stay worth their while

Bias = Callable[[slice, slice, int], Any]


def bias_of(mask: Array | None, is_causal: bool, heads: tuple[int, ...], dtype: Any) -> Bias:
    """Return what is added to the scores of (heads, queries, the first keys): 0 or -inf, or None.

    A boolean mask says which keys are seen, another one is added; causal queries see the keys to
    their own place.
    """
    added: Any = None
    if mask is not None and mask.size:
        if mask.dtype == bool:
            mask = np.where(mask, dtype.type(0), dtype.type(-np.inf))
        added = np.broadcast_to(mask.astype(dtype, copy=False), (*heads, *mask.shape[-2:]))
        alike = not any(added.strides[:-2])  # one mask for all heads
        added = added[(0,) * len(heads)] if alike else added.reshape(-1, *mask.shape[-2:])

    def bias(some: slice, queries: slice, keys: int) -> Any:
        found = None
        if added is not None:
            found = (added if added.ndim == 2 else added[some])[..., queries, :keys]
        if is_causal:
            hidden = np.arange(keys) > np.arange(queries.start, queries.stop)[:, None]
            causal = np.where(hidden, dtype.type(-np.inf), dtype.type(0))
            found = causal if found is None else found + causal
        return found

    return bias


def _blocks(heads: int, length: int, keys: int, size: int) -> list[tuple[slice, list[slice]]]:
    """Return some heads, and how their queries are cut."""
    queries = min(length, max(FEWEST_QUERIES, BLOCK // (size * max(1, keys))))
    several = max(1, BLOCK // (size * max(1, queries * keys)))
    return [(some, pieces(length, queries)) for some in pieces(heads, several)]


def _over(work: Callable[[Any], None], blocks: list[Any], total: int) -> None:
    if total < SHARED or get_num_threads() == 1:
        for block in blocks:
            work(block)
    else:
        share(work, blocks)


def _scores(
    q: Array, k: Array, bias: Bias, some: slice, queries: slice, is_causal: bool
) -> tuple[Array, int]:
    """Return the scores of some queries and the keys that they may see, and how many those are."""
    keys = min(k.shape[1], queries.stop) if is_causal else k.shape[1]
    scores = np.matmul(q[some, queries], k[some, :keys].swapaxes(1, 2))
    added = bias(some, queries, keys)
    if added is not None:
        scores += added
    return scores, keys


def attention(q: Array, k: Array, v: Array, bias: Bias, is_causal: bool) -> tuple[Array, Array]:
    """Return softmax(q k^T + bias) v, and the logarithm of each query's sum; q is scaled already.

    A query that may see no key gets 0.
    """
    heads, length, _ = q.shape
    y, logs = np.empty((heads, length, v.shape[2]), q.dtype), np.empty((heads, length), q.dtype)

    def work(block: tuple[slice, list[slice]]) -> None:
        some, parts = block
        for queries in parts:
            scores, keys = _scores(q, k, bias, some, queries, is_causal)
            p = np.empty_like(scores)
            total, top = exponentials(scores.reshape(-1, keys), p.reshape(-1, keys))
            total[total == 0] = 1
            total = total.reshape(scores.shape[:2])
            out = y[some, queries]
            np.matmul(p, v[some, :keys], out=out)
            out /= total[..., None]
            logs[some, queries] = np.log(total)
            if not isinstance(top, float):
                logs[some, queries] += top.reshape(total.shape)

    _over(work, _blocks(heads, length, k.shape[1], q.itemsize), heads * length * k.shape[1])
    return y, logs


class Saved(NamedTuple):
    """What the gradients are made of: `attention`'s arrays, and what it returned."""

    q: Array
    k: Array
    v: Array
    y: Array
    logs: Array


def attention_gradients(
    g: Array, saved: Saved, bias: Bias, is_causal: bool
) -> tuple[Array, Array, Array]:
    """Return the gradients of q, k and v."""
    q, k, v, y, logs = saved
    dq, dk, dv = np.empty_like(q), np.zeros_like(k), np.zeros_like(v)

    def work(block: tuple[slice, list[slice]]) -> None:
        some, parts = block
        for queries in parts:
            p, keys = _scores(q, k, bias, some, queries, is_causal)
            upstream = g[some, queries]
            p -= logs[some, queries, None]
            np.exp(p, out=p)
            ds = np.matmul(upstream, v[some, :keys].swapaxes(1, 2))
            ds -= np.vecdot(upstream, y[some, queries])[..., None]
            ds *= p
            np.matmul(ds, k[some, :keys], out=dq[some, queries])
            dk[some, :keys] += np.matmul(ds.swapaxes(1, 2), q[some, queries])
            dv[some, :keys] += np.matmul(p.swapaxes(1, 2), upstream)

    blocks = _blocks(len(q), q.shape[1], k.shape[1], q.itemsize)
    _over(work, blocks, len(q) * q.shape[1] * k.shape[1])
    return dq, dk, dv
