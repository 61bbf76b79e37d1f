"""The library's own source of random numbers, and how to seed it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

Rng: TypeAlias = "Generator | int | None"  # a generator, a seed, or the library's own

_own: Generator | None = None  # made on first use, as numpy.random takes long to import


class _Thread(threading.local):
    own: Generator | None = None  # what this thread takes for the library's own


_thread = _Thread()


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
        return np.random.default_rng(rng)
    if _thread.own is not None:
        return _thread.own
    if _own is None:
        _own = np.random.default_rng()
    return _own


def keep(rng: Rng) -> Generator | None:
    """Return what to keep for later draws: None stays None, as the library may be seeded anew."""
    return None if rng is None else np.random.default_rng(rng)


def get_rng_state() -> dict[str, Any]:
    """Return where the library's generator is: plain values, to be saved with a run."""
    return state_of(generator())


def set_rng_state(state: dict[str, Any]) -> None:
    """Let the library's generator go on from what `get_rng_state` returned.

    Raises
    ------
    ValueError
        If it is no such state.
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


def state_of(rng: Generator) -> dict[str, Any]:
    """Return where a generator is."""
    return dict(rng.bit_generator.state)


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


def restore(rng: Generator, state: dict[str, Any]) -> None:
    """Let a generator go on from what `state_of` returned, for one of the same kind."""
    try:
        rng.bit_generator.state = state
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"set_rng_state: no state of a {type(rng.bit_generator).__name__}: {error}"
        ) from error
