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
from minigrad.random import get_rng_state, manual_seed, set_rng_state

if TYPE_CHECKING:
    from minigrad import data, functional, nn, optim, testing, training
    from minigrad.debugging import NonFiniteError, debug
    from minigrad.graph import draw
    from minigrad.kernels.threads import get_num_threads, set_num_threads
    from minigrad.saving import DamagedFileError, load, save

__version__ = "0.1.0"
__all__ = [
    "DamagedFileError",
    "NonFiniteError",
    "Tensor",
    "data",
    "debug",
    "define",
    "differentiable",
    "draw",
    "enable_grad",
    "functional",
    "get_num_threads",
    "get_rng_state",
    "gradients",
    "is_grad_enabled",
    "load",
    "manual_seed",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "save",
    "set_num_threads",
    "set_rng_state",
    "testing",
    "training",
]


_IN = {  # the names that are no modules, and where they are
    "DamagedFileError": "saving",
    "NonFiniteError": "debugging",
    "debug": "debugging",
    "draw": "graph",
    "get_num_threads": "kernels.threads",
    "load": "saving",
    "save": "saving",
    "set_num_threads": "kernels.threads",
}


def __getattr__(name: str) -> Any:
    """Import the rest on first use, so that `import minigrad` takes little more than NumPy."""
    if name not in __all__:
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
    module = importlib.import_module(f"minigrad.{_IN.get(name, name)}")
    return getattr(module, name) if name in _IN else module
