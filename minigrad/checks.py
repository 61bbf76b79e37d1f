"""What several rooms check in the same way: whole numbers, and packages that may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import index
from typing import SupportsIndex


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
def needing(package: str, caller: str) -> Iterator[None]:
    """Say how to install a package of the examples if importing it in this block fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{caller} needs {package}, which is not installed: "
            f'run pip install -e ".[examples]" in the clone, or install {package}'
        ) from error
