"""What several rooms do alike: check whole numbers, ask for packages, change things at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from io import IOBase
from itertools import repeat, starmap
from operator import call, index, setitem
from typing import Any, Self, SupportsIndex


def whole(what: str, value: object, least: int, kind: str = "an integer", advice: str = "") -> int:
    """Return a whole number as an int, or say `what` must be one: a function and its argument.

    Raises
    ------
    TypeError
        If it is no whole number; True and False are none.
    ValueError
        If it is less than `least`.
    """
    if not isinstance(value, SupportsIndex) or isinstance(value, bool):
        raise TypeError(f"{what} must be {kind}, got {value!r:.60}{advice}")
    if index(value) < least:
        raise ValueError(f"{what} must be {least} or more, got {value}")
    return index(value)


@contextmanager
def needing(package: str, caller: str, extra: str = "examples") -> Iterator[None]:
    """Say how to install a package of an extra if importing it in this block fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{caller} needs {package}, which is not installed: "
            f'run pip install -e ".[{extra}]" in the clone, or install {package}'
        ) from error


def in_one_step(calls: Iterable[tuple[Any, ...]]) -> Callable[[], object]:
    """Return what calls functions written in C, each with its arguments, and no interrupt between.

    Python raises KeyboardInterrupt between two steps of its own code: this is one step, once.
    """
    return partial(deque, starmap(call, calls), 0)


def at_once(calls: Iterable[tuple[Any, ...]]) -> None:
    """Call functions written in C in one step."""
    in_one_step(calls)()


class undoing(IOBase):
    """A block at whose end functions written in C are called, each with its arguments, at once.

    After a change inside `with undoing([(setitem, array, ..., array.copy())]):` things are as
    before, wherever an interrupt comes. As for `no_grad`, leaving is the C code of files.
    """

    closed = True  # nothing is to be done when it is freed
    close: Any

    def __init__(self, calls: Iterable[tuple[Any, ...]]):
        self.close = in_one_step(calls)

    def __enter__(self) -> Self:
        return self


def write(arrays: Iterable[Any], values: Iterable[Any]) -> None:
    """Write values into arrays, all at once."""
    at_once(zip(repeat(setitem), arrays, repeat(...), values))
