"""Batches: the DataLoader, and the train/validation split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad.autograd import Array
from minigrad.checks import whole
from minigrad.data.prefetch import ahead
from minigrad.data.sources import Arrays, Picked, Stored, Stream, same_length, source_of
from minigrad.random import Rng, generator, keep, restore, restored, state_of, taking_from

State = dict[str, Any]


class DataLoader:
    """Cut data into batches; each `for` over it is one epoch, in a new order if shuffled.

    A batch is a tuple with one fresh array for each array given, so changing it in place leaves
    the data alone. An epoch can be stopped and gone on with in another process: see `state_dict`.

    Parameters
    ----------
    *arrays
        Arrays of equal length along their first axis, for example images and labels; those of
        `np.load(path, mmap_mode="r")` may be larger than memory. Or one data set, PyTorch's too:
        with `len(d)` and `d[i]`, or an iterable, which gives one example after the other, each a
        tuple such as (image, label).
    batch_size
        Examples in a batch.
    shuffle
        Draw a new random order for each epoch.
    replacement
        Draw each example at random from all of them, as the book's training loop does: an epoch
        has as many draws as there are examples. It needs no `shuffle`.
    drop_last
        Leave out the last batch if it is smaller than the others.
    transform
        A function of the arrays of a batch that returns a tuple of arrays in their place.
    rng
        A `numpy.random.Generator` or a seed: the same seed gives the same batches. By default the
        library's own generator, which `minigrad.manual_seed` seeds.
    prefetch
        How many batches a thread makes ahead, `transform` among its work; 0 for no thread.

    Raises
    ------
    ValueError
        No arrays, empty ones, lengths that differ, a batch size below 1, or no batch left.
    TypeError
        The batch size is not an integer, or `transform` returned no tuple.

    Examples
    --------
    >>> x, t = np.arange(10).reshape(5, 2), np.arange(5)
    >>> [labels.tolist() for _, labels in DataLoader(x, t, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    part = 0, 1  # which of how many equal parts of each batch: see `minigrad.distributed.shard`
    agreed: Callable[[Any], Any] = staticmethod(lambda state: state)  # what all of them begin with

    def __init__(
        self,
        *arrays: ArrayLike | Iterable[Any],
        batch_size: int,
        shuffle: bool = False,
        replacement: bool = False,
        drop_last: bool = False,
        transform: Callable[..., Arrays] | None = None,
        rng: Rng = None,
        prefetch: int = 0,
    ):
        self.source: Stored | Picked | Stream = source_of(arrays)
        self.n = self.source.n
        advice = ": use batch_size=100"
        self.batch_size = whole("DataLoader: batch_size", batch_size, 1, advice=advice)
        self.prefetch = whole("DataLoader: prefetch", prefetch, 0)
        self.shuffle, self.replacement = shuffle, replacement
        self.drop_last, self.transform = drop_last, transform
        self.rng = keep(rng)
        self._place: State = {}  # of the epoch under way: the batches given, and how it began
        self._next: State = {}  # the same, to go on from
        self._drawn: State | None = None  # what generators were at when the last batch was made
        if self.n is None and (shuffle or replacement):
            raise ValueError(
                "DataLoader: the examples of an iterable come in its own order: shuffle them there"
            )
        if drop_last and self.n is not None and self.n < self.batch_size:
            raise ValueError(
                f"DataLoader: drop_last=True leaves no batch, with {self.n} examples and "
                f"batch_size={self.batch_size}: use a smaller batch_size or drop_last=False"
            )

    @property
    def arrays(self) -> Arrays:
        """The arrays, contiguous; none of a data set."""
        return self.source.arrays

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        if self.n is None:
            raise TypeError("DataLoader: an iterable does not say how many batches it has")
        whole, rest = divmod(self.n, self.batch_size)
        return whole + (rest >= self.part[1] and not self.drop_last)

    def __iter__(self) -> Iterator[Arrays]:
        """Go through one epoch, or through the rest of the one that was loaded."""
        place, self._next = self._next, {}
        if not place:
            place = self.agreed({"batch": 0, "began": state_of(generator(self.rng)), "own": None})
            order = self._order(generator(self.rng))
            if self.part[1] > 1:
                order = self._order(restored(place["began"]))  # rank 0's
            if self.prefetch and self.transform:  # the thread must not share the library's
                place["own"] = int(generator().integers(2**62))
        else:
            order = self._order(restored(place["began"]))
        if self.transform or self.prefetch:
            made = self._made(order, place)
        else:
            made = zip(self._cut(order, place["batch"]), repeat(None))
        for batch, drawn in ahead(made, self.prefetch) if self.prefetch else made:
            place["batch"] += 1
            self._place, self._drawn = place, drawn
            yield batch
        self._place, self._drawn = {}, None

    def _order(self, rng: np.random.Generator) -> Array | None:
        if self.n is None:
            return None
        if self.replacement:
            return rng.integers(self.n, size=self.n)
        return rng.permutation(self.n) if self.shuffle else None

    def _made(self, order: Array | None, place: State) -> Iterator[tuple[Arrays, State | None]]:
        """Yield batches, and what the generators are at after each if a thread runs this."""
        own = place["own"]
        own = own if own is None else restored(own) if isinstance(own, dict) else keep(own)
        for batch in self._cut(order, place["batch"]):
            if self.transform:
                with taking_from(own):
                    batch = self.transform(*batch)
            if not isinstance(batch, tuple):
                raise TypeError(
                    f"DataLoader: transform must return a tuple of arrays, like the "
                    f"{len(self.arrays)} that it gets, got {type(batch).__name__}: return (x, t) "
                    "rather than x"
                )
            yield (
                batch,
                {**self._generators(), "own": own and state_of(own)} if self.prefetch else None,
            )

    def _cut(self, order: Array | None, start: int) -> Iterator[Arrays]:
        """Yield the batches from number `start` on, this process's part of each."""
        mine = slice(self.part[0], None, self.part[1])
        if isinstance(self.source, Stream):
            for batch in self.source.batches(self.batch_size, start, mine):
                if not (self.drop_last and len(batch[0]) < len(range(self.batch_size)[mine])):
                    yield batch
            return
        (first, step), size = self.part, self.batch_size
        for low in range(start * size, len(self) * size, size):
            rows = slice(low + first, low + size, step)
            yield self.source.batch(rows if order is None else order[rows])

    # --------------------------------------------------------------------------------- going on
    def _generators(self) -> State:
        drawn = {"rng": self.rng, "transform": getattr(self.transform, "rng", None)}
        return {name: rng and state_of(rng) for name, rng in drawn.items()}

    def state_dict(self) -> State:
        """Return where the epoch under way is, and where the generators of this loader are.

        The library's own generator, which draws where no `rng` was given, is not among them: see
        `minigrad.get_rng_state`.
        """
        drawn = self._drawn or {**self._generators(), "own": self._place.get("own")}
        return {"place": self._place and {**self._place, "own": drawn["own"]}, **drawn}

    def load_state_dict(self, state: State) -> None:
        """Let the next `for` go on from what `state_dict` returned, for a loader of equal data.

        Raises
        ------
        ValueError
            If it is the state of another loader.
        """
        own = self.rng, getattr(self.transform, "rng", None)
        for rng, name, what in zip(
            own, ("rng", "transform"), ("its order", "transform"), strict=True
        ):
            if (rng is None) != (state[name] is None):
                has = "with" if rng is None else "without"
                raise ValueError(
                    f"DataLoader: the state is that of a loader {has} an rng of its own for {what}"
                )
            if rng is not None:
                restore(rng, state[name])
        self._place = self._next = dict(state["place"])
        self._drawn = None


def train_validation_split(
    *arrays: ArrayLike, fraction: float = 0.2, rng: Rng = 0
) -> tuple[Arrays, Arrays]:
    """Split arrays at random into a training part and a validation part.

    Parameters
    ----------
    *arrays
        Arrays of equal length along their first axis; their rows stay together.
    fraction
        The share of the validation part, between 0 and 1, rounded to whole examples.
    rng
        A `numpy.random.Generator` or a seed: the same seed gives the same split. None for the
        library's own generator.

    Returns
    -------
    tuple
        `(x_train, t_train), (x_validation, t_validation)`, copies, in random order.

    Raises
    ------
    ValueError
        No arrays, empty ones, lengths that differ, or a part that would be empty.

    Examples
    --------
    >>> (train,), (validation,) = train_validation_split(np.arange(10), fraction=0.3)
    >>> len(train), len(validation)
    (7, 3)
    """
    checked = same_length("train_validation_split", arrays)
    n = len(checked[0])
    held_out = round(n * fraction) if 0 < fraction < 1 else 0
    if not 0 < held_out < n:
        raise ValueError(
            f"train_validation_split: fraction={fraction} of {n} examples leaves one part empty: "
            "use a fraction between 0 and 1 that gives each part an example"
        )
    order = generator(rng).permutation(n)
    train, validation = order[: n - held_out], order[n - held_out :]
    return tuple(a[train] for a in checked), tuple(a[validation] for a in checked)
