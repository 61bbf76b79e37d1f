"""The size of the gradient at every node, measured without touching any `grad`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import Leaf, Node, local, sweep
from minigrad.graph import health
from minigrad.graph.model import Bad, Box, Gradient
from minigrad.graph.values import BIG, MANY, bad_values

NOT_SWEPT = {  # by what the error says
    "changed in place": "an array was changed in place: compute the loss again",
    "released": "arrays released by backward(): call backward(retain_graph=True) to keep",
}


class Watch:
    """Takes the place of debug mode, which would raise, and notes where it would."""

    culprit: tuple[Node, Bad] | None = None

    def check_gradient(self, node: Node, _: int, g: Any, result: Any) -> None:
        """Look for the first node that turns a finite gradient into one that is not."""
        if self.culprit is None:
            wrong = bad_values(np.asarray(result))
            if wrong and not bad_values(np.asarray(g)):
                self.culprit = node, wrong._replace(origin=True, first=True)


def measure(order: Sequence[Node], outputs: Sequence[Any], boxes: Mapping[Any, Box]) -> str:
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
                boxes[place].slopes = health.measure(np.asarray(g), least)
            for place in places:
                boxes[place].gradient = size(found.get(place))
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
            boxes[leaf].gradient = size(getattr(tensor._grad, "_array", None))
    return f"gradients at operations: {why}; at parameters: .grad"


def size(gradient: Any) -> Gradient:
    """Return the root of the mean square, in float64 so that small ones do not become 0."""
    if gradient is None:
        return Gradient(None, None)
    flat = np.ravel(gradient).astype(np.float64)
    rms = math.sqrt(flat @ flat / flat.size) if flat.size else 0.0
    return Gradient(rms, rms)
