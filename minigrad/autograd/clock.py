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

from minigrad.autograd.graph import Array

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
        owner = owner_of(array)
        key = id(owner)
        if key in _changes:
            _changes[key][0] = now
        else:
            forget = functools.partial(_changes.pop, key)  # the reference will be its default
            _changes[key] = [now, weakref.ref(owner, forget)]


def changed_since(array: Array | np.generic, stamp: int) -> bool:
    """Tell whether the memory of an array was changed in place after `stamp`."""
    if latest_change <= stamp:
        return False
    when: int = _changes.get(id(owner_of(array)), (0,))[0]
    return when > stamp
