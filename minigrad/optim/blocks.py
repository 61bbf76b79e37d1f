"""The loop of a rule: large arrays in blocks that fit a cache, small ones gathered in pools.

A rule sees flat pieces, of at most `BLOCK` bytes with gradient and state. Its temporaries then stay
in the cache, and the many small parameters of a network are gathered into few pieces, since a NumPy
call costs more than the arithmetic on a bias.

A step is taken by all parameters or by none, whatever is raised at whatever moment. What a rule
changes in place is copied before, block by block, as the cache will hold it anyway. What was
gathered is written back, and the steps are counted, in one piece at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import combinations, repeat
from operator import setitem
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import Array, note_change, owner_of
from minigrad.checks import at_once, in_one_step

BLOCK = 524288  # bytes: these, and the temporaries of a rule, then fit in an L2 cache of 1 MiB

Item = tuple[Hashable, Array, Array]  # the key of a parameter, its array, its gradient


# Parameters, their weight decay, whether it is for all of them or weights alone, and the options.
Group = tuple[list[Item], float, bool, dict[str, float]]
Call = tuple[Any, ...]
Block = tuple[slice, list[Array], list[Array], list[Array], list[Call]]


class Piece(NamedTuple):
    """Flat arrays for a rule: a large parameter and its state, or those of small ones joined.

    Each block is a slice of the piece, and so of p and its state; those among them that are to be
    kept, the memory for their copies, made once, and the calls that copy. Small parameters are
    `joined` and go `back` by calls.
    """

    members: list[int]  # places in the group
    decay: float
    blocks: list[Block]
    joined: Sequence[Call] = ()
    back: Sequence[Call] = ()


class Blocks:
    """A rule, what it remembers of each parameter, and the loop over both."""

    state_names: tuple[str, ...] = ()
    decoupled = False  # whether weights shrink by weight_decay beside the rule, not through g
    rule: Callable[..., None]

    def __init__(self) -> None:
        self._steps: dict[Hashable, int] = {}  # by key, how often a parameter was updated
        self._state: dict[Hashable, list[Array]] = {}  # flat arrays, in the order of the names
        # The pieces of each group, and what they were made for, held so that its ids are its own.
        self._plan: tuple[list[list[Piece]], Any, list[Group]] = [], None, []

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_plan": ([], None, [])}  # views would be none there

    def _run(self, groups: list[Group]) -> None:
        """Apply the rule once to each parameter, or, if anything is raised, to none.

        Two lists say at every moment what to undo. The step that completes the work, one in C,
        empties them.
        """
        plan = self._planned(groups)
        changed, copies, steps = list[Array](), list[Array](), dict[Hashable, int]()
        commit: list[Call] = [(self._steps.update, steps)]
        note_change(*[p for items, *_ in groups for _, p, _ in items])
        undo = in_one_step(zip(repeat(setitem), changed, repeat(...), copies))  # as they are then
        try:
            for (items, _, _, options), pieces in zip(groups, plan, strict=True):
                for item in items:
                    steps[item[0]] = self._steps.get(item[0], 0) + 1
                for members, decay, blocks, joined, back in pieces:
                    key, _, g = items[members[0]]
                    g = g.reshape(-1)
                    if joined:
                        at_once(joined)
                        commit += back
                        g = np.concatenate([items[i][2].reshape(-1) for i in members])
                    for part, arrays, kept, spare, keep in blocks:
                        at_once(keep)
                        copies += spare
                        changed += kept
                        slope = g[part]
                        if decay and self.decoupled:
                            arrays[0] *= 1 - options["lr"] * decay
                        elif decay:
                            slope = slope + decay * arrays[0]
                        self.rule(arrays[0], slope, steps[key], *arrays[1:], **options)
            at_once([*commit, (changed.clear,)])
        except BaseException:
            undo()
            raise

    def _planned(self, groups: list[Group]) -> list[list[Piece]]:
        """Return the pieces of each group: those of the step before, if nothing has changed."""
        made_for = [
            (decay, decay_all, [(key, id(p)) for key, p, _ in items])
            for items, decay, decay_all, _ in groups
        ]
        if made_for != self._plan[1]:
            self._refuse_shared([item for items, *_ in groups for item in items])
            self._plan = [], None, []  # what is made halfway counts for nothing
            self._plan = [[*self._pieces(*group)] for group in groups], made_for, groups
        return self._plan[0]

    def _refuse_shared(self, items: list[Item]) -> None:
        if len({id(owner_of(p)) for _, p, _ in items}) == len(items):
            return
        for (key, p, _), (other, q, _) in combinations(items, 2):
            if np.shares_memory(p, q):
                raise ValueError(
                    f"{type(self).__name__}: parameters {key} and {other} share memory, and one "
                    "update would be lost: use one parameter in both places"
                )

    def _pieces(
        self, items: list[Item], decay: float, decay_all: bool, _: object
    ) -> Iterator[Piece]:
        small: dict[tuple[int, np.dtype[Any], float], list[int]] = {}
        for i, (key, p, _) in enumerate(items):
            own = decay if decay_all or p.ndim > 1 else 0.0  # weights, not biases, gammas, betas
            if p.flags.c_contiguous and p.nbytes >= BLOCK // 4:
                arrays = [p.reshape(-1), *self._state_of(key, p)]
                yield Piece([i], own, list(_blocks(arrays, arrays)))
            else:
                small.setdefault((self._steps.get(key, 0), p.dtype, own), []).append(i)
        for (_, dtype, own), members in small.items():
            several = [items[i] for i in members]
            state, start = self._pool(several), 0
            whole, joined, back = np.empty(sum(p.size for _, p, _ in several), dtype), [], []
            for _, p, _ in several:
                part = whole[start : start + p.size].reshape(p.shape)
                joined.append((setitem, part, ..., p))
                back.append((setitem, p, ..., part))
                start += p.size
            yield Piece(members, own, list(_blocks([whole, *state], state)), joined, back)

    def _pool(self, items: list[Item]) -> list[Array]:
        """Join the state of these parameters, array by array; theirs become views of it."""
        states = [self._state_of(key, p) for key, p, _ in items]
        pool = [np.concatenate(arrays) for arrays in zip(*states, strict=True)]
        start = 0
        for key, p, _ in items:
            self._state[key] = [whole[start : start + p.size] for whole in pool]
            start += p.size
        return pool

    def _state_of(self, key: Hashable, p: Array) -> list[Array]:
        """Return the arrays of a parameter, zero at first, in the type that it has now."""
        state = self._state.get(key)
        if state is None:
            state = self._state[key] = [np.zeros(p.size, p.dtype) for _ in self.state_names]
        for i, array in enumerate(state):
            if array.size != p.size:
                raise ValueError(
                    f"{type(self).__name__}: parameter {key} has {p.size} values, but its state "
                    f"{self.state_names[i]} has {array.size}: make a new optimizer for the new "
                    "shape"
                )
            state[i] = array.astype(p.dtype, copy=False)
        return state


def _blocks(arrays: list[Array], kept: list[Array]) -> Iterator[Block]:
    """Cut a piece into blocks."""
    length = BLOCK // (arrays[0].itemsize * (1 + len(arrays)))
    spares = [np.empty_like(array) for array in kept]
    for start in range(0, arrays[0].size, length):
        p = slice(start, start + length)
        own, spare = [array[p] for array in kept], [array[p] for array in spares]
        keep = [(setitem, to, ..., array) for to, array in zip(spare, own, strict=True)]
        yield p, [array[p] for array in arrays], own, spare, keep
