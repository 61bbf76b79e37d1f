"""When a fit ends: after so many epochs, steps or seconds, or when a callback says so."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Self

from minigrad import distributed as ranks
from minigrad.checks import whole

if TYPE_CHECKING:
    from minigrad.training.trainer import Trainer


class Limits:
    """The ends of one fit: numbers from now on, or totals.

    Attributes
    ----------
    epochs, steps : float
        Totals; infinite without a limit.
    length : int or None
        How many steps an epoch has.
    """

    def __init__(
        self,
        trainer: Trainer,
        epochs: int | None,
        steps: int | None,
        max_seconds: float | None,
        *,
        total: bool,
    ):
        if epochs is None and steps is None and max_seconds is None:
            raise TypeError("fit: say how long to train: epochs=, steps= or max_seconds=")
        self.trainer, self.total = trainer, total
        self.epochs: float = math.inf if epochs is None else whole("fit: epochs", epochs, 1)
        self.steps: float = math.inf if steps is None else whole("fit: steps", steps, 1)
        self.max_seconds, self.deadline = max_seconds, math.inf
        self.length: int | None = None

    def begin(self, batches: int | None) -> Self:
        """Count from now on."""
        run = self.trainer
        self.length = None if batches is None else -(-batches // run.accumulate)
        if not self.total:
            self.epochs, self.steps = self.epochs + run.epoch, self.steps + self.step
        if self.max_seconds is not None:
            self.deadline = time.monotonic() + self.max_seconds
        return self

    @property
    def step(self) -> int:
        """How many steps were taken."""
        return len(self.trainer.history.losses)

    @property
    def last_step(self) -> int | None:
        """At which step the fit will end, as far as that is known."""
        ends = [self.steps]
        if self.length is not None:
            begun = self.step - -(-self.trainer._batch // self.trainer.accumulate)
            ends.append(begun + (self.epochs - self.trainer.epoch) * self.length)
        return None if (last := min(ends)) == math.inf else int(last)

    def reached(self) -> bool:
        """Tell whether the fit is to end before the next step."""
        run = self.trainer
        if self.deadline < math.inf:
            late = time.monotonic() > self.deadline
            if ranks.from_rank_0(late) if run.distributed else late:
                return True
        return self.measured or run.epoch >= self.epochs

    @property
    def measured(self) -> bool:
        """Whether the end is one that another run would reach at the same step."""
        run = self.trainer
        return len(run.history.losses) >= self.steps or run.stop is not None
