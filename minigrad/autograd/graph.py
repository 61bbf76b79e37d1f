"""The recorded graph: what a Tensor holds on to, and one node for each recorded call.

A node points only towards its inputs, so a graph has no cycles and is freed by reference counting.
Every node carries the stamp of one clock: newest first is a valid order for the reverse sweep, and
nothing here is recursive.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minigrad.autograd.table import Primitive

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
DType = np.dtype[Any]
Function = Callable[..., Any]
Axis = int | tuple[int, ...] | None


class Constant:
    """An input without a gradient: only its shape, dtype and name are remembered."""

    __slots__ = ("dtype", "frozen", "name", "shape")
    frozen: Leaf  # what it was, if a gradient flowed to it before

    def __init__(self, shape: Shape, dtype: DType, name: str | None = None):
        self.shape, self.dtype, self.name = shape, dtype, name


class Leaf(Constant):
    """What a gradient flows to: a Tensor made by the user, to which it refers weakly."""

    __slots__ = ("tensor",)
    tensor: Callable[[], Any]

    def __init__(self, tensor: object, shape: Shape, dtype: DType, name: str | None):
        super().__init__(shape, dtype, name)
        self.tensor = weakref.ref(tensor)


class Node(Leaf):
    """One recorded call: what was called, on which inputs, and what its pullbacks will read.

    `inputs` holds a Node, Leaf or Constant for each array argument, or a Python scalar itself.
    `saved` is `(y, *inputs)` as the pullbacks receive them: an array where one of them reads the
    value; else None for `y`, and for an input its entry in `inputs`, which has shape and dtype.
    A backward pass sets it to None. `tensor` is `nobody` unless its gradient is to be retained.
    `Node()` is empty: recording sets the attributes one by one, in half the time.
    """

    function: Primitive
    inputs: tuple[Any, ...]
    keywords: dict[str, Any]
    module: object
    residual: Any
    saved: Any  # a tuple, or None
    source: tuple[str, int, str]  # file, line and function of the call; set by debug mode alone
    stamp: int
    __slots__ = ("__weakref__", *__annotations__)
    __init__ = object.__init__


# What a node reads and no gradient flows to; to ask for the class takes half of isinstance's time.
NO_GRADIENT = frozenset({Constant, float, int, bool, complex, type(None)})


def nobody() -> None:
    """Stand for the Tensor of a node that retains no gradient."""


class Handle:
    """What the engine sees of a Tensor: its data, its gradient, and its place in the graph.

    `_wrap(array, node)` makes another Tensor, without looking at what is in it.
    """

    __slots__ = ("__weakref__", "_array", "_grad", "_node")
    _array: Any  # an ndarray, or the NumPy scalar that arithmetic on 0-d arrays gives
    _grad: Any  # a Tensor, or None
    _node: Constant | None
    _wrap: Function
    data: Array
    requires_grad: bool
    astype: Function

    @property
    def shape(self) -> Shape:
        """The length of each axis."""
        return self._array.shape

    @property
    def dtype(self) -> DType:
        """The type of the values."""
        return self._array.dtype


def place_of(tensor: Handle) -> Constant:
    """Return where a Tensor stands in the graph; one that never met it is a constant."""
    if tensor._node is None:
        tensor._node = Constant(tensor.shape, tensor.dtype)
    return tensor._node


def bare(value: Any) -> Any:
    """Return the same with each Tensor replaced by its array, in lists, tuples and dicts too."""
    if isinstance(value, Handle):
        return np.asarray(value._array)
    if isinstance(value, list | tuple):
        make = getattr(value, "_make", type(value))  # of a NamedTuple
        return make(map(bare, value))
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items()}
    return value


def reachable(roots: Iterable[object]) -> list[Node]:
    """List the nodes that `roots` were computed from, newest first."""
    order = [root for root in roots if isinstance(root, Node)]
    seen = set(order)
    for node in order:  # grows while it is read
        for parent in node.inputs:
            if parent.__class__ is Node and parent not in seen:
                seen.add(parent)
                order.append(parent)
    order.sort(key=attrgetter("stamp"), reverse=True)
    return order
