"""Comparing nested states of arrays and plain values."""

import numpy as np


def same(a, b):
    """Tell whether two states are equal to the last bit, in types and in order."""
    if isinstance(a, np.ndarray):
        equal = np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        return isinstance(b, np.ndarray) and (a.dtype, a.shape) == (b.dtype, b.shape) and equal
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b
