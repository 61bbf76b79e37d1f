"""Nested lists, tuples and dicts of arrays, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.autograd import Array, Handle


def leaves(tree: Any) -> list[Any]:
    """List the arrays and numbers of a tree, dicts in their own order; None is an empty tree."""
    if isinstance(tree, dict):
        tree = tree.values()
    elif tree is None:
        return []
    elif not isinstance(tree, list | tuple):
        return [tree]
    return [leaf for branch in tree for leaf in leaves(branch)]


def rebuild(tree: Any, values: Iterable[Any]) -> Any:
    """Return a tree of the same shape with `values` in the place of its leaves."""
    return _rebuilt(tree, iter(values))


def _rebuilt(tree: Any, values: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _rebuilt(branch, values) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        branches = [_rebuilt(branch, values) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return None if tree is None else next(values)


def same_shape(name: str, tree: Any, given: Any) -> list[Any]:
    """Return the leaves of `given`, which must fit those of `tree` one by one."""
    own, other = leaves(tree), leaves(given)
    shapes, others = [np.shape(x) for x in own], [np.shape(x) for x in other]
    if shapes != others:
        raise ValueError(f"{name}: expected arrays of shapes {shapes}, got {others}")
    return other


def flatten(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Make one vector of a tree of arrays, for optimizers that know vectors alone.

    Parameters
    ----------
    tree : array, number, or nested list, tuple or dict of them
        Dicts are taken in their own order. Tensors stay in the graph.

    Returns
    -------
    vector : ndarray or Tensor
        Shape (n,), of the dtype that NumPy finds for all.
    unflatten : callable
        From a vector of that shape to a tree of the shapes and dtypes that came in.

    Examples
    --------
    >>> vector, unflatten = flatten({"w": np.ones((2, 2)), "b": [0.5]})
    >>> vector
    array([1. , 1. , 1. , 1. , 0.5])
    >>> unflatten(2 * vector)
    {'w': array([[2., 2.],
           [2., 2.]]), 'b': [array(1.)]}
    """
    parts: list[Any] = [x if isinstance(x, Handle) else np.asarray(x) for x in leaves(tree)]
    shapes, dtypes = [x.shape for x in parts], [x.dtype for x in parts]
    ends = np.cumsum([0, *(x.size for x in parts)]).tolist()
    flat: list[Any] = [np.ravel(x) for x in parts]
    vector = np.concatenate(flat) if flat else np.zeros(0)

    def unflatten(vector: Any) -> Any:
        if np.shape(vector) != (ends[-1],):
            raise ValueError(f"unflatten: expected shape ({ends[-1]},), got {np.shape(vector)}")
        if not isinstance(vector, Handle):
            vector = np.asarray(vector)
        pieces = zip(pairwise(ends), shapes, dtypes, strict=True)
        return rebuild(tree, [_piece(vector[a:b], shape, d) for (a, b), shape, d in pieces])

    return vector, unflatten


def _piece(part: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Give a part of the vector its shape, and its dtype if it had a floating point one."""
    part = part.reshape(shape)
    piece: Array = part.astype(dtype) if dtype.kind in "fc" and part.dtype != dtype else part
    return piece
