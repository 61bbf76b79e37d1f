"""minigrad: automatic differentiation for NumPy, small enough to read in an afternoon."""

import importlib
from typing import TYPE_CHECKING, Any

from minigrad import ops
from minigrad.backward import gradients
from minigrad.mode import enable_grad, is_grad_enabled, no_grad
from minigrad.random import manual_seed
from minigrad.table import define
from minigrad.tensor import Tensor, differentiable

if TYPE_CHECKING:
    from minigrad import data, functional, nn, optim, testing, training

__version__ = "0.1.0"
__all__ = [
    "Tensor",
    "data",
    "define",
    "differentiable",
    "enable_grad",
    "functional",
    "gradients",
    "is_grad_enabled",
    "manual_seed",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "testing",
    "training",
]


def __getattr__(name: str) -> Any:
    """Import the packages on first use, so that `import minigrad` takes little more than NumPy."""
    if name in __all__:
        return importlib.import_module(f"minigrad.{name}")
    raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
