"""Reading the recorded graph: nodes become boxes, rows and edges, and no array is kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from minigrad.autograd import Constant, Leaf, Node, Tensor, owner_of, reachable
from minigrad.autograd.messages import RECORDED
from minigrad.graph.does import defaults, does, index_arrays
from minigrad.graph.model import Box, Edge, Gradient, Graph, Ids, count
from minigrad.graph.paths import Paths
from minigrad.graph.text import heading
from minigrad.graph.values import ARRAYS, examine, sweep_back
from minigrad.trees import leaves

COMMUTES = "add multiply maximum minimum fmax fmin logaddexp logaddexp2 hypot equal".split()


@cache
def short_dtype(dtype: np.dtype[Any]) -> str:
    """Write `float32` as `f32`."""
    return dtype.name.replace("uint", "u").replace("int", "i").replace("float", "f")


class Known(dict[Any, Box]):
    """What is known of each node, leaf and constant, as a box that has no kind yet."""

    def __missing__(self, place: Any) -> Box:
        size = math.prod(place.shape) * place.dtype.itemsize
        box = Box("", "", "", place.shape, short_dtype(place.dtype), place.name, nbytes=size)
        box.requires_grad = place.__class__ is not Constant
        return self.setdefault(place, box)


class Reader:
    """The graph that `outputs` were computed from, as plain data.

    Parameters
    ----------
    outputs : dict of Tensors
        By the names they will have.
    params : Module or dict of Tensors or None
        Gives parameters their names.
    view : {"forward", "backward"}
        "backward" leaves out what has no gradient.
    gradients : bool
        Measure the gradient at every node.
    finite : bool
        Look for values that are not finite.
    """

    def __init__(
        self, outputs: Mapping[str, Tensor], params: Any, view: str, gradients: bool, finite: bool
    ):
        self.ends = {k: t._node or Constant(t.shape, t.dtype) for k, t in outputs.items()}
        roots = [node for node in self.ends.values() if isinstance(node, Leaf)]
        held = {self.ends[name]: t._array for name, t in outputs.items()}
        self.order = order = reachable(roots)[::-1]
        self.unreached = Gradient(None, None) if gradients else None
        self.paths = Paths((node.module for node in order), params)
        self.known = Known()
        self.unknown = examine(order, held, self.known) if finite else set()
        self.swept = sweep_back(order, roots, self.known) if gradients else ""
        self.ids = Ids()
        self.boxes: dict[Any, Box] = {}  # of a Node, or a Leaf or Constant that is no parameter
        self.indices: dict[int, Constant] = {}  # of arrays
        self.rows: dict[Any, None] = {}  # the parameters that are read
        self.uses = Counter(p for node in order for p in node.inputs if p in self.paths.names)
        read = {p for node in order for p in node.inputs if p.__class__ is Leaf}
        self.owners: set[int] = set()  # arrays that are counted already
        for tensor in [*self.paths.given.values(), *(leaf.tensor() for leaf in read)]:
            self._owns(getattr(tensor, "_array", None))
        self.graph = Graph([], [], self.paths.clusters, view=view)

    def read(self) -> Graph:
        """Return what was found."""
        outputs = [
            self._box(end, "output", name, name=name, bad=None, bad_gradient=None, health="")
            for name, end in self.ends.items()
        ]
        for number, node in enumerate(self.order, 1):
            self._operation(number, node)
        self._unused()
        for box, end in zip(outputs, self.ends.values(), strict=True):
            self._output(box, end)
        self._header()
        return self.graph

    # ----------------------------------------------------------------------------------- boxes
    def _box(self, place: Any, kind: str, label: str, word: str = "", **more: Any) -> Box:
        """Make a box of an array; the first word of its identifier is the kind, or another."""
        key = self.ids(word or kind, more.get("name") or label)
        return replace(self.known[place], id=key, kind=kind, label=label, rows=[], **more)

    def _operation(self, number: int, node: Node) -> None:
        name = node.function.name
        box = self.boxes[node] = self.known[node]
        box.id, box.kind, box.label = f"op{number}_{_plain(name)}", "op", name
        box.cluster, box.recorded = self.paths[node.module], node.module == RECORDED
        box.number, box.ops, box.saved = number, 1, self._held(node)
        # Filled while debugging only, so the slot may be empty.
        box.source = getattr(node, "source", None)
        if node.keywords:
            shapes = [getattr(place, "shape", None) for place in node.inputs]
            box.keywords = _keywords(node.keywords)
            box.does = does(node.function, node.keywords, shapes)
            arrays = index_arrays(node.keywords) if self.graph.view == "forward" else ()
            for i, (label, array) in enumerate(arrays, len(shapes)):
                # The graph holds the array, so that its number stays its own.
                place = self.indices.setdefault(id(array), Constant(array.shape, array.dtype))
                self._input(place, node, label)
                self._edge(place, box.id, i)
        for i, place in enumerate(node.inputs):
            hidden = place.__class__ is Constant and self.graph.view == "backward"
            if hidden or not isinstance(place, Constant):
                continue
            if place.__class__ is not Node and place in self.paths.names:
                box.rows.append(self._row(place, i, box.cluster))
            else:
                if place not in self.boxes:
                    names = (*defaults(node.function), *("" for _ in node.inputs))
                    self._input(place, node, names[i])
                self._edge(place, box.id, i)
        written = [_written(place) for place in node.inputs]
        box.call = f"({', '.join(written)})" if set(written) != {"·"} else ""
        floats = sum(p.dtype.kind == "f" for p in node.inputs if isinstance(p, Constant))
        box.ordered = floats > 1 and name not in COMMUTES
        self.graph.boxes.append(box)

    def _row(self, place: Any, argument: int, cluster: str | None) -> Box:
        self.rows[place] = None
        name, number = self.paths.names[place], self.paths.number(place)
        more = {"name": name, "number": number, "argument": argument, "uses": self.uses[place]}
        return self._box(place, "parameter", self.paths.short(name, cluster), "param", **more)

    def _input(self, place: Any, reader: Node, label: str) -> None:
        """Show what nothing made; a constant beside other inputs stands with them."""
        if place not in self.boxes:
            alone = place.__class__ is Leaf or place.name is not None
            constant = not alone and any(other.__class__ is Node for other in reader.inputs)
            kind = "constant" if constant else "input"
            cluster = self.paths[reader.module] if constant else None
            box = self._box(place, kind, place.name or label or kind, cluster=cluster)
            self.boxes[place] = box
            self.graph.boxes.append(box)

    def _output(self, box: Box, end: Any) -> None:
        if end not in self.boxes:
            label = self.paths.names.get(end) or end.name or "tensor"
            kind, word = ("parameter", "leaf") if end in self.rows else ("input", "input")
            self.boxes[end] = self._box(end, kind, label, word)
            self.graph.boxes.append(self.boxes[end])
        self.graph.boxes.append(box)
        self._edge(end, box.id, 0)

    def _unused(self) -> None:
        """Show the parameters that were asked for and that nothing reads."""
        for name, tensor in self.paths.given.items():
            place = tensor._node
            if place is not None and place not in self.rows:
                cluster = self.paths.home(name)
                label = self.paths.short(name, cluster)
                gradient = self.known[place].gradient or self.unreached
                more = {"name": name, "cluster": cluster, "gradient": gradient}
                self.graph.boxes.append(self._box(place, "parameter", label, "param", **more))

    def _edge(self, place: Any, head: str, argument: int) -> None:
        bad = self.known[place].bad is not None
        self.graph.edges.append(Edge(self.boxes[place].id, head, argument, bad))

    # ---------------------------------------------------------------------------------- memory
    def _owns(self, array: Any) -> int:
        """Return the bytes of the memory behind an array, 0 if it was counted already."""
        owner = owner_of(array) if isinstance(array, np.ndarray) else array
        new = isinstance(owner, ARRAYS) and id(owner) not in self.owners
        self.owners.add(id(owner))
        return owner.nbytes if new else 0

    def _held(self, node: Node) -> int:
        """Count the bytes that a node keeps for backward and no parameter or earlier node does."""
        residual = node.residual if node.saved and node.function.residual else None
        return sum(map(self._owns, [*(node.saved or ()), *leaves(residual)]))

    # ---------------------------------------------------------------------------------- header
    def _header(self) -> None:
        graph, given = self.graph, self.paths.given.values()
        ends = [b for b in graph.boxes if b.kind == "output"]
        said = [f"{b.label} {b.shape} {b.dtype}" if b.value is None else heading(b) for b in ends]
        graph.title = ", ".join(said)
        graph.ops, graph.saved = len(self.order), sum(box.saved for box in graph.boxes)
        places = dict.fromkeys([*self.rows, *(t._node for t in given if t._node is not None)])
        graph.parameters = len(places)
        graph.parameter_values = sum(math.prod(place.shape) for place in places)
        graph.parameter_bytes = sum(self.known[place].nbytes for place in places)
        if not any(isinstance(end, Leaf) for end in self.ends.values()):
            why = "no input requires a gradient, or no_grad() is on"
            graph.notes.append(f"nothing was recorded: {why}")
        if self.unknown:
            released = any(node.saved is None for node in self.unknown)
            why = ": released by backward(), call it with retain_graph=True" if released else ""
            graph.notes.append(f"values of {count(len(self.unknown), 'op')} not known{why}")
        graph.notes += [self.swept] * bool(self.swept)


def _written(place: Any) -> str:
    """Write an argument of a call: a number, and a dot for what has an arrow."""
    if place is None or isinstance(place, Constant):
        return "·"
    return f"{place:.6g}" if isinstance(place, float) else str(place)


@cache
def _plain(name: str) -> str:
    return Ids()(name) or "function"


def _keywords(keywords: Mapping[str, Any]) -> str:
    """Write keywords for a tooltip, arrays by their shape."""
    return ", ".join(f"{name.lstrip('_')}={_short(value)}" for name, value in keywords.items())


def _short(value: Any, longest: int = 60) -> str:
    if isinstance(value, np.ndarray):
        return f"array{value.shape}"
    if isinstance(value, tuple | list):
        parts = [_short(v, 30) for v in value[:6]]
        return f"({', '.join(parts)}{', …' * (len(value) > 6)})"
    return f"{value!r:.{longest}}"
