"""A table of vectors, one for each word, character or label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.nn import init as initial
from minigrad.nn.layers import check_sizes
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.random import Rng


class Embedding(Module):
    """Look up vectors by their index: y = weight[indices].

    Parameters
    ----------
    num_embeddings : int
        How many vectors there are.
    embedding_dim : int
        The length of each.
    padding_idx : int, optional
        An index that stands for nothing: its vector is 0, and stays so.
    init : str, float or callable
        How the vectors begin, see `minigrad.nn.init.draw`; with variance 1 by default.
    rng : Generator or int, optional
        Draws the vectors.
    dtype : dtype
        The type of the vectors.

    Attributes
    ----------
    weight : Parameter
        Shape (num_embeddings, embedding_dim).

    Examples
    --------
    >>> Embedding(10, 3)([[1, 2], [3, 3]]).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        init: initial.Init = 1.0,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        shape = (num_embeddings, embedding_dim)
        weight = initial.draw(init, shape, num_embeddings, rng, dtype)
        if padding_idx is not None:
            weight[padding_idx] = 0
        self.padding_idx = padding_idx
        self.weight = Parameter(weight, name="weight")

    def forward(self, indices: Any) -> Tensor:
        """Map integers of any shape to vectors: (...) to (..., embedding_dim)."""
        y: Tensor = F.embedding(indices, self.weight, self.padding_idx)
        return y

    def extra_repr(self) -> str:
        """Return the sizes."""
        return ", ".join(map(str, self.weight.shape))
