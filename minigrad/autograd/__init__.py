"""The engine: Tensors, the graph that they record, and the sweep that differentiates it.

Its files, in reading order: mode, graph, clock, dtypes, table, recording, sweep, methods, tensor,
and last messages and refusals, which say what the others refuse. They import NumPy and each other
alone.
"""

from minigrad.autograd.clock import changed_at, kept_arrays, note_change, owner_of
from minigrad.autograd.dtypes import alike
from minigrad.autograd.graph import (
    Array,
    Axis,
    Constant,
    Handle,
    Leaf,
    Node,
    Shape,
    bare,
    reachable,
)
from minigrad.autograd.messages import describe
from minigrad.autograd.mode import enable_grad, is_grad_enabled, local, no_grad
from minigrad.autograd.recording import differentiable
from minigrad.autograd.sweep import gradients, sweep
from minigrad.autograd.table import Primitive, Pullback, compose, define, late, on_arrays, rules
from minigrad.autograd.tensor import Tensor, from_dlpack
