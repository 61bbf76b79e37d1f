"""Writing a state into arrays: what is missing, what is unexpected, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from minigrad.autograd import Array, bare, note_change
from minigrad.checks import write


class Skipped(NamedTuple):
    """What `Module.load_state_dict` left out: names that it missed, and that it did not expect."""

    missing: list[str]
    unexpected: list[str]


def load_into(
    name: str,
    own: Mapping[str, Array],
    every: Mapping[str, Array],
    state: Mapping[str, ArrayLike],
    strict: bool,
) -> Skipped:
    """Write arrays by path into `every`, all the names of the arrays that are `own`, in place."""
    if not isinstance(state, Mapping):
        raise TypeError(f"load_state_dict: expected arrays by name, got {state!r:.60}")
    given = {path: np.asarray(bare(state[path])) for path in every if path in state}
    reached = {id(every[path]) for path in given}
    missing = [path for path, array in own.items() if id(array) not in reached]
    skipped = Skipped(missing, [path for path in state if path not in every])
    problems = [f"missing {path}" for path in skipped.missing if strict]
    problems += [f"unexpected {path}" for path in skipped.unexpected if strict]
    problems += [
        f"{path} is {new.dtype} {new.shape}, expected {every[path].dtype} {every[path].shape}"
        for path, new in given.items()
        if new.shape != every[path].shape
        or not np.can_cast(new.dtype, every[path].dtype, "same_kind")
    ]
    problems += [f"{path} is read-only" for path in given if not every[path].flags.writeable]
    if problems:
        raise ValueError(f"load_state_dict: {name}: " + "; ".join(problems))
    note_change(*[every[path] for path in given])
    write([every[path] for path in given], given.values())
    return skipped
