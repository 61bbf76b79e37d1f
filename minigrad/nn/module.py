"""Module: an object with parameters, found by walking its attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from minigrad.autograd import note_change
from minigrad.methods import Array
from minigrad.mode import local
from minigrad.tensor import Tensor


class Parameter(Tensor):
    """A Tensor that a module trains: it requires a gradient from the start."""

    __slots__ = ()

    def __init__(
        self, data: Any, requires_grad: bool = True, *, dtype: Any = None, name: str | None = None
    ):
        super().__init__(data, requires_grad, dtype=dtype, name=name)


class Frame:
    """A module while it runs, and the one that called it: where a node was recorded."""

    __slots__ = ("module", "parent")

    def __init__(self, parent: Frame | None, module: Module):
        self.parent, self.module = parent, module

    def __str__(self) -> str:
        root = self
        while root.parent is not None:
            root = root.parent
        kind = type(self.module).__name__
        for name, module in root.module.named_modules():
            if module is self.module and name:
                return f"{name}: {kind}"
        return kind


class Module:
    """The base of layers and networks: write `__init__` and `forward`.

    Parameters, buffers and modules are found by walking the attributes, and the lists, tuples and
    dicts among them, in the order of definition, each object once:

    - a parameter is a `Parameter`, or any Tensor that requires a gradient;
    - a buffer, saved with the module but not trained, is any other Tensor or array.

    Names are dotted paths such as `block1.layers.0.weight`. Attributes whose name starts with an
    underscore are private: not walked.

    Examples
    --------
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.weight = Parameter([2.0])
    ...
    ...     def forward(self, x):
    ...         return self.weight * x
    >>> [name for name, _ in Scale().named_parameters()]
    ['weight']
    """

    training: bool = True

    def forward(self, *inputs: Any, **keywords: Any) -> Any:
        """Compute the output; subclasses write this, users call the module itself."""
        raise NotImplementedError(f"{type(self).__name__}: write forward(self, x)")

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        mode = local.mode
        before = mode.module
        mode.module = Frame(before, self)
        try:
            return self.forward(*inputs, **keywords)
        finally:
            mode.module = before

    # ------------------------------------------------------------------------------- what it holds
    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield the path and object of this module (path '') and every module inside."""
        for path, value, _ in _walk(self):
            if isinstance(value, Module):
                yield path, value

    def modules(self) -> Iterator[Module]:
        """Yield this module and every module inside."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the path and Tensor of every parameter, each once."""
        for path, value, _ in _walk(self):
            if _is_parameter(value):
                yield path, value

    def parameters(self) -> Iterator[Tensor]:
        """Yield every parameter, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor | Array]]:
        """Yield the path and value of what is saved but not trained, such as running means."""
        for path, value, _ in _walk(self):
            if isinstance(value, Tensor | np.ndarray) and not _is_parameter(value):
                yield path, value

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    # ------------------------------------------------------------------------------ how it behaves
    def train(self, mode: bool = True) -> Self:
        """Let every module inside behave as in training: dropout drops, batch norm learns."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Let every module inside behave as in evaluation."""
        return self.train(False)

    def astype(self, dtype: Any) -> Self:
        """Convert parameters and floating point buffers in this module, and return it."""
        for _, value, place in list(_walk(self)):
            if isinstance(value, Tensor) and value.dtype.kind == "f":
                value.data = value.data.astype(dtype)
            elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
                holder, key = place
                holder[key] = value.astype(dtype)
        return self

    # -------------------------------------------------------------------------------------- saving
    def state_dict(self) -> dict[str, Array]:
        """Return a copy of every parameter and buffer by its path."""
        return {path: np.array(array) for path, array in _arrays(self)}

    def load_state_dict(self, state: dict[str, Any], *, strict: bool = True) -> None:
        """Write arrays into parameters and buffers, in place.

        Parameters
        ----------
        state : dict
            Arrays by path, as `state_dict` returns them.
        strict : bool
            Whether missing and unexpected names are errors.

        Raises
        ------
        ValueError
            With all problems in one message; then nothing was written.
        """
        own = dict(_arrays(self))
        problems = [f"missing {name}" for name in own if strict and name not in state]
        problems += [f"unexpected {name}" for name in state if strict and name not in own]
        problems += [
            f"{name} has shape {np.shape(state[name])}, expected {array.shape}"
            for name, array in own.items()
            if name in state and np.shape(state[name]) != array.shape
        ]
        if problems:
            raise ValueError(f"load_state_dict: {type(self).__name__}: " + "; ".join(problems))
        for name, array in own.items():
            if name in state:
                array[...] = np.asarray(state[name])
                note_change(array)

    # ---------------------------------------------------------------------------------- appearance
    def extra_repr(self) -> str:
        """Return what `repr` shows between the brackets; subclasses may write this."""
        return ""

    def __repr__(self) -> str:
        lines = [
            f"  ({name}): " + repr(value).replace("\n", "\n  ")
            for name, value in vars(self).items()
            if isinstance(value, Module)
        ]
        body = "\n" + "\n".join(lines) + "\n" if lines else ""
        return f"{type(self).__name__}({self.extra_repr()}{body})"


def _is_parameter(value: Any) -> bool:
    return isinstance(value, Parameter) or (isinstance(value, Tensor) and value.requires_grad)


def _arrays(module: Module) -> Iterator[tuple[str, Array]]:
    for path, value, _ in _walk(module):
        if isinstance(value, Tensor):
            yield path, value.data
        elif isinstance(value, np.ndarray):
            yield path, value


def _walk(root: Module) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, object and place of all modules, Tensors and arrays, depth first, each once."""
    seen: set[int] = set()
    stack: list[tuple[str, Any, Any]] = [("", root, None)]
    while stack:
        path, value, place = stack.pop()
        if not isinstance(value, Module | Tensor | np.ndarray | list | tuple | dict):
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Module | Tensor | np.ndarray):
            yield path, value, place
        holder = vars(value) if isinstance(value, Module) else value
        items: list[tuple[Any, Any]] = []
        if isinstance(holder, dict):
            private = isinstance(value, Module)
            items = [(k, v) for k, v in holder.items() if not (private and k.startswith("_"))]
        elif isinstance(holder, list | tuple):
            items = list(enumerate(holder))
        dot = f"{path}." if path else ""
        stack += [(f"{dot}{key}", v, (holder, key)) for key, v in reversed(items)]
