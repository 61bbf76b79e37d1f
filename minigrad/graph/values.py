"""What is measured: recorded values, computed again where nobody kept them, and gradients."""

from __future__ import annotations

import math
from collections import ChainMap, Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad import autograd
from minigrad.autograd import Constant, Leaf, Node, local, sweep
from minigrad.graph.health import condition, measure
from minigrad.graph.model import Bad, Box, Gradient

ARRAYS = (np.ndarray, np.generic)
MANY, BIG = 2000, 64  # of so many operations, smaller arrays are not measured
NOT_SWEPT = {  # by what the error says
    "changed in place": "an array was changed in place: compute the loss again",
    "released": "arrays released by backward(): call backward(retain_graph=True) to keep",
}


def examine(
    order: Sequence[Node], outputs: Mapping[Any, Any], boxes: Mapping[Any, Box]
) -> set[Node]:
    """Look at the value of each node; what nobody kept is computed again, or returned as unknown.

    Parameters
    ----------
    order : sequence of Nodes
        Oldest first.
    outputs : mapping
        The arrays of the nodes, leaves and constants that the caller holds.
    boxes : mapping
        Where what is found is written, for each node, leaf and constant.
    """
    known = kept_values(order, outputs)
    passing = ChainMap[Any, Any]({}, known)  # with what is recomputed, until its last reader
    unknown: set[Node] = set()
    least = 2 if len(order) <= MANY else BIG
    left = Counter(parent for node in order for parent in node.inputs if parent.__class__ is Node)
    with np.errstate(all="ignore"):
        for holder in known:
            if holder.__class__ is not Node:
                _note(boxes[holder], known[holder], least)
        for node in order:
            value = known.get(node)
            if value is None:
                value = _again(node, passing)
                if value is not None and left[node]:
                    passing[node] = value
            if value is None:
                unknown.add(node)
            else:
                box = boxes[node]
                _note(box, value, least)
                if box.stats and not box.bad:
                    before = [boxes[p].stats for p in node.inputs if isinstance(p, Constant)]
                    box.health = condition(node.function.name, value, box.stats, before)
            for parent in node.inputs:
                left[parent] -= 1
                if not left[parent]:
                    passing.maps[0].pop(parent, None)
    _mark_origins(order, [p for p in known if p.__class__ is not Node], unknown, boxes)
    return unknown


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


def _note(box: Box, value: Any, least: int) -> None:
    box.stats, box.bad = measure(value, least), bad_values(value)
    box.value = value.item() if value.size == 1 else None


def _mark_origins(
    order: Sequence[Node], inputs: Sequence[Any], unknown: set[Node], boxes: Mapping[Any, Box]
) -> None:
    """Mark the bad values that went in, and the nodes that made one of finite inputs."""
    first = True
    uncertain: set[Any] = set()
    for place in (*inputs, *order):
        box, reads = boxes[place], getattr(place, "inputs", ())
        seen = not uncertain.isdisjoint(reads)
        if seen or place in unknown:
            uncertain.add(place)
        if box.bad and not any(boxes[p].bad for p in reads if isinstance(p, Constant)):
            box.bad = box.bad._replace(origin=True, seen=seen, first=first)
            first = False


# ------------------------------------------------------------------------------------- gradients
class Watch:
    """Takes the place of debug mode, which would raise, and notes where it would."""

    culprit: tuple[Node, Bad] | None = None

    def check_gradient(self, node: Node, _: int, g: Any, result: Any) -> None:
        """Look for the first node that turns a finite gradient into one that is not."""
        if self.culprit is None:
            wrong = bad_values(np.asarray(result))
            if wrong and not bad_values(np.asarray(g)):
                self.culprit = node, wrong._replace(origin=True, first=True)


def sweep_back(order: Sequence[Node], outputs: Sequence[Any], boxes: Mapping[Any, Box]) -> str:
    """Sweep back from the sum of all `outputs`, and return what a reader has to know of it.

    Parameters
    ----------
    order : sequence of Nodes
        Oldest first.
    outputs : sequence of Nodes and Leaves
        Those that require a gradient.
    boxes : mapping
        Where what is found is written, for each node and leaf.
    """
    leaves = dict.fromkeys(p for node in order for p in node.inputs if p.__class__ is Leaf)
    places: list[Leaf] = [*order, *leaves]
    seeds = {node: np.ones(node.shape, node.dtype) for node in outputs}
    mode, watch = local.mode, Watch()
    debug, mode.debug = mode.debug, watch
    try:
        with np.errstate(all="ignore"):
            found = sweep(seeds, retain=True, targets=places)
            found.update((seed, g) for seed, g in seeds.items() if seed.__class__ is Leaf)
            least = 2 if len(order) <= MANY else BIG
            for place, g in found.items():
                boxes[place].slopes = measure(np.asarray(g), least)
            for place in places:
                boxes[place].gradient = _size(found.get(place))
            if watch.culprit:
                boxes[watch.culprit[0]].bad_gradient = watch.culprit[1]
            return ""
    except RuntimeError as error:
        why = next((why for said, why in NOT_SWEPT.items() if said in str(error)), None)
        if why is None:
            return f"no gradients: {error}"
    finally:
        mode.debug = debug
    for leaf in leaves:
        if (tensor := leaf.tensor()) is not None:
            boxes[leaf].gradient = _size(getattr(tensor._grad, "_array", None))
    return f"gradients at operations: {why}; at parameters: .grad"


def _size(gradient: Any) -> Gradient:
    """Return the root of the mean square, in float64 so that small ones do not become 0."""
    if gradient is None:
        return Gradient(None, None)
    flat = np.ravel(gradient).astype(np.float64)
    rms = math.sqrt(flat @ flat / flat.size) if flat.size else 0.0
    return Gradient(rms, rms)
