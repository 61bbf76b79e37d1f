"""The library's own source of random numbers, and how to seed it."""

from __future__ import annotations

import numpy as np

_generator = np.random.default_rng()


def manual_seed(seed: int) -> None:
    """Seed the library's generator: the same seed gives the same run.

    It draws initial weights, dropout masks and the order of batches wherever no `rng=` is passed.
    """
    global _generator
    _generator = np.random.default_rng(seed)


def generator(rng: np.random.Generator | int | None = None) -> np.random.Generator:
    """Return `rng` itself, one seeded with an integer, or the library's own for None."""
    return _generator if rng is None else np.random.default_rng(rng)
