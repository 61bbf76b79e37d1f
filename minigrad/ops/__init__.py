"""The table's rows: the pullbacks of NumPy's functions, one file for each family."""

from minigrad.ops import elementwise, indexing, linalg, reduction, shape

__all__ = ["elementwise", "indexing", "linalg", "reduction", "shape"]
