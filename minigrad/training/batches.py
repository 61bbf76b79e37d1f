"""Batches for the Trainer, and refusing data that would spoil a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import setitem

import numpy as np
from numpy.typing import ArrayLike

from minigrad.autograd import Array, Tensor, bare, no_grad
from minigrad.checks import in_one_step
from minigrad.data import DataLoader
from minigrad.nn import Module
from minigrad.nn.layers import BatchNorm

Value = Array | Tensor
Batches = Iterable[Sequence[Value]]
Data = Batches | tuple[ArrayLike, ...]

BATCH_SIZE = 100  # for arrays, unless another is given


def batches_of(caller: str, data: Data, batch_size: int | None, shuffle: bool = False) -> Batches:
    """Return data as an iterable of batches, checking what a loader holds as a whole."""
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
    if isinstance(data, DataLoader):
        _refuse_nonfinite(caller, data.arrays)
    return data


def unpacked(caller: str, batches: Batches) -> Iterator[tuple[str, list[Value], Value]]:
    """Yield where we are, the inputs, and the target of each batch."""
    checked = isinstance(batches, DataLoader) and batches.transform is None
    n = 0
    for n, batch in enumerate(batches, 1):
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


def _refuse_nonfinite(caller: str, arrays: Iterable[Value]) -> None:
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
    if (n - 1) % size or not any(isinstance(m, BatchNorm) for m in model.modules()):
        return
    one = tuple(array[:1] for array in batches.arrays)
    *inputs, _ = batches.transform(*one) if batches.transform else one
    buffers = [bare(buffer) for _, buffer in model.named_buffers()]
    as_before = in_one_step([(setitem, array, ..., array.copy()) for array in buffers])
    try:
        with no_grad():
            model.train()(*inputs)
    except ValueError as error:
        raise ValueError(
            f"fit: {n} examples in batches of {size} leave one for the last batch, and {error}; "
            "pass DataLoader(x, t, batch_size=..., shuffle=True, drop_last=True), or choose "
            "another batch size"
        ) from error
    finally:
        as_before()
