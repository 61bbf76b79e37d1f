"""Looking up vectors by their index."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad.autograd import Tensor, bare
from minigrad.ops.types import T


def embedding(indices: ArrayLike | Tensor, weight: T, padding_idx: int | None = None) -> T:
    """Return weight[indices], and 0 for the index that stands for nothing.

    Parameters
    ----------
    indices : array_like
        Integers of any shape.
    weight : array_like
        Shape (V, D).
    padding_idx : int, optional
        The index whose vectors are 0 and get no gradient.

    Returns
    -------
    Tensor
        The shape of the indices, and D behind it.

    Raises
    ------
    TypeError
        If the indices are no integers.
    ValueError
        If one is not in 0..V-1.

    Examples
    --------
    >>> embedding([2, 0], np.arange(6.0).reshape(3, 2))
    array([[4., 5.],
           [0., 1.]])
    """
    if isinstance(indices, Tensor) and indices.requires_grad:
        raise TypeError("embedding: indices get no gradient: pass integers")
    found = np.asarray(bare(indices))
    size = np.shape(weight)[0]
    if found.dtype.kind not in "iu":
        raise TypeError(f"embedding: indices must be integers, got {found.dtype}")
    # As unsigned integers the negative ones are too large as well.
    if found.size and found.astype(np.uint64, copy=False).max() >= size:
        wrong = found[(found < 0) | (found >= size)][0]
        raise ValueError(
            f"embedding: indices must lie in 0..{size - 1} for {size} vectors, but one is {wrong}"
        )
    y: Any = weight[found]
    if padding_idx is not None:
        y = y * (found != padding_idx % size)[..., None]
    return y
