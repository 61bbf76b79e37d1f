"""Grad mode: whether operations are recorded, and in which module, in each thread."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Mode:
    """What recording looks up for its thread.

    `enabled`: is it on; `module`: the module that is running, as a `Frame`; `debug`: who looks at
    every result, or None; `quick`: whether recording is on and nobody looks.
    """

    __slots__ = ("debug", "enabled", "module", "quick")

    def __init__(self) -> None:
        self.enabled = self.quick = True
        self.module: Any = None
        self.debug: Any = None

    def set(self, *, enabled: bool, debug: Any) -> None:
        """Change what may change together."""
        self.enabled, self.debug, self.quick = enabled, debug, enabled and debug is None


class _Local(threading.local):
    def __init__(self) -> None:
        self.mode = Mode()


local = _Local()


class _grad_mode:
    """A context manager and decorator that sets grad mode in the current thread."""

    enabled: bool

    def __init__(self) -> None:
        self.before: list[bool] = []  # a stack: one object can be entered again inside itself

    def __enter__(self) -> None:
        mode = local.mode
        self.before.append(mode.enabled)
        mode.set(enabled=self.enabled, debug=mode.debug)

    def __exit__(self, *_: object) -> None:
        local.mode.set(enabled=self.before.pop(), debug=local.mode.debug)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function):
            raise TypeError(
                f"{type(self).__name__}: {function.__qualname__} is a generator, which runs after "
                f"its call: write `with {type(self).__name__}():` inside it"
            )

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

    enabled = True


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread."""
    return local.mode.enabled
