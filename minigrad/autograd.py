"""The engine: the recorded graph, the reverse sweep through it, and the clock that dates both.

A recorded call is a `Node`. It points only towards its inputs, so a graph has no cycles and is
freed by reference counting. Every node carries the stamp of one clock: newest first is a valid
order for the reverse sweep, and nothing here is recursive.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from operator import attrgetter
from typing import Any

import numpy as np

from minigrad.mode import local
from minigrad.table import Primitive

tick: Callable[[], int] = count(1).__next__  # the clock: dates nodes and changes made in place


# ------------------------------------------------------------------------------------- the graph
class Constant:
    """An input without a gradient: only its shape, dtype and name are remembered."""

    __slots__ = ("dtype", "name", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], name: str | None = None):
        self.shape, self.dtype, self.name = shape, dtype, name


class Leaf:
    """A Tensor made by the user that requires a gradient; it refers to that Tensor weakly."""

    __slots__ = ("dtype", "name", "shape", "tensor")

    def __init__(self, tensor: Any, shape: tuple[int, ...], dtype: np.dtype[Any], name: str | None):
        self.tensor = weakref.ref(tensor)
        self.shape, self.dtype, self.name = shape, dtype, name


class Node:
    """One recorded call: what was called, on which inputs, and what its pullbacks will read.

    `inputs` holds a Node, Leaf or Constant for each array argument, or a Python scalar itself.
    `saved` is `(y, *inputs)` as the pullbacks receive them: an array where one of them reads the
    value; else None for `y`, and for an input its entry in `inputs`, which has shape and dtype.
    A backward pass sets it to None. There is no `__init__`: recording sets the attributes one by
    one, in half the time.
    """

    __slots__ = (
        "__weakref__", "dtype", "function", "inputs", "keywords", "module", "name", "residual",
        "saved", "shape", "source", "stamp",
    )  # fmt: skip

    dtype: np.dtype[Any]
    function: Primitive
    inputs: tuple[Any, ...]
    keywords: dict[str, Any]
    module: Any
    name: str | None
    residual: Any
    saved: tuple[Any, ...] | None
    shape: tuple[int, ...]
    source: tuple[str, int, str]  # file, line and function of the call; set by debug mode alone
    stamp: int


def reachable(roots: Iterable[Node | Leaf]) -> list[Node]:
    """List the nodes that `roots` were computed from, newest first."""
    order = [root for root in roots if root.__class__ is Node]
    seen = set(order)
    for node in order:  # grows while it is read
        for parent in node.inputs:
            if parent.__class__ is Node and parent not in seen:
                seen.add(parent)
                order.append(parent)
    order.sort(key=attrgetter("stamp"), reverse=True)
    return order


# --------------------------------------------------------------------------------- reverse sweep
def sweep(
    seeds: dict[Node | Leaf, Any],
    *,
    retain: bool = False,
    wrap: Callable[[Any, Any], Any] | None = None,
    targets: Sequence[Node | Leaf] | None = None,
) -> dict[Node | Leaf, Any]:
    """Carry gradients back from `seeds` to every leaf, or to `targets` alone.

    Parameters
    ----------
    seeds : dict
        The gradient to start from at each root: an array, or a Tensor if `wrap` is given.
    retain : bool
        Keep the saved arrays, so that the graph can be swept again.
    wrap : callable, optional
        `(array, node) -> Tensor`. If given, pullbacks receive Tensors and so are recorded.
    targets : sequence, optional
        Where gradients are wanted; only what lies on the way to them is visited.

    Returns
    -------
    dict
        The gradient at every leaf (or target) that was reached.

    Raises
    ------
    RuntimeError
        If the arrays of a node were released, or changed in place since they were recorded.
    """
    order = reachable(seeds)
    wanted = None if targets is None else _on_the_way(order, targets)
    report = set(targets or (watched if watched else ()))
    gradients: dict[Node | Leaf, Any] = dict(seeds)
    found: dict[Node | Leaf, Any] = {}
    debug = local.mode.debug
    for node in order:
        g = gradients.pop(node, None)
        if g is None:
            continue
        if report and node in report:
            found[node] = g
        inputs = node.inputs
        if wanted is not None and wanted.isdisjoint(inputs):
            continue
        saved = node.saved
        if saved is None:
            raise RuntimeError(
                f"backward: the arrays kept by {describe(node)} were released by an earlier "
                "backward: to sweep a graph twice, call the first with retain_graph=True"
            )
        if latest_change > node.stamp:
            _refuse_changed(node, saved)
        function, keywords, shape, dtype = node.function, node.keywords, node.shape, node.dtype
        if function.residual:
            keywords = {**keywords, "residual": _residual(node, wrap)}
        if not retain:
            node.saved = node.residual = None
        if wrap:
            saved = tuple(map(wrap, saved, (node, *inputs)))
        pullbacks: Sequence[Any] = function.pullbacks
        if function.joint:
            needs = tuple(_differentiable(p) and (not wanted or p in wanted) for p in inputs)
            joint = function.joint(needs, g, *saved, **keywords)
        for i, parent in enumerate(inputs):
            kind = parent.__class__  # inlined: this loop is what small operations cost
            if (kind is not Node and kind is not Leaf) or (wanted and parent not in wanted):
                continue
            if function.joint:
                d = joint[i]
            else:
                d = pullbacks[i](g, *saved, **keywords) if keywords else pullbacks[i](g, *saved)
            if function.broadcasts and parent.shape != shape:
                d = unbroadcast(d, parent.shape)
            if parent.dtype is not dtype:
                d = d.astype(parent.dtype)
            if debug is not None:
                debug.check_gradient(node, i, g, d)
            gradients[parent] = gradients[parent] + d if parent in gradients else d
        if debug is not None and not retain:
            debug.unwatch(node)
    found.update((leaf, g) for leaf, g in gradients.items() if leaf.__class__ is Leaf)
    return found


def _differentiable(parent: Any) -> bool:
    return parent.__class__ is Node or parent.__class__ is Leaf


def _on_the_way(order: list[Node], targets: Iterable[Node | Leaf]) -> set[Any]:
    """Collect what lies between the newest of `order` and `targets`, both ends included."""
    wanted: set[Any] = set(targets)
    for node in reversed(order):
        if not wanted.isdisjoint(node.inputs):
            wanted.add(node)
    return wanted


def _residual(node: Node, wrap: Any) -> Any:
    residual = node.residual
    fixed = isinstance(residual, np.ndarray) and residual.dtype.kind in "iub"
    return residual if fixed or not wrap else None


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which an input of `shape` was broadcast."""
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
    )
    return g.sum(axis=axes).reshape(shape) if axes else g


