"""Reading the recorded graph: nodes become boxes, rows and edges, and no array is kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import Constant, Leaf, Node, Primitive, Tensor, owner_of, reachable
from minigrad.graph.gradients import Gradients, measure
from minigrad.graph.model import Box, Edge, Gradient, Graph, Ids, Row, count
from minigrad.graph.paths import Paths
from minigrad.graph.values import ARRAYS, examine
from minigrad.graph.words import heading

COMMUTES = frozenset(
    "add multiply maximum minimum fmax fmin logaddexp logaddexp2 hypot equal".split()
)
_DTYPES = {"float": "f", "int": "i", "uint": "u"}


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
    return _Reader(outputs, params, view, gradients, check_finite).graph


class _Reader:
    """What reading has found so far."""

    def __init__(
        self,
        outputs: Mapping[str, Tensor],
        params: Any,
        view: str,
        gradients: bool,
        check_finite: bool,
    ):
        self.graph = Graph([], [], {}, view=view)
        self.ids = Ids()
        self.boxes: dict[Any, Box] = {}  # of a Node, or a Leaf or Constant that is no parameter
        self.rows: dict[Any, list[Row]] = {}
        self.dtypes: dict[Any, str] = {}
        ends = {name: t._node or Constant(t.shape, t.dtype) for name, t in outputs.items()}
        roots = [node for node in ends.values() if isinstance(node, Leaf)]
        order = reachable(roots)[::-1]
        self.paths = Paths((node.module for node in order), params, self.ids)
        held = {ends[name]: t._array for name, t in outputs.items()}
        self.values = (
            examine(order, held) if check_finite else examine((), held)._replace(unknown=set())
        )
        self.sizes = measure(order, roots) if gradients else Gradients({}, {}, None)
        self.measured = gradients
        self.uses = Counter(
            place for node in order for place in node.inputs if place in self.paths.names
        )
        self.owners: set[int] = set()  # arrays that are counted already
        for tensor in self.paths.given.values():
            self._add_owner(tensor._array)
        for leaf in dict.fromkeys(p for node in order for p in node.inputs if p.__class__ is Leaf):
            held_by = leaf.tensor()
            if held_by is not None:
                self._add_owner(held_by._array)
        for number, node in enumerate(order, 1):
            self._operation(number, node)
        self._unused()
        for name, end in ends.items():
            self._output(name, end)
        self.graph.clusters = self.paths.clusters
        self._header(order, ends)

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
            keywords=_keywords(node.keywords) if node.keywords else "",
            saved=self._held(node),
            # Filled while debugging only, so the slot may be empty.
            source=getattr(node, "source", None),
            ops=1,
        )
        self._describe(box, node)
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

    def _describe(self, box: Box | Row, place: Any) -> None:
        """Fill in what nodes, leaves and constants have in common."""
        dtype = self.dtypes.get(place.dtype) or self.dtypes.setdefault(
            place.dtype, short_dtype(place.dtype)
        )
        box.shape, box.dtype = place.shape, dtype
        box.nbytes = math.prod(place.shape) * place.dtype.itemsize
        box.requires_grad = place.__class__ is not Constant
        if isinstance(box, Box):
            box.name = place.name
            box.value = self.values.scalars.get(place)
        box.bad = self.values.bad.get(place)
        if self.measured and box.requires_grad:
            box.gradient = self.sizes.sizes.get(place)

    def _row(self, place: Any, argument: int, cluster: str | None) -> Row:
        name = self.paths.names[place]
        row = Row(
            self.ids("param", name), name, self.paths.short(name, cluster), (), "", argument, 0
        )
        self._describe(row, place)
        row.uses = self.uses[place]
        self.rows.setdefault(place, []).append(row)
        return row

    def _input(self, place: Any, reader: Node, argument: int) -> None:
        """Make the box of a leaf or constant; a constant beside other inputs stands with them."""
        beside = any(other.__class__ is Node for other in reader.inputs)
        constant = place.__class__ is Constant and place.name is None and beside
        kind = "constant" if constant else "input"
        label = place.name or _argument(reader.function, argument) or kind
        box = Box(self.ids(kind, label), kind, label)
        self._describe(box, place)
        box.cluster = self.paths[reader.module] if constant else None
        self.boxes[place] = box
        self.graph.boxes.append(box)

    def _output(self, name: str, end: Any) -> None:
        if end not in self.boxes:
            if end in self.paths.names and end in self.rows:  # a parameter that was read, too
                row = self.rows[end][0]
                self.boxes[end] = Box(self.ids("leaf", row.name), "parameter", row.name)
            else:
                label = self.paths.names.get(end) or end.name or "tensor"
                self.boxes[end] = Box(self.ids("input", label), "input", label)
            self._describe(self.boxes[end], end)
            self.graph.boxes.append(self.boxes[end])
        box = Box(self.ids("output", name), "output", name)
        self._describe(box, end)
        box.name, box.bad = name, None
        self.graph.boxes.append(box)
        self._edge(self.boxes[end], box.id, 0, end in self.values.bad)

    def _unused(self) -> None:
        """Show the parameters that were asked for and that nothing reads."""
        for name, tensor in self.paths.given.items():
            if tensor._node in self.rows or tensor._node is None:
                continue
            cluster = self.paths.home(name)
            box = Box(
                self.ids("param", name), "parameter", self.paths.short(name, cluster), name=name
            )
            self._describe(box, tensor._node)
            box.name, box.cluster = name, cluster
            if self.measured:
                box.gradient = self.sizes.sizes.get(tensor._node, Gradient(None, None))
            self.graph.boxes.append(box)

    def _edge(self, tail: Box, head: str, argument: int, bad: bool) -> None:
        self.graph.edges.append(
            Edge(tail.id, head, argument, tail.shape or (), tail.dtype, tail.nbytes, bad)
        )

    # ---------------------------------------------------------------------------------- memory
    def _add_owner(self, array: Any) -> bool:
        key = id(owner_of(array)) if isinstance(array, np.ndarray) else id(array)
        if key in self.owners:
            return False
        self.owners.add(key)
        return True

    def _held(self, node: Node) -> int:
        """Count the bytes that a node keeps for backward and no parameter or earlier node does."""
        total = 0
        saved: list[Any] = list(node.saved or ())
        if node.saved and node.function.residual:
            residual = node.residual
            saved += residual if isinstance(residual, tuple | list) else [residual]
        for array in saved:
            if isinstance(array, ARRAYS) and self._add_owner(array):
                owner = owner_of(array) if isinstance(array, np.ndarray) else array
                total += owner.nbytes
        return total

    # ---------------------------------------------------------------------------------- header
    def _header(self, order: Sequence[Node], ends: Mapping[str, Any]) -> None:
        graph = self.graph
        graph.title = ", ".join(
            heading(b) if b.value is not None else f"{b.label} {b.shape} {b.dtype}"
            for b in graph.boxes
            if b.kind == "output"
        )
        graph.ops = len(order)
        graph.saved = sum(box.saved for box in graph.boxes)
        places = {**dict.fromkeys(self.rows)}
        places.update({t._node: None for t in self.paths.given.values() if t._node is not None})
        sizes = [math.prod(place.shape) for place in places]
        graph.parameters, graph.parameter_values = len(sizes), sum(sizes)
        graph.parameter_bytes = sum(
            n * place.dtype.itemsize for n, place in zip(sizes, places, strict=True)
        )
        if not order:
            graph.notes.append(
                "nothing was recorded: no input requires a gradient, or no_grad() is on"
            )
        unknown = len(self.values.unknown)
        if unknown:
            released = any(node.saved is None for node in self.values.unknown)
            why = ": released by backward(), call it with retain_graph=True" if released else ""
            graph.notes.append(f"values of {count(unknown, 'op')} not known{why}")
        if self.sizes.note:
            graph.notes.append(self.sizes.note)


def _argument(function: Primitive, number: int) -> str:
    """Return what a function calls its argument, nothing where NumPy does not say."""
    try:
        names = function.parameters
    except (TypeError, ValueError):
        return ""
    return names[number] if number < len(names) else ""


def _plain(name: str, made: dict[str, str] = {}) -> str:  # noqa: B006
    if name not in made:
        made[name] = Ids()(name) or "function"
    return made[name]


def _keywords(keywords: Mapping[str, Any]) -> str:
    """Write keywords for a tooltip, arrays by their shape."""
    return ", ".join(f"{name}={_short(value)}" for name, value in keywords.items())


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array{value.shape}"
    if isinstance(value, tuple | list):
        parts = [f"array{v.shape}" if isinstance(v, np.ndarray) else f"{v!r:.30}" for v in value]
        return f"({', '.join(parts[:6])}{', …' * (len(parts) > 6)})"
    return f"{value!r:.60}"
