"""One clock dates every recorded call, and every change that was made to an array in place.

So a backward pass through a value that has changed since it was recorded is an error that names
it, never a silently wrong gradient.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import numpy as np

from minigrad.autograd.graph import Array, Constant, Handle, Leaf, Node
from minigrad.autograd.mode import local

# Until 3.12 Python itself frees a chain of nodes without depth; from then on the clock runs in
# spans, each of which ends with StopIteration and begins with a `Milestone`.
tick: Callable[[], int] = (count(1) if sys.version_info < (3, 13) else iter(())).__next__
_end = 1
_turning = threading.Lock()

_ARRAYS, _NESTED = (np.ndarray, Handle), (tuple, list, dict)

latest_change = 0
_changes: dict[int, list[Any]] = {}  # by id of the array that owns the memory: [when, weakref]


def turn() -> int:
    """Begin another span of the clock, and return its first stamp.

    It has 128 stamps on average, and without a rhythm, which a loop of as many operations, one of
    them on a long chain, would step over.
    """
    global tick, _end
    with _turning:
        start, _end = _end, _end + 1 + _end**3 % 2147483647 % 255
        tick = iter(range(start + 1, _end)).__next__
    return start


class Milestone(Node):
    """One node in many, from which a chain of any length is freed anew, and so without depth.

    From 3.13 on Python frees a chain of objects by calls inside calls, deeper than the stack of
    many a thread. To whoever asks, a milestone is a Node.
    """

    __slots__ = ()
    __class__ = property(lambda self: Node)

    def __del__(self) -> None:
        rest, self.inputs, self.saved = [getattr(self, "inputs", None)], (), None
        if local.freeing is not None:  # a call further out goes on from here
            local.freeing += rest
            return
        local.freeing = rest
        try:
            while rest:
                rest.pop()
        finally:
            local.freeing = None


def owner_of(array: Any) -> Any:
    """Return the array that owns the memory which `array`, perhaps a view, shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def now() -> int:
    """Return the next stamp."""
    try:
        return tick()
    except StopIteration:
        return turn()


def note_change(*arrays: Array) -> None:
    """Record that arrays, and so every view of their memory, were changed in place just now."""
    global latest_change
    latest_change = when = now()
    for array in arrays:
        owner = owner_of(array)
        key = id(owner)
        if key in _changes:
            _changes[key][0] = when
        else:
            forget = functools.partial(_changes.pop, key)  # the reference will be its default
            _changes[key] = [when, weakref.ref(owner, forget)]


def changed_at(array: Array | np.generic) -> int:
    """Return when the memory of an array was last changed in place; 0 for never."""
    when: int = _changes.get(id(array if array.base is None else owner_of(array)), (0,))[0]
    return when


# Classes of values in which no array is.
PLAIN = frozenset({Constant, Leaf, Node, float, int, complex, bool, str, type(None)})


def arrays_in(values: Iterable[Any]) -> list[Any]:
    """List the Tensors and arrays among `values`, in lists, tuples and dicts too."""
    found: list[Any] = []
    for value in values:
        if value.__class__ in PLAIN:  # most of them
            continue
        if isinstance(value, _ARRAYS):
            found.append(value)
        elif isinstance(value, _NESTED):
            found += arrays_in(value.values() if isinstance(value, dict) else value)
    return found


def kept_arrays(node: Node) -> list[Array]:
    """List the arrays that the pullbacks will read: inputs, output, keywords and residual.

    A keyword whose name starts with an underscore is not for them.
    """
    values = list(node.saved)
    if node.keywords:
        values += [v for k, v in node.keywords.items() if k[0] != "_"]
    if node.function.residual:
        values.append(node.residual)
    return arrays_in(values)
