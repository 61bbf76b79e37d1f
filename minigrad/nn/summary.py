"""The summary of a network: its layers as they are called, their sizes and their work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.autograd import Array, Node, Tensor, bare, enable_grad, local, reachable
from minigrad.checks import undoing
from minigrad.functional.layers import rehearsal
from minigrad.html import table
from minigrad.nn.frame import Frame
from minigrad.nn.module import Module, members
from minigrad.nn.parameter import is_parameter

Shape = tuple[int, ...]


@dataclass
class Row:
    """One call of a layer.

    Attributes
    ----------
    path, kind : str
        Where the layer is, and its class.
    output : tuple
        The shape of the output, without the batch axis.
    parameters : int
        How many numbers it trains itself; 0 from its second call on.
    multiply_adds : int
        What it computes itself for one example.
    """

    path: str
    kind: str
    output: Shape
    parameters: int
    multiply_adds: int = 0


@dataclass(repr=False)
class Summary:
    """What `Module.summary` found; printed, it is a table.

    Attributes
    ----------
    rows : list of Row
        The calls, in order.
    parameters : int
        How many numbers the network trains, each once, called or not.
    multiply_adds : int
        The work of a forward pass on one example.
    """

    rows: list[Row]
    parameters: int
    multiply_adds: int

    def _cells(self) -> list[tuple[str, ...]]:
        cells: list[tuple[str, ...]] = [("layer", "kind", "output", "parameters", "multiply-adds")]
        for r in self.rows:
            shape = ", ".join(map(str, r.output))
            cells.append((r.path, r.kind, shape, f"{r.parameters:,}", f"{r.multiply_adds:,}"))
        cells.append(("total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}"))
        return cells

    def _repr_html_(self) -> str:
        head, *rows = self._cells()
        return table(head, rows)

    def __repr__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "   ".join(f"{c:{'<' if i < 3 else '>'}{w}}" for i, (c, w) in enumerate(pairs))
            for pairs in (list(zip(row, widths, strict=True)) for row in cells)
        ]
        rule = "-" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def summarise(model: Module, *input_shapes: int | Shape | Array) -> Summary:
    """Run `model` on zeros and read off the calls: see `Module.summary`."""
    parameters = list(model.parameters())
    dtype = next((p.dtype for p in parameters), np.float32)
    y, calls = _watched(model, [_example(given, dtype) for given in input_shapes])
    rows = {id(frame): row for frame, row in calls}
    for node in reachable(t._node for t in _tensors(y) if isinstance(t._node, Node)):
        count = node.function.work
        if count and id(node.module) in rows:
            inputs = [parent.shape for parent in node.inputs if hasattr(parent, "shape")]
            rows[id(node.module)].multiply_adds += count(node.shape, *inputs)
    inside = {id(frame.parent.module) for frame, _ in calls if frame.parent}
    counted: set[int] = set()
    for frame, row in calls:
        own = [value for _, value, *_ in members(vars(frame.module)) if is_parameter(value)]
        new = {id(p): p.size for p in own if id(p) not in counted}
        row.parameters = sum(new.values())
        counted.update(new)
    kept = [  # a container that only calls others is left out
        row
        for frame, row in calls
        if row.parameters or row.multiply_adds or id(frame.module) not in inside
    ]
    work = sum(row.multiply_adds for row in kept)
    return Summary(kept, sum(p.size for p in parameters), work)


def _example(given: int | Shape | Array, dtype: Any) -> Tensor:
    """Return a batch of one, of zeros of a shape, or the first of a batch."""
    if isinstance(given, np.ndarray | Tensor):
        return Tensor(bare(given)[:1])
    shape = (given,) if isinstance(given, int) else tuple(given)
    return Tensor(np.zeros((1, *shape), dtype), requires_grad=True)


def _watched(model: Module, examples: list[Tensor]) -> tuple[Any, list[tuple[Frame, Row]]]:
    """Run a model in evaluation mode, noting every call of a module; leave each as it was."""
    calls: list[tuple[Frame, Row]] = []

    def watch(path: str, module: Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(*inputs: Any, **keywords: Any) -> Any:
            row = Row(path, type(module).__name__, (), 0)
            calls.append((local.mode.module, row))
            y = forward(*inputs, **keywords)
            row.output = tuple(n for t in _tensors(y)[:1] for n in t.shape[1:])
            return y

        return run

    modules = list(model.named_modules())
    before = [(setattr, module, "__dict__", dict(vars(module))) for _, module in modules]
    with undoing([*before, (setattr, rehearsal, "on", rehearsal.on)]), enable_grad():
        rehearsal.on = True
        for path, module in modules:
            vars(module).update(training=False, forward=watch(path, module, module.forward))
        return model(*examples), calls


def _tensors(y: object) -> list[Tensor]:
    """Return the Tensors of an output, one or several."""
    several = y.values() if isinstance(y, dict) else y if isinstance(y, list | tuple) else [y]
    return [t for t in several if isinstance(t, Tensor)]
