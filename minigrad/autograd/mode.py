"""Grad mode: whether operations are recorded, and in which module, in each thread."""

from __future__ import annotations

import functools
import inspect
import threading
from _io import _IOBase
from collections.abc import Callable
from itertools import repeat
from typing import Any, ParamSpec, Self, TypeVar

from minigrad.autograd import messages

P = ParamSpec("P")
R = TypeVar("R")


class Mode:
    """What recording looks up for its thread.

    `enabled`: whether it is on; `module`: the module that is running, as a `Frame`; `debug`: who
    looks at every result, or None.
    """

    __slots__ = ("debug", "enabled", "module")

    def __init__(self) -> None:
        self.enabled = True
        self.module: Any = None
        self.debug: Any = None


class _Local(threading.local):
    def __init__(self) -> None:
        self.mode = Mode()
        self.freeing: list[Any] | None = None  # what a Milestone left to be freed


local = _Local()
_modes = iter(functools.partial(getattr, local, "mode"), None)  # of the thread that asks, endless
_names = repeat("enabled")


_LATER = inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction


class _grad_mode(_IOBase):
    """A context manager and decorator that sets grad mode in the current thread.

    A signal (Ctrl-C) runs its handler between two steps of Python code. So the last step of
    entering is the one that counts, and leaving is no Python code at all: what files inherit
    `__exit__` from calls `close()`, and both are written in C.
    """

    enabled = True
    closed = True  # nothing is to be done when it is freed
    close: Any

    def __init__(self) -> None:
        self.before: list[bool] = []  # a stack: one object can be entered again inside itself
        self.close = map(setattr, _modes, _names, iter(self.before.pop, None)).__next__

    def __enter__(self) -> Self:
        self.before.append(local.mode.enabled)
        local.mode.enabled = self.enabled
        return self

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if any(later(function) for later in _LATER):
            raise TypeError(messages.generator(type(self).__name__, function))

        @functools.wraps(function)
        def run(*args: P.args, **keywords: P.kwargs) -> R:
            with type(self)():
                return function(*args, **keywords)

        return run


class no_grad(_grad_mode):
    """Record nothing inside: `with no_grad(): ...`, or `@no_grad()` above a function."""

    enabled = False


class enable_grad(_grad_mode):
    """Record again inside a `no_grad` block."""


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread."""
    return local.mode.enabled
