"""The library's own source of random numbers, and how to seed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

_own: Generator | None = None  # made on first use, as numpy.random takes long to import


def manual_seed(seed: int) -> None:
    """Seed the library's generator: the same seed gives the same run.

    It draws initial weights, dropout masks and the order of batches wherever no `rng=` is passed.
    """
    global _own
    _own = np.random.default_rng(seed)


def generator(rng: Generator | int | None = None) -> Generator:
    """Return `rng` itself, one seeded with an integer, or the library's own for None."""
    global _own
    if rng is not None:
        return np.random.default_rng(rng)
    if _own is None:
        _own = np.random.default_rng()
    return _own
