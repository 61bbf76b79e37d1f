"""Grad mode: whether operations are recorded, and in which module, in each thread."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

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


local = _Local()


class _grad_mode:
    """A context manager and decorator that sets grad mode in the current thread."""

    enabled = True

    def __init__(self) -> None:
        self.before: list[Any] = []  # a stack: one object can be entered again inside itself

    def __enter__(self) -> None:
        self.before.append((local.mode.enabled, local.mode.module))
        local.mode.enabled = self.enabled

    def __exit__(self, *_: object) -> None:
        local.mode.enabled, local.mode.module = self.before.pop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function):
            raise TypeError(messages.generator(type(self).__name__, function.__qualname__))

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
