"""minigrad: automatic differentiation for NumPy, small enough to read in an afternoon."""

from minigrad import functional, nn, ops, optim
from minigrad.gradients import gradients
from minigrad.mode import enable_grad, is_grad_enabled, no_grad
from minigrad.random import manual_seed
from minigrad.table import define
from minigrad.tensor import Tensor, differentiable

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


def __getattr__(name: str) -> object:
    """Import the parts that computing needs none of when they are first used."""
    if name in ("data", "testing", "training"):
        import importlib

        return importlib.import_module(f"minigrad.{name}")
    raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
