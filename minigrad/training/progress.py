"""Showing how far training has come: a bar in a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from minigrad import distributed as ranks
from minigrad.training.batches import Batch
from minigrad.training.limits import Limits

LINES = 10  # at most, for one fit


class Progress(NamedTuple):
    """What to call after each step with its batches, and after each row with what it measured."""

    step: Callable[[list[Batch]], object]
    epoch: Callable[[dict[str, float]], object]


@contextmanager
def shown(
    progress: bool | str, limits: Limits, validate_every: int | None = None
) -> Iterator[Progress]:
    """Show the progress up to `limits`: by a bar, by lines, or not at all.

    The bar needs tqdm and a terminal; it shows steps and examples a second, and the time that is
    left. Where one is missing (a log, a notebook), lines do; they say the step too if rows do not
    come by epochs alone. Of several ranks the first shows its own.
    """
    label = progress if isinstance(progress, str) else ""
    if not progress or ranks.rank():
        yield Progress(lambda group: None, lambda row: None)
    elif tqdm := _tqdm():
        how = {"desc": label or None, "unit": "step", "dynamic_ncols": True}
        with tqdm(total=limits.last_step, initial=limits.step, **how) as bar:
            yield _bar_writer(bar)
    else:
        steps = bool(validate_every) or limits.steps < math.inf
        yield Progress(lambda group: None, _line_writer(label, limits, steps))


def _tqdm() -> Any:
    if sys.stderr.isatty():
        with suppress(ModuleNotFoundError):
            from tqdm import tqdm

            return tqdm
    return None


def _bar_writer(bar: Any) -> Progress:
    examples, began, measured = 0, time.perf_counter(), ""

    def step(group: list[Batch]) -> None:
        nonlocal examples
        examples += sum(len(target) for _, _, target in group)
        if bar.update():  # was drawn
            rate = examples / (time.perf_counter() - began)
            bar.set_postfix_str(f"{rate:,.0f} examples/s  {measured}", refresh=False)

    def epoch(row: dict[str, float]) -> None:
        nonlocal measured
        measured = _text(row)
        bar.set_postfix_str(measured, refresh=False)

    return Progress(step, epoch)


def _line_writer(label: str, limits: Limits, steps: bool) -> Callable[[dict[str, float]], None]:
    """Return what writes a line to stderr for each row, or, of many rows, for every so many."""
    count, begun = itertools.count(1), limits.trainer.epoch
    first = 0 if limits.total else limits.step
    width = len(str((limits.last_step or first) - first))
    epochs = limits.epochs - (0 if limits.total else begun)
    rows = 1 if math.isinf(epochs) else max(int(epochs) - begun * limits.total, 1)
    of = "" if math.isinf(epochs) else f"/{int(epochs)}"

    def write(row: dict[str, float]) -> None:
        done = next(count)
        if math.isinf(epochs) or (done - 1) * LINES // rows < done * LINES // rows:
            number = int(row["epoch"]) - (0 if limits.total else begun)
            place = f"{label} epoch {number:{len(of) - 1 if of else 1}}{of}".lstrip()
            place += f", step {int(row['step']) - first:{width}}" if steps else ""
            sys.stderr.write(f"{place}  {_text(row)}\n")

    return write


def _text(row: dict[str, float]) -> str:
    measured = {k: v for k, v in row.items() if k not in ("epoch", "step", "lr", "seconds")}
    return "  ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in measured.items())
