"""The table's rows: the pullbacks of NumPy's functions, one file for each family.

Those of images, `convolution` and `pooling`, are imported by `minigrad.functional`.
"""

from minigrad.ops import elementwise, indexing, linalg, reduction, shape, windows

__all__ = ["elementwise", "indexing", "linalg", "reduction", "shape", "windows"]
