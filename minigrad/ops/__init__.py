"""The table's rows: the pullbacks of NumPy's functions, one file for each family."""

from minigrad.ops import convolution, elementwise, indexing, linalg, pooling, reduction, shape

__all__ = [
    "convolution",
    "elementwise",
    "indexing",
    "linalg",
    "pooling",
    "reduction",
    "shape",
]
