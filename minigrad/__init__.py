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
from minigrad.kernels.memory import keep_freed_memory
from minigrad.random import get_rng_state, manual_seed, set_rng_state

if TYPE_CHECKING:
    from minigrad import data, functional, nn, optim, testing, training
    from minigrad.debugging import NonFiniteError, TrainingWarning, debug
    from minigrad.graph import draw
    from minigrad.kernels.threads import get_num_threads, set_num_threads
    from minigrad.recompute import checkpoint
    from minigrad.saving import DamagedFileError, load, save
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

lines.show_warnings_there()
keep_freed_memory()

__version__ = "0.2.0"
__all__ = [
    "DamagedFileError",
    "NonFiniteError",
    "Tensor",
    "TrainingWarning",
    "checkpoint",
    "data",
    "debug",
    "define",
    "differentiable",
    "draw",
    "elementwise_grad",
    "enable_grad",
    "flatten",
    "from_dlpack",
    "functional",
    "get_num_threads",
    "get_rng_state",
    "ggnvp",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "is_grad_enabled",
    "jacobian",
    "jvp",
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
    "value_and_grad",
    "vjp",
]


_IN = {  # the names that are no modules, and where they are
    "DamagedFileError": "saving",
    "NonFiniteError": "debugging",
    "checkpoint": "recompute",
    "TrainingWarning": "debugging",
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
    "load": "saving",
    "save": "saving",
    "set_num_threads": "kernels.threads",
    "value_and_grad": "transforms",
    "vjp": "transforms",
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
