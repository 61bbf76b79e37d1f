"""The library's own source of random numbers, how to seed it, and how to draw the same again."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

Rng: TypeAlias = "Generator | int | None"  # a generator, a seed, or the library's own
States = dict[Any, Any]  # by generator

_own: Generator | None = None  # made on first use, as numpy.random takes long to import


def manual_seed(seed: int) -> None:
    """Seed the library's generator: the same seed gives the same run.

    It draws initial weights, dropout masks and the order of batches wherever no `rng=` is passed.
    """
    global _own
    _own = np.random.default_rng(seed)


def generator(rng: Rng = None) -> Generator:
    """Return `rng` itself, one seeded with an integer, or the library's own for None."""
    global _own
    if rng is not None:
        chosen = np.random.default_rng(rng)
    else:
        if _own is None:
            _own = np.random.default_rng()
        chosen = _own
    for states in _noting.stack:
        states.setdefault(chosen, chosen.bit_generator.state)
    return chosen


def keep(rng: Rng) -> Generator | None:
    """Return what to keep for later draws: None stays None, as the library may be seeded anew."""
    return None if rng is None else np.random.default_rng(rng)


# ------------------------------------------------------------------------- drawing the same again
class _Noting(threading.local):
    def __init__(self) -> None:
        self.stack: list[States] = []


_noting = _Noting()


def named_in(function: Any, values: Iterable[Any]) -> list[Any]:
    """List the generators that a function names or is given, and NumPy's global one."""
    if "numpy.random" not in sys.modules:
        return []
    try:
        named = inspect.getclosurevars(function)
        values = [*values, *named.nonlocals.values(), *named.globals.values()]
    except TypeError:  # no function of Python's
        values = [*values, *getattr(function, "__dict__", {}).values()]
    kinds = (np.random.Generator, np.random.RandomState)
    found = {id(v): v for v in values if isinstance(v, kinds)}
    return [*found.values(), np.random]


@contextmanager
def noted(generators: Iterable[Any]) -> Iterator[States]:
    """Note the states of generators before a run: these, and what the run asks `generator` for."""
    states = {g: _state(g) for g in generators}
    _noting.stack.append(states)
    try:
        yield states
    finally:
        _noting.stack.pop()


@contextmanager
def restored(states: States) -> Iterator[None]:
    """Put generators back to their states inside, and after it to where they were."""
    now = {g: _state(g) for g in states}
    try:
        _restore(states)
        yield
    finally:
        _restore(now)


def _state(g: Any) -> Any:
    return g.bit_generator.state if isinstance(g, np.random.Generator) else g.get_state()


def _restore(states: States) -> None:
    for g, state in states.items():
        if isinstance(g, np.random.Generator):
            g.bit_generator.state = state
        else:
            g.set_state(state)
