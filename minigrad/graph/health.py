"""How values are: their range, spread and histogram, and whether units are dead or saturated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

BARS = 16
SAMPLE = 1 << 16  # of the values of a large array, for the histogram
EXAMPLES = 8  # without so many, a unit that is always zero means nothing
BOUNDS = {"sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99)}  # beyond them the slope is next to 0


class Stats(NamedTuple):
    """Of the finite values: range, mean, deviation, a digit for each bar; shares of the rest."""

    low: float
    mean: float
    high: float
    std: float
    zeros: float
    wrong: float
    bars: str

    @property
    def text(self) -> str:
        """For example `min -1.2, mean 0.05, max 3.1, std 0.9, 25 % zeros`."""
        numbers = zip(("min", "mean", "max", "std"), self[:4], strict=True)
        parts = [f"{name} {number:.3g}" for name, number in numbers]
        shares = ((self.zeros, "zeros"), (self.wrong, "not finite"))
        return ", ".join(parts + [f"{share:.3g} % {what}" for share, what in shares if share])


def measure(value: Any, least: int = 2) -> Stats | None:
    """Return how the values of an array of at least so many are, None if it is not of floats."""
    if value.dtype.kind != "f" or value.size < least:
        return None
    flat = value.ravel()
    finite = flat if math.isfinite(flat.sum()) else flat[np.isfinite(flat)].astype(np.float64)
    zeros, wrong = (100 * (1 - n / flat.size) for n in (np.count_nonzero(flat), finite.size))
    if not finite.size:
        return Stats(math.nan, math.nan, math.nan, math.nan, zeros, wrong, "")
    low, mean, high = float(finite.min()), float(finite.mean()), float(finite.max())
    away = finite - mean
    std = math.sqrt(away @ away / finite.size)
    return Stats(low, mean, high, std, zeros, wrong, _bars(finite, low, high))


def _bars(flat: Any, low: float, high: float) -> str:
    """Write a histogram as digits, the highest bar as 9."""
    wide = high - low
    if flat.size < BARS // 2 or not 1e-300 < wide < math.inf:
        return ""
    some = flat[:: flat.size // SAMPLE + 1].astype(np.float64)
    counts = np.bincount(((some - low) * ((BARS - 1e-3) / wide)).astype(int), minlength=BARS)
    return "".join(str(n) for n in -(-9 * counts // counts.max()))


def condition(name: str, value: Any, stats: Stats, inputs: Sequence[Stats | None]) -> str:
    """Return what is wrong with finite values that an operation made, nothing if all is well.

    Parameters
    ----------
    name : str
        What the operation is called.
    value : ndarray
        What it made.
    stats : Stats
        Of `value`.
    inputs : sequence
        Of what it read, as far as known.
    """
    if stats.zeros == 100:
        return "" if any(s and s.zeros == 100 for s in inputs) else "dead: 100 % zeros"
    if name == "relu" and value.ndim > 1 and len(value) >= EXAMPLES:
        alive = value.any(axis=(0, *range(2, value.ndim)))
        dead = alive.size - np.count_nonzero(alive)
        return f"dead: {dead} of {alive.size} units" if 4 * dead >= 3 * alive.size else ""
    if name in BOUNDS:
        low, high = BOUNDS[name]
        beyond = 100 * np.count_nonzero((value < low) | (value > high)) / value.size
        return f"saturated: {beyond:.0f} %" if beyond >= 90 else ""
    return ""
