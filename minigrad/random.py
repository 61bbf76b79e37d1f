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


class _Thread(threading.local):
    own: Generator | None = None  # what this thread takes for the library's own


_thread = _Thread()


def manual_seed(seed: int) -> None:
    """Seed the library's generator: the same seed gives the same run.

    It draws initial weights, dropout masks and the order of batches wherever no `rng=` is passed.

    Parameters
    ----------
    seed : int
        Not negative.

    Examples
    --------
    >>> manual_seed(0)
    >>> first = generator().random()
    >>> manual_seed(0)
    >>> generator().random() == first
    True
    """
    global _own
    _own = np.random.default_rng(seed)


def generator(rng: Rng = None) -> Generator:
    """Return `rng` itself, one seeded with an integer, or the library's own for None."""
    global _own
    if rng is not None:
        chosen = np.random.default_rng(rng)
    elif _thread.own is not None:
        chosen = _thread.own
    else:
        if _own is None:
            _own = np.random.default_rng()
        chosen = _own
    for states in _noting.stack:
        states.setdefault(chosen, state_of(chosen))
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
    states = {g: state_of(g) for g in generators}
    _noting.stack.append(states)
    try:
        yield states
    finally:
        _noting.stack.pop()


@contextmanager
def rewound(states: States) -> Iterator[None]:
    """Put generators back to their states inside, and after it to where they were."""
    now = {g: state_of(g) for g in states}
    try:
        for g, state in states.items():
            restore(g, state)
        yield
    finally:
        for g, state in now.items():
            restore(g, state)


def get_rng_state() -> dict[str, Any]:
    """Return where the library's generator is: plain values, to be saved with a run.

    Returns
    -------
    dict
        For `set_rng_state`.

    Examples
    --------
    >>> state = get_rng_state()
    >>> first = generator().random()
    >>> set_rng_state(state)
    >>> generator().random() == first
    True
    """
    state: dict[str, Any] = state_of(generator())
    return state


def set_rng_state(state: dict[str, Any]) -> None:
    """Let the library's generator go on from what `get_rng_state` returned.

    Parameters
    ----------
    state : dict
        From `get_rng_state`.

    Raises
    ------
    ValueError
        If it is no such state.

    Examples
    --------
    >>> state = get_rng_state()
    >>> first = generator().random()
    >>> set_rng_state(state)
    >>> generator().random() == first
    True
    """
    restore(generator(), state)


def generators(module: Any) -> dict[str, Generator]:
    """Return the generators that a module and those inside hold as attributes, by their path."""
    return {
        f"{path}.{name}" if path else name: value
        for path, one in module.named_modules()
        for name, value in vars(one).items()
        if isinstance(value, np.random.Generator)
    }


def state_of(rng: Any) -> Any:
    """Return where a generator is, or one of NumPy's older kind, or its global one."""
    return rng.bit_generator.state if isinstance(rng, np.random.Generator) else rng.get_state()


def restored(state: dict[str, Any]) -> Generator:
    """Return a generator that goes on from what `state_of` returned."""
    rng = np.random.Generator(getattr(np.random, state["bit_generator"])())
    rng.bit_generator.state = state
    return rng


@contextmanager
def taking_from(rng: Generator | None) -> Iterator[None]:
    """Let this thread draw from `rng` where it would from the library's own generator."""
    before, _thread.own = _thread.own, rng or _thread.own
    try:
        yield
    finally:
        _thread.own = before


def restore(rng: Any, state: Any) -> None:
    """Let a generator go on from what `state_of` returned, for one of the same kind."""
    if not isinstance(rng, np.random.Generator):
        rng.set_state(state)
        return
    try:
        rng.bit_generator.state = state
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"set_rng_state: no state of a {type(rng.bit_generator).__name__}: {error}"
        ) from error
