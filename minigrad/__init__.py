"""minigrad: automatic differentiation for NumPy, its engine small enough for an afternoon."""

import importlib
from typing import TYPE_CHECKING, Any

import numpy

from minigrad import lines, ops
from minigrad.autograd import (
    Tensor,
    define,
    differentiable,
    enable_grad,
    from_dlpack,
    gradients,
    is_grad_enabled,
    no_grad,
)
from minigrad.random import manual_seed

if TYPE_CHECKING:
    from minigrad import data, functional, nn, optim, testing, training
    from minigrad.debugging import NonFiniteError, debug
    from minigrad.graph import draw
    from minigrad.kernels.threads import get_num_threads, set_num_threads

lines.show_warnings_there()

__version__ = "0.1.0"
__all__ = [
    "NonFiniteError",
    "Tensor",
    "data",
    "debug",
    "define",
    "differentiable",
    "draw",
    "enable_grad",
    "from_dlpack",
    "functional",
    "get_num_threads",
    "gradients",
    "is_grad_enabled",
    "manual_seed",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "set_num_threads",
    "testing",
    "training",
]


_IN = {  # the names that are no modules, and where they are
    "NonFiniteError": "debugging",
    "debug": "debugging",
    "draw": "graph",
    "get_num_threads": "kernels.threads",
    "set_num_threads": "kernels.threads",
}


def _advice(name: str) -> str:
    """Say where a name that is looked for in vain may be."""
    if name in ("tensor", "array", "asarray", "as_tensor"):
        return ": write minigrad.Tensor(data)"
    for room in ("functional", "nn", "optim"):
        if not name.startswith("_") and hasattr(__getattr__(room), name):
            return f": it is minigrad.{room}.{name}"
    if not name.startswith("_") and callable(getattr(numpy, name, None)):
        return f": NumPy's functions take Tensors, write np.{name}"
    return ""


def __getattr__(name: str) -> Any:
    """Import the rest on first use, so that `import minigrad` takes little more than NumPy."""
    if name not in __all__:
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}{_advice(name)}")
    module = importlib.import_module(f"minigrad.{_IN.get(name, name)}")
    return getattr(module, name) if name in _IN else module
