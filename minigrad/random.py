"""The library's own source of random numbers, and how to seed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

Rng: TypeAlias = "Generator | int | None"  # a generator, a seed, or the library's own

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
        return np.random.default_rng(rng)
    if _own is None:
        _own = np.random.default_rng()
    return _own


def keep(rng: Rng) -> Generator | None:
    """Return what to keep for later draws: None stays None, as the library may be seeded anew."""
    return None if rng is None else np.random.default_rng(rng)
