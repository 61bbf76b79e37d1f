"""Showing how far training has come: a bar in a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import sys
from typing import Any, Self

LINES = 10  # at most, for one fit


def shown(progress: bool | str, epochs: int, steps: int | None) -> Silence:
    """Return what shows the progress of `epochs` and `steps`: a bar, lines, or nothing.

    The bar needs tqdm and a terminal. Where one is missing (a log, a notebook), lines do.
    """
    if not progress:
        return Silence()
    label = progress if isinstance(progress, str) else ""
    if sys.stderr.isatty():
        try:
            from tqdm import tqdm
        except ModuleNotFoundError:
            pass
        else:
            return Bar(tqdm(total=steps, desc=label or None, unit="step", dynamic_ncols=True))
    return Lines(label, epochs)


class Silence:
    """Show nothing."""

    def step(self, loss: float) -> None:
        """Count one step."""

    def epoch(self, row: dict[str, float]) -> None:
        """Take note of what an epoch measured."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state on the screen."""


class Lines(Silence):
    """Write a line to stderr for each epoch, or, of many epochs, for every so many."""

    def __init__(self, label: str, epochs: int):
        self.label, self.epochs, self.done = f"{label} ".lstrip(), epochs, 0

    def epoch(self, row: dict[str, float]) -> None:
        """Write the line, if it is due."""
        before, self.done = self.done, self.done + 1
        if before * LINES // self.epochs < self.done * LINES // self.epochs:
            count = f"{self.done:{len(str(self.epochs))}}/{self.epochs}"
            sys.stderr.write(f"{self.label}epoch {count}  {_text(row)}\n")


class Bar(Silence):
    """Move a bar of tqdm."""

    def __init__(self, bar: Any):
        self.bar = bar

    def step(self, loss: float) -> None:
        """Move on by one step."""
        self.bar.update()

    def epoch(self, row: dict[str, float]) -> None:
        """Show what the epoch measured behind the bar."""
        self.bar.set_postfix_str(_text(row), refresh=False)

    def __exit__(self, *_: object) -> None:
        self.bar.close()


def _text(row: dict[str, float]) -> str:
    measured = {k: v for k, v in row.items() if k not in ("epoch", "step", "lr", "seconds")}
    return "  ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in measured.items())
