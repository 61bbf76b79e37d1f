"""The size of the gradient at every node, measured without touching any `grad`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import Leaf, Node, local, sweep
from minigrad.autograd.graph import nobody
from minigrad.graph.health import Stats
from minigrad.graph.health import measure as measure_values
from minigrad.graph.model import Bad, Gradient
from minigrad.graph.values import BIG, MANY, bad_values


class Gradients(NamedTuple):
    """Sizes at nodes and leaves, the node whose pullback went wrong first, and what to know."""

    sizes: dict[Any, Gradient]
    bad: dict[Any, Bad]
    culprit: tuple[Node, Bad] | None
    note: str = ""
    stats: Mapping[Any, Stats | None] = {}


def measure(order: Sequence[Node], outputs: Sequence[Any]) -> Gradients:
    """Sweep back from the sum of all `outputs`.

    Parameters
    ----------
    order : sequence of Nodes
        Oldest first.
    outputs : sequence of Nodes and Leaves
        Those that require a gradient.
    """
    mode = local.mode
    debug = mode.debug
    mode.debug = None  # which would raise where this is to show
    try:
        with np.errstate(all="ignore"):
            return _measure(order, outputs)
    finally:
        mode.debug = debug


def _measure(order: Sequence[Node], outputs: Sequence[Any]) -> Gradients:
    leaves = list(
        dict.fromkeys(
            parent for node in order for parent in node.inputs if parent.__class__ is Leaf
        )
    )
    seeds = {node: np.ones(node.shape, node.dtype) for node in outputs}
    try:
        found = sweep(seeds, retain=True, targets=[*order, *leaves])
    except RuntimeError as error:
        return _left_in_grad(leaves, str(error))
    found.update((seed, g) for seed, g in seeds.items() if seed.__class__ is Leaf)
    places: list[Leaf] = [*order, *leaves]
    sizes = {place: size(found.get(place)) for place in places}
    bad = {place: b for place, g in found.items() if (b := bad_values(np.asarray(g)))}
    least = 2 if len(order) <= MANY else BIG
    stats = {place: measure_values(np.asarray(g), least) for place, g in found.items()}
    return Gradients(sizes, bad, _culprit(order, found, bad), stats=stats)


def size(gradient: Any) -> Gradient:
    """Return the root of the mean square, in float64 so that small ones do not become 0."""
    if gradient is None:
        return Gradient(None, None)
    flat = np.ravel(gradient).astype(np.float64)
    rms = math.sqrt(flat @ flat / flat.size) if flat.size else 0.0
    return Gradient(rms, rms)


def _left_in_grad(leaves: Sequence[Leaf], error: str) -> Gradients:
    """Read what an earlier `backward()` left in `grad`, where the graph can't be swept."""
    tensors = {leaf: leaf.tensor() for leaf in leaves}
    sizes = {
        leaf: size(None if tensor._grad is None else tensor._grad._array)
        for leaf, tensor in tensors.items()
        if tensor is not None
    }
    why = "was changed in place" if "changed in place" in error else "released by backward()"
    if "released" not in error and "changed in place" not in error:
        return Gradients({}, {}, None, f"no gradients: {error}")
    remedy = (
        "compute the loss again" if "changed" in why else "call backward(retain_graph=True) to keep"
    )
    return Gradients(
        sizes, {}, None, f"gradients at operations: arrays {why}: {remedy}; at parameters: .grad"
    )


def _culprit(
    order: Sequence[Node], found: dict[Any, Any], bad: dict[Any, Bad]
) -> tuple[Node, Bad] | None:
    """Find the first node of the sweep that turned a finite gradient into one that is not."""
    for node in reversed(order):
        if node not in found or node in bad or bad.keys().isdisjoint(node.inputs):
            continue
        for result in _pull(node, found[node]):
            wrong = bad_values(np.asarray(result))
            if wrong:
                return node, wrong._replace(origin=True, first=True)
    return None


def _pull(node: Node, g: Any) -> list[Any]:
    """Return the gradients that one node alone sends to its inputs."""
    alone = copy(node)
    alone.tensor = nobody
    alone.inputs = tuple(
        Leaf(node, parent.shape, parent.dtype, None) if isinstance(parent, Leaf) else parent
        for parent in node.inputs
    )
    return list(sweep({alone: g}, retain=True).values())
