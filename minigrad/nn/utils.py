"""Parameters as one vector, for what works on vectors: line searches, averages, second orders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.autograd import Tensor, bare, note_change


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all parameters one after the other; it is recorded, like any operation.

    Examples
    --------
    >>> from minigrad.nn import Linear
    >>> parameters_to_vector(Linear(3, 2).parameters()).shape
    (8,)
    """
    flat: list[Any] = [p.reshape(-1) for p in parameters]
    vector: Any = np.concatenate(flat)
    return vector  # type: ignore[no-any-return]


def vector_to_parameters(vector: Any, parameters: Iterable[Tensor]) -> None:
    """Write a vector into parameters, in place.

    Raises
    ------
    ValueError
        If it has not as many values as they have together; then nothing was written.
    """
    values, arrays = np.asarray(bare(vector)), [bare(p) for p in parameters]
    total = sum(array.size for array in arrays)
    if values.shape != (total,):
        raise ValueError(
            f"vector_to_parameters: expected a vector of {total} values, got shape {values.shape}"
        )
    start = 0
    for array in arrays:
        array[...] = values[start : start + array.size].reshape(array.shape)
        start += array.size
    note_change(*arrays)
