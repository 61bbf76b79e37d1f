"""Batches: the DataLoader, and the train/validation split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad.autograd import Array, bare
from minigrad.checks import whole
from minigrad.random import Rng, generator, keep

Arrays = tuple[Array, ...]


class DataLoader:
    """Cut arrays into batches; each `for` over it is one epoch, in a new order if shuffled.

    A batch is a tuple with one fresh array for each array given, so changing it in place leaves
    the data alone.

    Parameters
    ----------
    *arrays
        Arrays of equal length along their first axis, for example images and labels. Or one data
        set, an object with `len()` and `[i]` whose examples are tuples `(x, t)`: it is read once.
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

    def __init__(
        self,
        *arrays: ArrayLike,
        batch_size: int,
        shuffle: bool = False,
        replacement: bool = False,
        drop_last: bool = False,
        transform: Callable[..., Arrays] | None = None,
        rng: Rng = None,
    ):
        # contiguous, since `take` would copy the whole of any other array for each batch
        self.arrays = tuple(map(np.ascontiguousarray, _same_length("DataLoader", arrays)))
        self.n = len(self.arrays[0])
        advice = ": use batch_size=100"
        self.batch_size = whole("DataLoader: batch_size", batch_size, 1, advice=advice)
        self.shuffle, self.replacement = shuffle, replacement
        self.drop_last, self.transform = drop_last, transform
        self.rng = keep(rng)
        if drop_last and self.n < self.batch_size:
            raise ValueError(
                f"DataLoader: drop_last=True leaves no batch, with {self.n} examples and "
                f"batch_size={self.batch_size}: use a smaller batch_size or drop_last=False"
            )

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        whole, rest = divmod(self.n, self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Arrays]:
        """Go through one epoch."""
        order = self._order()
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            part = slice(start, start + self.batch_size)
            if order is None:
                batch = tuple([array[part].copy() for array in self.arrays])
            else:
                batch = tuple([array.take(order[part], axis=0) for array in self.arrays])
            if self.transform:
                batch = self.transform(*batch)
            if not isinstance(batch, tuple):
                raise TypeError(
                    f"DataLoader: transform must return a tuple of arrays, like the "
                    f"{len(self.arrays)} that it gets, got {type(batch).__name__}: return (x, t) "
                    "rather than x"
                )
            yield batch

    def _order(self) -> Array | None:
        rng = generator(self.rng)
        if self.replacement:
            return rng.integers(self.n, size=self.n)
        return rng.permutation(self.n) if self.shuffle else None


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
    checked = _same_length("train_validation_split", arrays)
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


def _same_length(caller: str, arrays: tuple[ArrayLike, ...]) -> Arrays:
    """Return the arguments as arrays, at least one, all of one length above 0."""
    if len(arrays) == 1 and _is_data_set(arrays[0]):
        arrays = _columns(caller, arrays[0])
    checked = tuple(map(np.asarray, arrays))
    shapes = ", ".join(str(array.shape) for array in checked)
    if not checked or any(array.ndim == 0 for array in checked):
        raise ValueError(
            f"{caller}: expected arrays with a first axis of examples, got "
            f"{f'shapes {shapes}' if checked else 'none'}: pass images and labels, for example"
        )
    if len({len(array) for array in checked}) > 1:
        raise ValueError(
            f"{caller}: expected arrays of equal length, got shapes {shapes}: "
            "row i of one belongs to row i of the others"
        )
    if not len(checked[0]):
        raise ValueError(
            f"{caller}: the data set is empty (shapes {shapes}): pass an example or more"
        )
    return checked


def _is_data_set(value: Any) -> bool:
    """Tell whether NumPy would ask for items until one is missing, as it asks of a list."""
    known = hasattr(value, "__array__") or isinstance(value, Sequence | Mapping)
    return hasattr(value, "__getitem__") and hasattr(value, "__len__") and not known


def _columns(caller: str, pairs: Any) -> tuple[ArrayLike, ...]:
    """Return an array of each part of the examples of a data set."""
    examples = [pairs[i] for i in range(len(pairs))]
    rows = [example if isinstance(example, tuple) else (example,) for example in examples]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"{caller}: the examples of {type(pairs).__name__} differ in length")
    return tuple(
        [
            np.stack([np.asarray(bare(part)) for part in column])
            for column in zip(*rows, strict=True)
        ]
    )
