"""Reading the recorded graph: nodes become boxes, rows and edges, and no array is kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from minigrad.autograd import Constant, Leaf, Node, Primitive, Tensor, owner_of, reachable
from minigrad.autograd.messages import RECORDED
from minigrad.graph.does import does, index_arrays
from minigrad.graph.gradients import Gradients, measure
from minigrad.graph.model import Box, Edge, Gradient, Graph, Ids, count
from minigrad.graph.paths import Paths
from minigrad.graph.values import ARRAYS, examine
from minigrad.graph.words import heading

COMMUTES = frozenset(
    "add multiply maximum minimum fmax fmin logaddexp logaddexp2 hypot equal".split()
)
_DTYPES = {"float": "f", "int": "i", "uint": "u"}


@cache
def short_dtype(dtype: np.dtype[Any]) -> str:
    """Write `float32` as `f32`."""
    letters = dtype.name.rstrip("0123456789")
    return _DTYPES.get(letters, letters) + dtype.name[len(letters) :]


def read(
    outputs: Mapping[str, Tensor],
    params: Any = None,
    *,
    view: str = "forward",
    gradients: bool = False,
    check_finite: bool = True,
) -> Graph:
    """Return the graph that `outputs` were computed from, as plain data.

    Parameters
    ----------
    outputs : dict of Tensors
        By the names they will have.
    params : Module or dict of Tensors, optional
        Gives parameters their names.
    view : {"forward", "backward"}
        "backward" leaves out what has no gradient.
    gradients : bool
        Measure the gradient at every node.
    check_finite : bool
        Look for values that are not finite.
    """
    return _Reader(outputs, params, gradients, check_finite).read(view)


class _Reader:
    """What reading has found so far."""

    def __init__(self, outputs: Mapping[str, Tensor], params: Any, gradients: bool, finite: bool):
        ends = {name: t._node or Constant(t.shape, t.dtype) for name, t in outputs.items()}
        roots = [node for node in ends.values() if isinstance(node, Leaf)]
        held = {ends[name]: t._array for name, t in outputs.items()}
        order = reachable(roots)[::-1]
        self.order, self.ends, self.measured = order, ends, gradients
        self.paths = Paths((node.module for node in order), params)
        self.values = examine(order, held) if finite else examine((), held)
        self.sizes = measure(order, roots) if gradients else Gradients({})
        self.ids = Ids()
        self.boxes: dict[Any, Box] = {}  # of a Node, or a Leaf or Constant that is no parameter
        self.rows: dict[Any, list[Box]] = {}
        self.uses = Counter(p for node in order for p in node.inputs if p in self.paths.names)
        leaves = {p for node in order for p in node.inputs if p.__class__ is Leaf}
        tensors = [*self.paths.given.values(), *(leaf.tensor() for leaf in leaves)]
        self.owners: set[int] = set()  # arrays that are counted already
        for tensor in tensors:
            self._owns(tensor._array if tensor is not None else None)

    def read(self, view: str) -> Graph:
        """Return what was found."""
        self.graph = Graph([], [], self.paths.clusters, view=view)
        for number, node in enumerate(self.order, 1):
            self._operation(number, node)
        self._unused()
        for name, end in self.ends.items():
            self._output(name, end)
        self._header()
        return self.graph

    # ----------------------------------------------------------------------------------- boxes
    def _operation(self, number: int, node: Node) -> None:
        name = node.function.name
        cluster = self.paths[node.module]
        box = Box(
            id=f"op{number}_{_plain(name)}",
            kind="op",
            label=name,
            cluster=cluster,
            arguments=len(node.inputs),
            recorded=node.module == RECORDED,
            saved=self._held(node),
            # Filled while debugging only, so the slot may be empty.
            source=getattr(node, "source", None),
            number=number,
            ops=1,
        )
        self._describe(box, node)
        if node.keywords:
            shapes = [getattr(place, "shape", None) for place in node.inputs]
            box.keywords = _keywords(node.keywords)
            box.does = does(node.function, node.keywords, shapes)
            self._indices(box, node)
        scalars = []
        for i, place in enumerate(node.inputs):
            kind = place.__class__
            if kind is Leaf or kind is Constant:
                if place in self.paths.names:
                    if kind is Leaf or self.graph.view == "forward":
                        box.rows.append(self._row(place, i, cluster))
                    continue
                if place not in self.boxes:
                    if kind is Constant and self.graph.view == "backward":
                        continue
                    self._input(place, node, i)
            elif kind is not Node:
                if place is not None:
                    scalars.append((i, f"{place:.6g}" if isinstance(place, float) else str(place)))
                continue
            self._edge(self.boxes[place], box.id, i, place in self.values.bad)
        box.scalars = tuple(scalars)
        if box.arguments > 1 and name not in COMMUTES:
            floats = sum(p.dtype.kind == "f" for p in node.inputs if isinstance(p, Constant))
            box.ordered = floats > 1
        if self.sizes.culprit and self.sizes.culprit[0] is node:
            box.bad_gradient = self.sizes.culprit[1]
        self.boxes[node] = box
        self.graph.boxes.append(box)

    def _indices(self, box: Box, node: Node) -> None:
        """Give the arrays that an index consists of a box each."""
        arrays = index_arrays(node.keywords) if self.graph.view == "forward" else ()
        for i, (label, array) in enumerate(arrays, len(node.inputs)):
            key = id(array)  # which the graph holds
            if key not in self.boxes:
                self.boxes[key] = self._loose(label, node)
                self._describe(self.boxes[key], Constant(array.shape, array.dtype))
            self._edge(self.boxes[key], box.id, i, False)

    def _describe(self, box: Box, place: Any) -> None:
        """Fill in what nodes, leaves and constants have in common."""
        box.shape, box.dtype = place.shape, short_dtype(place.dtype)
        box.nbytes = math.prod(place.shape) * place.dtype.itemsize
        box.requires_grad = place.__class__ is not Constant
        box.name = place.name
        box.value = self.values.scalars.get(place)
        box.health = self.values.health.get(place, "")
        box.slopes = self.sizes.stats.get(place)
        box.bad = self.values.bad.get(place)
        box.stats = self.values.stats.get(place)
        if self.measured and box.requires_grad:
            box.gradient = self.sizes.sizes.get(place)

    def _row(self, place: Any, argument: int, cluster: str | None) -> Box:
        name, number = self.paths.names[place], self.paths.number(place)
        label = self.paths.short(name, cluster)
        row = Box(self.ids("param", name), "parameter", label, number=number, argument=argument)
        self._describe(row, place)
        row.name, row.uses = name, self.uses[place]
        self.rows.setdefault(place, []).append(row)
        return row

    def _input(self, place: Any, reader: Node, argument: int) -> None:
        label = place.name or _argument(reader.function, argument)
        alone = place.__class__ is Leaf or place.name is not None
        self.boxes[place] = self._loose(label, reader, alone)
        self._describe(self.boxes[place], place)

    def _loose(self, label: str, reader: Node, alone: bool = False) -> Box:
        """Make the box of an input; a constant beside other inputs stands with them."""
        constant = not alone and any(other.__class__ is Node for other in reader.inputs)
        kind = "constant" if constant else "input"
        box = Box(self.ids(kind, label or kind), kind, label or kind)
        box.cluster = self.paths[reader.module] if constant else None
        self.graph.boxes.append(box)
        return box

    def _output(self, name: str, end: Any) -> None:
        if end not in self.boxes:
            label = self.paths.names.get(end) or end.name or "tensor"
            read = end in self.rows  # a parameter that was read, too
            found = Box(self.ids("leaf" if read else "input", label), "input", label)
            found.kind = "parameter" if read else "input"
            self._describe(found, end)
            self.boxes[end] = found
            self.graph.boxes.append(found)
        box = Box(self.ids("output", name), "output", name)
        self._describe(box, end)
        box.name, box.bad, box.health = name, None, ""
        self.graph.boxes.append(box)
        self._edge(self.boxes[end], box.id, 0, end in self.values.bad)

    def _unused(self) -> None:
        """Show the parameters that were asked for and that nothing reads."""
        for name, tensor in self.paths.given.items():
            if tensor._node in self.rows or tensor._node is None:
                continue
            cluster = self.paths.home(name)
            box = Box(self.ids("param", name), "parameter", self.paths.short(name, cluster))
            self._describe(box, tensor._node)
            box.name, box.cluster = name, cluster
            if self.measured:
                box.gradient = self.sizes.sizes.get(tensor._node, Gradient(None, None))
            self.graph.boxes.append(box)

    def _edge(self, tail: Box, head: str, argument: int, bad: bool) -> None:
        edge = Edge(tail.id, head, argument, tail.shape or (), tail.dtype, tail.nbytes, bad)
        self.graph.edges.append(edge)

    # ---------------------------------------------------------------------------------- memory
    def _owns(self, array: Any) -> int:
        """Return the bytes of the memory behind an array, 0 if it was counted already."""
        owner = owner_of(array) if isinstance(array, np.ndarray) else array
        new = isinstance(owner, ARRAYS) and id(owner) not in self.owners
        self.owners.add(id(owner))
        return owner.nbytes if new else 0

    def _held(self, node: Node) -> int:
        """Count the bytes that a node keeps for backward and no parameter or earlier node does."""
        saved: list[Any] = list(node.saved or ())
        if node.saved and node.function.residual:
            residual = node.residual
            saved += residual if isinstance(residual, tuple | list) else [residual]
        return sum(map(self._owns, saved))

    # ---------------------------------------------------------------------------------- header
    def _header(self) -> None:
        graph, given = self.graph, self.paths.given.values()
        graph.title = ", ".join(
            heading(b) if b.value is not None else f"{b.label} {b.shape} {b.dtype}"
            for b in graph.boxes
            if b.kind == "output"
        )
        graph.ops, graph.saved = len(self.order), sum(box.saved for box in graph.boxes)
        places = dict.fromkeys([*self.rows, *(t._node for t in given if t._node is not None)])
        sizes = {place: math.prod(place.shape) for place in places}
        graph.parameters, graph.parameter_values = len(sizes), sum(sizes.values())
        graph.parameter_bytes = sum(n * place.dtype.itemsize for place, n in sizes.items())
        if not any(isinstance(end, Leaf) for end in self.ends.values()):
            graph.notes.append(
                "nothing was recorded: no input requires a gradient, or no_grad() is on"
            )
        if self.values.unknown:
            released = any(node.saved is None for node in self.values.unknown)
            why = ": released by backward(), call it with retain_graph=True" if released else ""
            unknown = count(len(self.values.unknown), "op")
            graph.notes.append(f"values of {unknown} not known{why}")
        if self.sizes.note:
            graph.notes.append(self.sizes.note)


def _argument(function: Primitive, number: int) -> str:
    """Return what a function calls its argument, nothing where NumPy does not say."""
    try:
        names = function.parameters
    except (TypeError, ValueError):
        return ""
    return names[number] if number < len(names) else ""


@cache
def _plain(name: str) -> str:
    return Ids()(name) or "function"


def _keywords(keywords: Mapping[str, Any]) -> str:
    """Write keywords for a tooltip, arrays by their shape."""
    return ", ".join(f"{name.lstrip('_')}={_short(value)}" for name, value in keywords.items())


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array{value.shape}"
    if isinstance(value, tuple | list):
        parts = [f"array{v.shape}" if isinstance(v, np.ndarray) else f"{v!r:.30}" for v in value]
        return f"({', '.join(parts[:6])}{', …' * (len(parts) > 6)})"
    return f"{value!r:.60}"
