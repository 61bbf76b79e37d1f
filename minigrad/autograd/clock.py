"""One clock dates every recorded call, and every change that was made to an array in place.

So a backward pass through a value that has changed since it was recorded is an error that names
it, never a silently wrong gradient.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from minigrad.autograd import messages
from minigrad.autograd.graph import Array, Node

tick: Callable[[], int] = count(1).__next__

latest_change = 0
_changes: dict[int, list[Any]] = {}  # by id of the array that owns the memory: [when, weakref]


def owner_of(array: Any) -> Any:
    """Return the array that owns the memory which `array`, perhaps a view, shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def note_change(*arrays: Array) -> None:
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


def _forget(key: int, _: object) -> None:
    _changes.pop(key, None)


def changed_since(array: Array | np.generic, stamp: int) -> bool:
    """Tell whether the memory of an array was changed in place after `stamp`."""
    if latest_change <= stamp:
        return False
    when: int = _changes.get(id(owner_of(array)), (0,))[0]
    return when > stamp


def refuse_changed(node: Node) -> None:
    """Raise if something that `node` kept was changed in place after it was recorded."""
    for value, origin in zip(node.saved or (), (node, *node.inputs), strict=True):
        if isinstance(value, np.ndarray) and changed_since(value, node.stamp):
            raise RuntimeError(messages.changed(origin, node))
