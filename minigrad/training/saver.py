"""When a fit writes its checkpoints, what it goes on from, and what Ctrl-C does meanwhile."""

from __future__ import annotations

import datetime
import math
import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from minigrad import distributed as ranks
from minigrad.checks import whole
from minigrad.training.checkpoints import Checkpoints

if TYPE_CHECKING:
    from minigrad.training.trainer import Trainer


class Saver:
    """The checkpoints of one fit; without a folder it does nothing. `fit` describes the options."""

    def __init__(
        self,
        trainer: Trainer,
        folder: str | os.PathLike[str] | None,
        every: int | datetime.timedelta | None,
        keep: int,
        best: str | None,
    ):
        if folder is None and (every is not None or best is not None):
            raise ValueError("fit: every= and best= are for checkpoints=, the folder to write to")
        self.trainer, self.best = trainer, best
        self.folder = None if folder is None else Checkpoints(folder, whole("fit: keep", keep, 1))
        self.steps: float = math.inf
        self.seconds: float = math.inf
        if isinstance(every, datetime.timedelta):
            self.seconds = every.total_seconds()
        elif every is not None:
            self.steps = whole("fit: every", every, 1, "a number of steps, or a timedelta")
        self._last: tuple[int, int] | None = None  # step and epoch of the last checkpoint
        self._when = time.monotonic()
        self._interrupted = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if self.folder is None:
            return self
        if ranks.rank() == 0:
            self.folder.__enter__()
        try:
            self._go_on()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        if threading.current_thread() is threading.main_thread() and not self.trainer.distributed:
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
        if self.folder is not None:
            self.folder.__exit__(kind, error, trace)

    def _go_on(self) -> None:
        """Load the newest whole checkpoint, on every rank the one that rank 0 found."""
        assert self.folder is not None
        found = next(self.folder.newest(), None) if ranks.rank() == 0 else None
        found = ranks.from_rank_0(found) if self.trainer.distributed else found
        if found is None:
            return
        path, state = found
        try:
            self.trainer.load_state_dict(state)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"fit: {path} does not fit this trainer, so it is of another run: {error}: use "
                "another folder"
            ) from error
        self._last = self._now()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Let the step be finished and saved; a second Ctrl-C does not wait."""
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True

    def _now(self) -> tuple[int, int]:
        return len(self.trainer.history.losses), self.trainer.epoch

    # ------------------------------------------------------------------------------- what fit calls
    def after_step(self) -> None:
        """Write a checkpoint if it is time; after Ctrl-C write one and raise KeyboardInterrupt."""
        if self.folder is None:
            return
        if self._interrupted:
            path = self._write(again=True)
            sys.stderr.write(
                f"\ninterrupted: step {self._now()[0]} is saved in {path}; start the same command "
                "again to go on\n"
            )
            raise KeyboardInterrupt
        late = time.monotonic() - self._when >= self.seconds
        if self.seconds < math.inf and self.trainer.distributed:
            late = ranks.from_rank_0(late)
        if late or self._now()[0] % self.steps == 0:
            self._write()

    def after_epoch(self) -> None:
        """Write a checkpoint, also if one was written after the epoch's last step."""
        if self.folder is not None:
            self._write()

    def at_end(self) -> None:
        """Write a checkpoint of where the fit ends."""
        if self.folder is not None:
            self._write()

    def after_row(self, row: dict[str, float]) -> None:
        """Look whether this is the best row so far; if so, write it as `best.npz`."""
        if self.best is None or self.folder is None:
            return
        values = [one[self.best] for one in self.trainer.history.epochs if self.best in one]
        if self.best not in row:
            raise ValueError(f"fit: best={self.best!r} is no column of the history: {[*row]}")
        if better(self.best, row[self.best], values[:-1]):
            self._write(best=True)

    def _write(self, best: bool = False, again: bool = False) -> Any:
        assert self.folder is not None
        if self._last == self._now() and not best and not again:
            return None
        state = self.trainer.state_dict()
        self._last, self._when = self._now(), time.monotonic()
        return self.folder.write(self._last[0], state, best) if ranks.rank() == 0 else None


def better(name: str, value: float, others: list[float]) -> bool:
    """Tell whether a value is better than all others: smaller for a loss or an error."""
    if name.endswith(("loss", "error")):
        return all(value < other for other in others)
    return all(value > other for other in others)
