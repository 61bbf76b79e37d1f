"""The history of a training run: the loss of each step, and a row for each epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from minigrad.html import table
from minigrad.training import formats, plots


@dataclass(repr=False)
class History:
    """What a Trainer measured.

    Attributes
    ----------
    losses : list of float
        The loss of each step, computed before its update.
    epochs : list of dict
        One row an epoch: `epoch` and `step` (both counted from 1), the means over the epoch of the
        `loss` and of each metric, the same on the validation data under names that begin with
        `validation_`, the learning rate `lr`, and the `seconds` that training took.

    Examples
    --------
    >>> history = History(epochs=[{"epoch": 1, "step": 2, "loss": 2.1, "validation_loss": 1.8}])
    >>> history["validation_loss"]
    [1.8]
    """

    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)

    save = formats.save
    load = classmethod(formats.load)
    plot = plots.plot

    def __getitem__(self, name: str) -> list[float]:
        """Return one column of `epochs`; NaN where an epoch lacks it."""
        if not any(name in row for row in self.epochs):
            names = ", ".join(dict.fromkeys(key for row in self.epochs for key in row))
            raise KeyError(f"history: no {name!r}, only {names or 'no epoch yet'}")
        return [row.get(name, math.nan) for row in self.epochs]

    def _repr_html_(self) -> str:
        names = list(dict.fromkeys(key for row in self.epochs for key in row))
        rows = [[f"{row[k]:.5g}" if k in row else "" for k in names] for row in self.epochs[-50:]]
        return table(names, rows, f"History of {len(self.losses)} steps")

    def __repr__(self) -> str:
        last = "".join(f", {k} {v:.4g}" for k, v in (self.epochs or [{}])[-1].items())
        return f"<History of {len(self.losses)} steps{last}>"
