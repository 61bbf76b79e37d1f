"""What a DataLoader cuts into batches: arrays, a data set of examples, or a stream of them."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad.autograd import Array, bare

Arrays = tuple[Array, ...]


class Stored:
    """Arrays of equal length, in memory or mapped from files."""

    def __init__(self, arrays: tuple[ArrayLike, ...]):
        # contiguous, since `take` would copy the whole of any other array for each batch
        self.arrays = tuple(map(np.ascontiguousarray, same_length("DataLoader", arrays)))
        self.n: int | None = len(self.arrays[0])
        self.resident = not any(map(_mapped, self.arrays))

    def batch(self, rows: Array | slice) -> Arrays:
        """Return copies of some rows."""
        if isinstance(rows, slice):
            return tuple([np.array(array[rows]) for array in self.arrays])
        return tuple([array.take(rows, axis=0) for array in self.arrays])


class Picked:
    """A data set of examples by their number, as PyTorch's: `len(d)` and `d[i]`."""

    arrays: Arrays = ()
    resident = False

    def __init__(self, dataset: Any):
        self.dataset, self.n = dataset, len(dataset)
        if not self.n:
            raise ValueError("DataLoader: the data set is empty: expected examples, got none")

    def batch(self, rows: Array | slice) -> Arrays:
        """Fetch some examples and join them."""
        numbers = range(*rows.indices(self.n)) if isinstance(rows, slice) else rows.tolist()
        return joined([self.dataset[i] for i in numbers], self.dataset)


class Stream:
    """A data set that gives its examples one after the other, as PyTorch's iterable ones."""

    arrays: Arrays = ()
    resident = False
    n: int | None = None

    def __init__(self, dataset: Iterable[Any]):
        self.dataset = dataset

    def batches(self, size: int, start: int, part: slice) -> Iterator[Arrays]:
        """Yield batches of `size` examples from batch `start` on, `part` of each, if it has any."""
        examples = islice(self.dataset, start * size, None)
        while len(group := list(islice(examples, size))) >= part.step:
            yield joined(group[part], self.dataset)


def source_of(given: tuple[Any, ...]) -> Stored | Picked | Stream:
    """Tell arrays from data sets of examples."""
    one = given[0] if len(given) == 1 else None
    if _is_data_set(one):
        return Picked(one)
    known = hasattr(one, "__array__") or isinstance(one, Sequence | Mapping)
    return Stored(given) if known or not isinstance(one, Iterable) else Stream(one)


def _is_data_set(value: Any) -> bool:
    """Tell whether NumPy would ask for items until one is missing, as it asks of a list."""
    known = hasattr(value, "__array__") or isinstance(value, Sequence | Mapping)
    return hasattr(value, "__getitem__") and hasattr(value, "__len__") and not known


def joined(examples: list[Any], dataset: Any) -> Arrays:
    """Make arrays with a batch axis of examples, each an array or a tuple of them."""
    rows = [e if isinstance(e, tuple | list) else (e,) for e in examples]
    if len({len(row) for row in rows}) > 1:
        kind = type(dataset).__name__
        raise ValueError(f"DataLoader: the examples of {kind} differ in length")
    return tuple([_stacked(column) for column in zip(*rows, strict=True)])


def _stacked(values: tuple[Any, ...]) -> Array:
    if isinstance(values[0], float):  # Python's numbers become float32, as in a Tensor
        return np.array(values, np.float32)
    return np.stack([np.asarray(bare(value)) for value in values])


def _mapped(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return isinstance(array, mmap.mmap)


def same_length(caller: str, arrays: tuple[ArrayLike, ...]) -> Arrays:
    """Return the arguments as arrays, at least one, all of one length above 0."""
    if len(arrays) == 1 and _is_data_set(arrays[0]):
        one: Any = arrays[0]
        arrays = joined([one[i] for i in range(len(one))], one)
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
