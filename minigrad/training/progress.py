"""Showing how far training has come: a bar in a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

LINES = 10  # at most, for one fit


class Progress(NamedTuple):
    """What to call after each step, and after each epoch with what it measured."""

    step: Callable[[], object]
    epoch: Callable[[dict[str, float]], object]


@contextmanager
def shown(progress: bool | str, epochs: int, steps: int | None) -> Iterator[Progress]:
    """Show the progress of `epochs` and `steps`: by a bar, by lines, or not at all.

    The bar needs tqdm and a terminal. Where one is missing (a log, a notebook), lines do.
    """
    label = progress if isinstance(progress, str) else ""
    if not progress:
        yield Progress(lambda: None, lambda row: None)
    elif tqdm := _tqdm():
        with tqdm(total=steps, desc=label or None, unit="step", dynamic_ncols=True) as bar:
            yield Progress(bar.update, lambda row: bar.set_postfix_str(_text(row), refresh=False))
    else:
        yield Progress(lambda: None, _line_writer(label, epochs))


def _tqdm() -> Any:
    if sys.stderr.isatty():
        with suppress(ModuleNotFoundError):
            from tqdm import tqdm

            return tqdm
    return None


def _line_writer(label: str, epochs: int) -> Callable[[dict[str, float]], None]:
    """Return what writes a line to stderr for each epoch, or, of many epochs, for every so many."""
    count = itertools.count(1)

    def write(row: dict[str, float]) -> None:
        done = next(count)
        if (done - 1) * LINES // epochs < done * LINES // epochs:
            place = f"{label} epoch {done:{len(str(epochs))}}/{epochs}".lstrip()
            sys.stderr.write(f"{place}  {_text(row)}\n")

    return write


def _text(row: dict[str, float]) -> str:
    measured = {k: v for k, v in row.items() if k not in ("epoch", "step", "lr", "seconds")}
    return "  ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in measured.items())
