"""Grad mode: whether operations are recorded, and in which module, in each thread."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from functools import partial
from io import IOBase
from operator import attrgetter
from typing import Any, ParamSpec, Self, TypeVar

from minigrad.autograd import messages

P = ParamSpec("P")
R = TypeVar("R")


class Mode:
    """What recording looks up for its thread.

    `enabled`: whether it is on; `module`: the module that is running, as a `Frame`; `debug`: who
    looks at every result, or None; `before`: what `enabled` was around each block; `leave`: puts
    the last of these back.
    """

    __slots__ = ("before", "debug", "enabled", "leave", "module")

    def __init__(self) -> None:
        self.enabled = True
        self.before: list[bool] = []
        self.leave = map(partial(setattr, self, "enabled"), iter(self.before.pop, None)).__next__
        self.module: Any = None
        self.debug: Any = None


class _Local(threading.local):
    def __init__(self) -> None:
        self.mode = Mode()
        self.freeing: list[Any] | None = None  # what a Milestone left to be freed


local = _Local()


_LATER = inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction


class _grad_mode(IOBase):
    """A context manager and decorator that sets grad mode in the current thread.

    Ctrl-C raises between two steps of Python code: an `__exit__` written in Python may end before
    its first line. The one that files have is written in C and asks for `close`; so is all of ours,
    and leaving is one step. The two lines that enter call nothing: between them none comes.
    """

    enabled = True
    closed = True  # nothing is to be done when it is freed
    thread = local
    close = property(attrgetter("thread.mode.leave"))

    def __enter__(self) -> Self:
        mode = local.mode
        mode.before += [mode.enabled]
        mode.enabled = self.enabled
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
    """Record nothing inside: `with no_grad(): ...`, or `@no_grad()` above a function.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> x = Tensor(3.0, requires_grad=True)
    >>> with no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    enabled = False


class enable_grad(_grad_mode):
    """Record again inside a `no_grad` block.

    Examples
    --------
    >>> with no_grad(), enable_grad():
    ...     print(is_grad_enabled())
    True
    """


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread.

    Returns
    -------
    bool
        True, unless inside `no_grad`.

    Examples
    --------
    >>> with no_grad():
    ...     print(is_grad_enabled())
    False
    """
    return local.mode.enabled
