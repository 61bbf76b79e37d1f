"""Data on its way into training: as batches, checked, with means over what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import setitem
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad import distributed as ranks
from minigrad.autograd import Array, Tensor, bare, no_grad
from minigrad.checks import undoing
from minigrad.data import DataLoader
from minigrad.data.sources import Stream
from minigrad.nn import Module
from minigrad.nn.layers import BatchNorm

Value = Array | Tensor
Batches = Iterable[Sequence[Value]]
Data = Batches | tuple[ArrayLike, ...]
Batch = tuple[str, list[Value], Value]  # where we are, the inputs, the target

BATCH_SIZE = 100  # for arrays, unless another is given


class Means:
    """Means over examples, from means over batches of any size."""

    def __init__(self, n: float = 0, totals: dict[str, float] | None = None) -> None:
        self.n, self.totals = n, dict(totals or {})

    def add(self, n: float, measured: dict[str, float]) -> None:
        """Count what was measured on `n` examples."""
        self.n += n
        totals = self.totals
        for name, value in measured.items():
            totals[name] = totals.get(name, 0.0) + n * value

    def over_ranks(self) -> Means:
        """Return the means over what all ranks counted."""
        parts = ranks.gathered((self.n, self.totals))
        names = dict.fromkeys(name for _, totals in parts for name in totals)
        summed = {name: sum(totals.get(name, 0.0) for _, totals in parts) for name in names}
        return Means(sum(n for n, _ in parts), summed)

    def result(self) -> dict[str, float]:
        """Return the means."""
        return {name: total / self.n for name, total in self.totals.items()}


def as_batches(caller: str, data: Data, batch_size: int | None, shuffle: bool = False) -> Batches:
    """Return data as an iterable of batches, checking what is in memory as a whole."""
    if isinstance(data, tuple):
        size = BATCH_SIZE if batch_size is None else batch_size
        data = DataLoader(*data, batch_size=size, shuffle=shuffle)
    elif isinstance(data, np.ndarray | Tensor) or not isinstance(data, Iterable):
        raise TypeError(
            f"{caller}: expected a DataLoader, an iterable of batches, or a tuple of arrays "
            f"(x, t), got {type(data).__name__}"
        )
    elif batch_size is not None:
        raise ValueError(
            f"{caller}: batch_size={batch_size} is for data given as a tuple of arrays; "
            f"{type(data).__name__} makes its own batches"
        )
    if isinstance(data, DataLoader) and data.source.resident:
        _refuse_nonfinite(caller, data.arrays)
    return data


def number_of(batches: Batches) -> int | None:
    """Return how many batches there are, if they say so."""
    try:
        return len(batches)  # type: ignore[arg-type]
    except TypeError:
        return None


def unpacked(caller: str, batches: Batches, first: int = 1) -> Iterator[Batch]:
    """Yield where we are, the inputs, and the target of each batch; the number of one is `first`.

    Raises
    ------
    ValueError
        If there is no batch at all.
    """
    checked = False
    if isinstance(batches, DataLoader):
        checked = batches.source.resident and batches.transform is None
    n = first - 1
    for n, batch in enumerate(batches, first):
        place = f"{caller}, batch {n}"
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise TypeError(f"{place}: expected a tuple of arrays (x, t), got {batch!r:.60}")
        if not checked:
            _refuse_nonfinite(place, batch)
        *inputs, target = batch
        yield place, inputs, target
    if not n:
        raise ValueError(
            f"{caller}: the data set is empty: it gave no batch (an iterator gives its batches "
            "once: pass a DataLoader or a list)"
        )


def _refuse_nonfinite(caller: str, arrays: Iterable[Any]) -> None:
    for i, array in enumerate(map(np.asarray, map(bare, arrays))):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            wrong = np.argwhere(~np.isfinite(array))
            at = tuple(map(int, wrong[0]))
            raise ValueError(
                f"{caller}: array {i} (shape {array.shape}) holds {len(wrong)} values that are NaN "
                f"or infinite, the first {array[at]} at {list(at)}: replace them, or leave out "
                "these examples"
            )


def refuse_single(model: Module, batches: Batches) -> None:
    """Try what a last batch of one example does, if that is what is left of an epoch."""
    if not isinstance(batches, DataLoader) or batches.drop_last:
        return
    n, size = batches.n, batches.batch_size
    if isinstance(batches.source, Stream) or n is None or (n - 1) % size:
        return
    if not any(isinstance(m, BatchNorm) for m in model.modules()):
        return
    one = batches.source.batch(slice(0, 1))
    *inputs, _ = batches.transform(*one) if batches.transform else one
    buffers = [bare(buffer) for _, buffer in model.named_buffers()]
    before = [(setitem, array, ..., array.copy()) for array in buffers]
    try:
        with undoing(before), no_grad():
            model.train()(*inputs)
    except ValueError as error:
        raise ValueError(
            f"fit: {n} examples in batches of {size} leave one for the last batch, and {error}; "
            "pass DataLoader(x, t, batch_size=..., shuffle=True, drop_last=True), or choose "
            "another batch size"
        ) from error
