"""The loop of a rule: large arrays in blocks that fit a cache, small ones gathered in pools.

A rule sees flat pieces of at most `BLOCK` bytes. Its temporaries then stay in the cache, and
the many small parameters of a network are gathered into few pieces, since a NumPy call costs more
than the arithmetic on a bias.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.autograd import Array

BLOCK = 131072  # bytes: p, g, the state and the temporaries of a rule then fit in a 1 MiB L2

Item = tuple[Hashable, Array, Array]  # the key of a parameter, its array, its gradient
Member = tuple[Hashable, int, np.dtype[Any]]  # of a pool: the key, the size, the type


class Blocks:
    """A rule, what it remembers of each parameter, and the loop over both."""

    state_names: tuple[str, ...] = ()
    rule: Callable[..., None]

    def __init__(self) -> None:
        self._steps: dict[Hashable, int] = {}  # by key, how often a parameter was updated
        self._state: dict[Hashable, list[Array]] = {}  # flat arrays, in the order of the names
        self._pools: dict[tuple[Member, ...], list[Array]] = {}

    def _run(self, items: Iterable[Item], options: dict[str, float]) -> None:
        """Apply the rule once to each parameter."""
        for p, g, t, state in self._flat(items):
            length = BLOCK // p.itemsize
            for i in range(0, p.size, length):
                j = i + length
                self.rule(p[i:j], g[i:j], t, *[s[i:j] for s in state], **options)

    def _flat(self, items: Iterable[Item]) -> Iterator[tuple[Array, Array, int, list[Array]]]:
        """Yield parameters as flat arrays: large ones themselves, small ones of one step joined."""
        small: dict[tuple[int, np.dtype[Any]], list[Item]] = {}
        for key, p, g in items:
            t = self._steps[key] = self._steps.get(key, 0) + 1
            if p.flags.c_contiguous and (p.nbytes >= BLOCK or not self.state_names):
                yield p.reshape(-1), g.reshape(-1), t, self._state_of(key, p)
            else:
                small.setdefault((t, p.dtype), []).append((key, p, g))
        for (t, _), members in small.items():
            keys = tuple([(key, p.size, p.dtype) for key, p, _ in members])
            if keys not in self._pools:
                self._pools[keys] = self._pool(members)
            joined = np.concatenate([p.reshape(-1) for _, p, _ in members])
            g = np.concatenate([g.reshape(-1) for _, _, g in members])
            yield joined, g, t, self._pools[keys]
            start = 0
            for _, p, _ in members:  # after the rule: back to where they belong
                p[...] = joined[start : start + p.size].reshape(p.shape)
                start += p.size

    def _pool(self, members: list[Item]) -> list[Array]:
        """Join the state of these parameters, array by array; theirs become views of it."""
        keys = {key for key, _, _ in members}
        for other in [pool for pool in self._pools if keys & {key for key, *_ in pool}]:
            del self._pools[other]
        states = [self._state_of(key, p) for key, p, _ in members]
        pool = [np.concatenate(arrays) for arrays in zip(*states, strict=True)]
        start = 0
        for key, p, _ in members:
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
