"""A folder of checkpoints: one process writes it, the last few are kept, damaged ones passed over.

The folder holds `step-00000120.npz` and so on, `best.npz` where a metric chooses the best, and
`lock`, which its process holds by the system's own means: it goes with the process, however that
ends.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from minigrad.saving import DamagedFileError, load, save

_held: set[Path] = set()  # by this process, to which the system would give its own lock again


class Checkpoints:
    """A folder of checkpoints, open in this process: `with Checkpoints("runs/a") as saved`.

    Parameters
    ----------
    folder
        Made if it is missing.
    keep : int
        How many of the newest stay.

    Raises
    ------
    BlockingIOError
        If another process has it open.
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 3):
        self.folder, self.keep = Path(folder).resolve(), keep
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / "lock").open("a+", encoding="utf-8")
        if self.folder in _held or not _locked(lock):
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise BlockingIOError(
                f"fit: {self.folder} is in use by another run (process {holder}): let that end, or "
                "use another folder"
            )
        _held.add(self.folder)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        for left in self.folder.glob(".*.part"):  # by a process that was killed while it wrote
            left.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            self._lock.close()
            _held.discard(self.folder)

    def paths(self) -> list[Path]:
        """Return the checkpoints, newest first."""
        return sorted(self.folder.glob("step-*.npz"), reverse=True)

    def newest(self) -> Iterator[tuple[Path, Any]]:
        """Yield path and state of each whole checkpoint, newest first; warn of the others."""
        for path in self.paths():
            try:
                yield path, load(path)
            except DamagedFileError as error:
                warnings.warn(f"{error}: going on from the one before", stacklevel=3)

    def write(self, step: int, state: Any, best: bool = False) -> Path:
        """Write the state of a step, and let go of the oldest; also as `best.npz` if it is that.

        Raises
        ------
        OSError
            If it can't be written; the older ones stay.
        """
        path = self.folder / f"step-{step:08}.npz"
        try:
            if best:
                save(self.folder / "best.npz", state)
            save(path, state)
        except OSError as error:
            error.add_note(f"fit: the checkpoints before it in {self.folder} are whole")
            raise
        for old in self.paths()[self.keep :]:
            old.unlink(missing_ok=True)
        return path


def _locked(file: IO[str]) -> bool:
    """Lock a file for this process, if no other has."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # no child of this process holds it
    except OSError:
        return False
    return True