def describe(node: Node | Leaf | Constant) -> str:
    """Name a node for a message: `'h' = multiply (shape (3, 4), float32) in block1.fc`."""
    kind = node.function.name if isinstance(node, Node) else f"a {type(node).__name__.lower()}"
    what = f"'{node.name}'" if node.name else kind
    if isinstance(node, Node) and node.name:
        what += f" = {kind}"
    what += f" (shape {node.shape}, {node.dtype})"
    if isinstance(node, Node):
        what += f" in {node.module}" if node.module else ""
        if hasattr(node, "source"):
            what += " at {}:{} in {}".format(*node.source)
    return what


# ------------------------------------------------------------------------ changes made in place
latest_change = 0
_changes: dict[int, list[Any]] = {}  # by id of the array that owns the memory: [when, weakref]
watched: weakref.WeakKeyDictionary[Node, Any] = weakref.WeakKeyDictionary()  # see retain_grad()


def owner_of(array: Any) -> Any:
    """Return the array that owns the memory which `array`, perhaps a view, shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def note_change(*arrays: Any) -> None:
    """Record that arrays, and so every view of their memory, were changed in place just now."""
    global latest_change
    latest_change = now = tick()
    for array in arrays:
        owner = array if array.base is None else owner_of(array)
        key = id(owner)
        if key in _changes:
            _changes[key][0] = now
        else:
            _changes[key] = [now, weakref.ref(owner, functools.partial(_forget, key))]


def _forget(key: int, _: Any) -> None:
    _changes.pop(key, None)


def changed_since(array: Any, stamp: int) -> bool:
    """Tell whether the memory of an array was changed in place after `stamp`."""
    when: int = _changes.get(id(owner_of(array)), (0,))[0]
    return when > stamp


def _refuse_changed(node: Node, saved: tuple[Any, ...]) -> None:
    for value, origin in zip(saved, (node, *node.inputs), strict=True):
        if isinstance(value, np.ndarray) and changed_since(value, node.stamp):
            raise RuntimeError(
                f"backward: {describe(origin)}, which {describe(node)} kept for its gradient, "
                "was changed in place after it was recorded (an optimizer step, "
                "load_state_dict, or `t.data -= ...`): call backward() before the change, or "
                "compute the loss again after it"
            )
