"""What is measured: values, computed again where nobody kept them, their health, gradients."""

from __future__ import annotations

import math
from collections import ChainMap, Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from minigrad import autograd
from minigrad.autograd import Constant, Leaf, Node, local, sweep
from minigrad.graph.model import Bad, Box, Gradient, Stats

ARRAYS = (np.ndarray, np.generic)
MANY, BIG = 2000, 64  # of so many operations, smaller arrays are not measured
BARS = 16
SAMPLE = 1 << 16  # of the values of a large array, for the histogram
EXAMPLES = 8  # without so many, a unit that is always zero means nothing
BOUNDS = {"sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99)}  # beyond them the slope is next to 0
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
    left = Counter(parent for node in order for parent in node.inputs if parent.__class__ is Node)
    least = 2 if len(order) <= MANY else BIG
    unknown: set[Node] = set()
    uncertain: set[Any] = set()  # what is unknown, and what was made of it
    first = True
    with np.errstate(all="ignore"):
        for place in [*(p for p in known if p.__class__ is not Node), *order]:
            box, value = boxes[place], known.get(place)
            reads = [p for p in getattr(place, "inputs", ()) if isinstance(p, Constant)]
            if value is None and (value := _again(place, passing)) is None:
                unknown.add(place)
            else:
                passing[place] = value
                box.stats, box.bad = measure(value, least), bad_values(value)
                box.value = value.item() if value.size == 1 else None
            seen = not uncertain.isdisjoint(reads)
            if seen or value is None:
                uncertain.add(place)
            if box.bad and not any(boxes[p].bad for p in reads):
                box.bad = box.bad._replace(origin=True, seen=seen, first=first)
                first = False
            elif box.stats and not box.bad and reads:
                before = [boxes[p].stats for p in reads]
                box.health = condition(place.function.name, value, box.stats, before)
            for parent in reads:
                left[parent] -= 1
            for done in [p for p in (place, *reads) if left[p] <= 0]:
                passing.maps[0].pop(done, None)
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
    random = any(hasattr(value, "bit_generator") for value in node.keywords.values())
    if random or any(isinstance(p, Constant) and p not in known for p in node.inputs):
        return None
    arguments = [known[p] if isinstance(p, Constant) else p for p in node.inputs]
    try:
        # Copies, because a function may write into an array among its keywords, as batch
        # normalisation does with its running mean.
        y = node.function.forward(*arguments, **deepcopy(node.keywords))
    except Exception:  # a picture is drawn of what there is
        return None
    y = y[0] if node.function.residual else y
    return y if isinstance(y, ARRAYS) and y.shape == node.shape else None


def bad_values(value: Any) -> Bad | None:
    """Count the values that are not finite."""
    if value.dtype.kind != "f" or math.isfinite(value.sum()):
        return None
    nans, infinities = (int(what(value).sum()) for what in (np.isnan, np.isinf))
    bad = Bad("NaN" if nans else "inf", nans or infinities, value.size)
    return bad if bad.wrong else None  # else only the sum overflows


# ---------------------------------------------------------------------------------------- health
def measure(value: Any, least: int = 2) -> Stats | None:
    """Return how the values of an array of at least so many are, None if it is not of floats."""
    if value.dtype.kind != "f" or value.size < least:
        return None
    flat = value.ravel()
    finite = flat if math.isfinite(flat.sum()) else flat[np.isfinite(flat)].astype(np.float64)
    zeros, wrong = (100 * (1 - n / flat.size) for n in (np.count_nonzero(flat), finite.size))
    if not finite.size:
        return Stats(math.nan, math.nan, math.nan, math.nan, zeros, wrong, "")
    low, mean, high = float(finite.min()), float(finite.mean()), float(finite.max())
    away = finite - mean
    std = math.sqrt(away @ away / finite.size)
    return Stats(low, mean, high, std, zeros, wrong, _bars(finite, low, high))


def _bars(flat: Any, low: float, high: float) -> str:
    """Write a histogram as digits, the highest bar as 9."""
    wide = high - low
    if flat.size < BARS // 2 or not 1e-300 < wide < math.inf:
        return ""
    some = flat[:: flat.size // SAMPLE + 1].astype(np.float64)
    counts = np.bincount(((some - low) * ((BARS - 1e-3) / wide)).astype(int), minlength=BARS)
    return "".join(str(n) for n in -(-9 * counts // counts.max()))


def condition(name: str, value: Any, stats: Stats, inputs: Sequence[Stats | None]) -> str:
    """Return what is wrong with finite values that an operation made, nothing if all is well.

    Parameters
    ----------
    name : str
        What the operation is called.
    value : ndarray
        What it made.
    stats : Stats
        Of `value`.
    inputs : sequence
        Of what it read, as far as known.
    """
    if stats.zeros == 100:
        return "" if any(s and s.zeros == 100 for s in inputs) else "dead: 100 % zeros"
    if name == "relu" and value.ndim > 1 and len(value) >= EXAMPLES:
        alive = value.any(axis=(0, *range(2, value.ndim)))
        dead = alive.size - np.count_nonzero(alive)
        return f"dead: {dead} of {alive.size} units" if 4 * dead >= 3 * alive.size else ""
    if name in BOUNDS:
        low, high = BOUNDS[name]
        beyond = 100 * np.count_nonzero((value < low) | (value > high)) / value.size
        return f"saturated: {beyond:.0f} %" if beyond >= 90 else ""
    return ""


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
            for place in places:
                g = found.get(place)
                boxes[place].gradient, boxes[place].slopes = _size(g), measure(np.asarray(g), least)
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
