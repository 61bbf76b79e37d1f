"""Sums of products by subscripts, as products of matrices wherever two operands share a sum."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from minigrad.kernels.columns import Array


def einsum(subscripts: str, *operands: Array) -> Array:
    """Return what `np.einsum` does, for explicit subscripts without a label twice in one operand.

    Three operands or more are multiplied two at a time, in the order that takes least work.
    """
    names, _, output = subscripts.partition("->")
    labels, arrays = names.split(","), list(operands)
    pairs = zip("".join(labels), [n for x in arrays for n in x.shape], strict=True)
    lengths = set(pairs)
    if len(lengths) > len(dict(lengths)):  # an axis of length 1 is stretched
        return _plain(subscripts, *arrays)
    if len(arrays) == 2:
        plan = _as_product(labels[0], labels[1], output)
        return _plain(subscripts, *arrays) if plan is None else _product(plan, *arrays)
    steps = _order(subscripts, tuple(x.shape for x in arrays)) if len(arrays) > 2 else []
    for step in steps[:-1]:
        given = [(labels.pop(i), arrays.pop(i)) for i in sorted(step, reverse=True)]
        found = set("".join(some for some, _ in given)) & set(output).union(*labels)
        labels.append("".join(sorted(found)))
        part = f"{','.join(some for some, _ in given)}->{labels[-1]}"
        take = einsum if len(step) == 2 else _plain
        arrays.append(take(part, *(x for _, x in given)))
    last = f"{','.join(labels)}->{output}"
    return einsum(last, *arrays) if len(arrays) == 2 else _plain(last, *arrays)


def _plain(subscripts: str, *arrays: Array) -> Array:
    y: Array = np.einsum(subscripts, *arrays)
    return y


@lru_cache(maxsize=256)
def _order(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> Any:
    empty = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    return np.einsum_path(subscripts, *empty, optimize="greedy")[0][1:]


@lru_cache(maxsize=256)
def _as_product(a: str, b: str, output: str) -> tuple[Any, ...] | None:
    """Return how two operands are turned into matrices; None if they would be vectors."""
    if set(output) - set(a + b):
        return None
    batch = [c for c in output if c in a and c in b]
    rows = [c for c in output if c in a and c not in b]
    columns = [c for c in output if c in b and c not in a]
    summed = [c for c in a if c in b and c not in output]
    alone = [c for c in a + b if c not in output and (c in a) != (c in b)]
    if not (rows and columns and summed):
        return None
    order_a = [a.index(c) for c in (*batch, *rows, *summed)]
    order_b = [b.index(c) for c in (*batch, *summed, *columns)]
    found = [*batch, *rows, *columns]
    return (
        (tuple(a.index(c) for c in alone if c in a), tuple(b.index(c) for c in alone if c in b)),
        (_without(order_a, a, alone), _without(order_b, b, alone)),
        (len(batch), len(rows), len(summed)),
        tuple(found.index(c) for c in output),
    )


def _without(order: list[int], labels: str, alone: list[str]) -> tuple[int, ...]:
    """Renumber axes after those of the labels `alone` were summed."""
    gone = [labels.index(c) for c in alone if c in labels]
    return tuple(i - sum(g < i for g in gone) for i in order)


def _product(plan: tuple[Any, ...], a: Array, b: Array) -> Array:
    summed, orders, (batch, rows, inner), output = plan
    a, b = (x.sum(axis=s) if s else x for x, s in zip((a, b), summed, strict=True))
    a, b = a.transpose(orders[0]), b.transpose(orders[1])
    front, left, right = a.shape[:batch], a.shape[batch : batch + rows], b.shape[batch + inner :]
    m, n, k = prod(left), prod(a.shape[batch + rows :]), prod(right)
    y: Array = np.matmul(a.reshape(*front, m, n), b.reshape(*front, n, k))
    if len(left) != 1 or len(right) != 1:
        y = y.reshape(front + left + right)
    return y if output == tuple(range(len(output))) else y.transpose(output)
