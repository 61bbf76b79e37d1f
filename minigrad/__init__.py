"""minigrad: automatic differentiation for NumPy, its engine small enough for an afternoon."""

import importlib
from typing import TYPE_CHECKING, Any

from minigrad import ops
from minigrad.autograd import (
    Tensor,
    define,
    differentiable,
    enable_grad,
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
    from minigrad.recompute import checkpoint
    from minigrad.transforms import (
        elementwise_grad,
        ggnvp,
        grad,
        hessian,
        hvp,
        jacobian,
        jvp,
        value_and_grad,
        vjp,
    )
    from minigrad.trees import flatten

__version__ = "0.1.0"
__all__ = [
    "NonFiniteError",
    "Tensor",
    "checkpoint",
    "data",
    "debug",
    "define",
    "differentiable",
    "draw",
    "elementwise_grad",
    "enable_grad",
    "flatten",
    "functional",
    "get_num_threads",
    "ggnvp",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "is_grad_enabled",
    "jacobian",
    "jvp",
    "manual_seed",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "set_num_threads",
    "testing",
    "training",
    "value_and_grad",
    "vjp",
]


_IN = {  # the names that are no modules, and where they are
    "NonFiniteError": "debugging",
    "checkpoint": "recompute",
    "debug": "debugging",
    "draw": "graph",
    "elementwise_grad": "transforms",
    "flatten": "trees",
    "get_num_threads": "kernels.threads",
    "ggnvp": "transforms",
    "grad": "transforms",
    "hessian": "transforms",
    "hvp": "transforms",
    "jacobian": "transforms",
    "jvp": "transforms",
    "set_num_threads": "kernels.threads",
    "value_and_grad": "transforms",
    "vjp": "transforms",
}


def __getattr__(name: str) -> Any:
    """Import the rest on first use, so that `import minigrad` takes little more than NumPy."""
    if name not in __all__:
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
    module = importlib.import_module(f"minigrad.{_IN.get(name, name)}")
    return getattr(module, name) if name in _IN else module
