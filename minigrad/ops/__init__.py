"""The table's rows: the pullbacks of NumPy's functions, one file for each family.

Those of images, `convolution` and `pooling`, are imported by `minigrad.functional`.
"""

import importlib
import sys

from minigrad.autograd import late
from minigrad.ops import (
    complex_numbers,
    cumulative,
    decompositions,
    elementwise,
    fft,
    indexing,
    linalg,
    options,
    padding,
    polynomial,
    products,
    reduction,
    selection,
    shape,
    solving,
    spaces,
    statistics,
    windows,
)

__all__ = [
    "complex_numbers",
    "cumulative",
    "decompositions",
    "elementwise",
    "fft",
    "indexing",
    "linalg",
    "options",
    "padding",
    "polynomial",
    "products",
    "reduction",
    "selection",
    "shape",
    "solving",
    "spaces",
    "statistics",
    "windows",
]


def _special() -> None:
    """Enter the functions of scipy.special, once one of them may have been called."""
    if "scipy.special" in sys.modules:
        importlib.import_module("minigrad.ops.special")
        late.remove(_special)


late.append(_special)
