"""Which recorded values are finite: looked up where an array was kept, else computed again."""

from __future__ import annotations

import math
from collections import ChainMap, Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import autograd
from minigrad.autograd import Constant, Leaf, Node
from minigrad.graph.health import Stats, condition, measure
from minigrad.graph.model import Bad

ARRAYS = (np.ndarray, np.generic)
MANY, BIG = 2000, 64  # of so many operations, smaller arrays are not measured


class Values(NamedTuple):
    """What is known of the values at nodes, leaves and constants."""

    bad: dict[Any, Bad]
    scalars: dict[Any, float]
    unknown: set[Node]
    stats: dict[Any, Stats]
    health: dict[Any, str]


def examine(order: Sequence[Node], outputs: Mapping[Any, Any]) -> Values:
    """Look at the value of each node; what nobody kept is computed again.

    Parameters
    ----------
    order : sequence of Nodes
        Oldest first.
    outputs : mapping
        The arrays of the nodes, leaves and constants that the caller holds.
    """
    known = kept_values(order, outputs)
    passing = ChainMap[Any, Any]({}, known)  # with what is recomputed, until its last reader
    result = Values({}, {}, set(), {}, {})
    least = 2 if len(order) <= MANY else BIG
    left = Counter(parent for node in order for parent in node.inputs if parent.__class__ is Node)
    with np.errstate(all="ignore"):
        for holder in known:
            if holder.__class__ is not Node:
                _note(result, holder, known[holder], least)
        for node in order:
            value = known.get(node)
            if value is None:
                value = _again(node, passing)
                if value is not None and left[node]:
                    passing[node] = value
            if value is None:
                result.unknown.add(node)
            else:
                _note(result, node, value, least)
                if node in result.stats and node not in result.bad:
                    before = {p: result.stats[p] for p in node.inputs if p in result.stats}
                    ill = condition(node.function.name, value, result.stats[node], before)
                    result.health.update({node: ill} if ill else {})
            for parent in node.inputs:
                left[parent] -= 1
                if not left[parent]:
                    passing.maps[0].pop(parent, None)
    _mark_origins(order, result)
    return result


def kept_values(order: Sequence[Node], outputs: Mapping[Any, Any]) -> dict[Any, Any]:
    """Collect the arrays that outputs, nodes and leaves hold, if they are as they were."""
    known = dict(outputs)
    for node in order:
        saved = node.saved or (None,) * (1 + len(node.inputs))
        if isinstance(saved[0], ARRAYS):
            known.setdefault(node, saved[0])
        for parent, value in zip(node.inputs, saved[1:], strict=True):
            if not isinstance(parent, Constant) or parent in known:
                continue
            if parent.__class__ is Leaf and not isinstance(value, ARRAYS):
                value = getattr(parent.tensor(), "_array", None)
            if isinstance(value, ARRAYS) and autograd.changed_at(value) <= node.stamp:
                known[parent] = value
    return known


def _again(node: Node, known: Mapping[Any, Any]) -> Any:
    """Compute the value of a node if all that it reads is known, else return None."""
    saved = node.saved or (None,) * (1 + len(node.inputs))
    arguments = []
    for parent, value in zip(node.inputs, saved[1:], strict=True):
        held = parent.__class__ is Constant and isinstance(value, ARRAYS)
        place = isinstance(parent, Constant)
        arguments.append(value if held else known.get(parent) if place else parent)
        if place and arguments[-1] is None:
            return None
    if any(hasattr(value, "bit_generator") for value in node.keywords.values()):
        return None  # drawn at random
    # Copies, because a function may write into an array among its keywords, as batch
    # normalisation does with its running mean.
    keywords = {name: _copy(value) for name, value in node.keywords.items()}
    try:
        y = node.function.forward(*arguments, **keywords)
    except Exception:  # a picture is drawn of what there is
        return None
    y = y[0] if node.function.residual else y
    return y if isinstance(y, ARRAYS) and y.shape == node.shape else None


def _copy(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(v.copy() if isinstance(v, np.ndarray) else v for v in value)
    return value.copy() if isinstance(value, np.ndarray) else value


def bad_values(value: Any) -> Bad | None:
    """Count the values that are not finite."""
    if value.dtype.kind != "f" or math.isfinite(value.sum() if value.ndim else value):
        return None
    size, nans = value.size, int(np.isnan(value).sum())
    if nans:
        return Bad("NaN", nans, size)
    infinities = int(np.isinf(value).sum())
    return Bad("inf", infinities, size) if infinities else None  # else only the sum overflows


def _note(result: Values, holder: Any, value: Any, least: int) -> None:
    stats = measure(value, least)
    if stats:
        result.stats[holder] = stats
    bad = bad_values(value)
    if bad:
        result.bad[holder] = bad
    if value.size == 1:
        result.scalars[holder] = value.item()


def _mark_origins(order: Iterable[Node], result: Values) -> None:
    """Mark the bad values that went in, and the nodes that made one of finite inputs."""
    uncertain: set[Any] = set()
    for node in order:
        if node in result.unknown or not uncertain.isdisjoint(node.inputs):
            uncertain.add(node)
        bad = result.bad.get(node)
        if bad and result.bad.keys().isdisjoint(node.inputs):
            seen = not uncertain.isdisjoint(node.inputs)
            result.bad[node] = bad._replace(origin=True, seen=seen)
    for holder, bad in result.bad.items():
        if holder.__class__ is not Node:
            result.bad[holder] = bad._replace(origin=True)
    rank = {node: node.stamp for node in result.bad if node.__class__ is Node}
    origins = [holder for holder, bad in result.bad.items() if bad.origin]
    if origins:
        first = min(origins, key=lambda holder: rank.get(holder, 0))
        result.bad[first] = result.bad[first]._replace(first=True)
