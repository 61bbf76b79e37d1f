"""Module: an object with parameters, found by walking its attributes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad import html
from minigrad.autograd import Array, Tensor, bare, local
from minigrad.checks import undoing
from minigrad.functional.layers import rehearsal
from minigrad.nn.frame import Frame
from minigrad.nn.loading import Skipped, load_into
from minigrad.nn.parameter import Parameter, is_parameter

if TYPE_CHECKING:
    from minigrad.graph import GraphView
    from minigrad.nn.summary import Summary

Hook = Callable[["Module", tuple[Any, ...], Any], object]


class Module:
    """The base of layers and networks: write `__init__` and `forward`.

    Parameters, buffers and modules are found by walking the attributes, and the lists, tuples and
    dicts among them, in the order of definition, each object once:

    - a parameter is a `Parameter`, or any Tensor that requires a gradient;
    - a buffer, saved with the module but not trained, is any other Tensor or array.

    Names are dotted paths such as `block1.layers.0.weight`. An array or plain Tensor whose name, or
    whose list or dict, starts with an underscore is private: not walked; a module or a `Parameter`
    there is. Results of recorded operations are not walked.

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
    _hooks: tuple[Hook, ...] = ()

    def forward(self, *inputs: Any, **keywords: Any) -> Any:
        """Compute the output; subclasses write this, users call the module itself."""
        raise NotImplementedError(f"{type(self).__name__}: write forward(self, x)")

    def __call__(self, *inputs: Any, **keywords: Any) -> Tensor:
        """Call `forward`; what it records, and an error in it, tells the path of this module.

        To an editor the output is a Tensor, and several are Tensors one by one: `a, b = model(x)`.
        For an output of another kind write `y: Any = model(x)`.
        """
        mode = local.mode
        before = mode.module
        mode.module = Frame(before, self)
        try:
            y: Tensor = self.forward(*inputs, **keywords)
            for look in self._hooks:
                look(self, inputs, y)
            return y
        except Exception as error:
            if not hasattr(error, "__notes__"):  # the innermost module says where it happened
                error.add_note(f"in {mode.module}")
            raise
        finally:
            mode.module = before

    # ------------------------------------------------------------------------------- what it holds
    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield the path and object of this module (path '') and every module inside."""
        return ((path, value) for path, value in _walk(self) if isinstance(value, Module))

    def modules(self) -> Iterator[Module]:
        """Yield this module and every module inside."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the path and Tensor of every parameter, each once."""
        return ((path, value) for path, value in _walk(self) if is_parameter(value))

    def parameters(self) -> Iterator[Tensor]:
        """Yield every parameter, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor | Array]]:
        """Yield the path and value of what is saved but not trained, such as running means."""
        for path, value in _walk(self):
            if isinstance(value, Tensor | np.ndarray) and not is_parameter(value):
                yield path, value

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    # ------------------------------------------------------------------------------ how it behaves
    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let the parameters inside be trained, or stay as they are; return this module."""
        for _, value in _walk(self):
            if isinstance(value, Parameter):
                value.requires_grad = requires_grad
        return self

    def register_forward_hook(self, look: Hook) -> Callable[[], None]:
        """Call `look(module, inputs, output)` after each call; return what ends that.

        It is for looking: what it returns is ignored.
        """
        self._hooks = (*self._hooks, look)

        def remove() -> None:
            self._hooks = tuple(other for other in self._hooks if other is not look)

        return remove

    def train(self, mode: bool = True) -> Self:
        """Let every module inside behave as in training: dropout drops, batch norm learns."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Let every module inside behave as in evaluation."""
        return self.train(False)

    def astype(self, dtype: DTypeLike) -> Self:
        """Convert parameters and floating point buffers in this module, and return it."""
        dtype = np.dtype(dtype)
        if dtype.kind != "f":
            raise TypeError(f"astype: a module computes in floating point, got {dtype}")
        places = [
            (value, holder, key)
            for module in self.modules()
            for _, value, holder, key in members(vars(module))
            if not isinstance(value, Module) and value.dtype.kind == "f"
        ]
        for value, holder, key in places:
            if isinstance(value, np.ndarray) and isinstance(holder, tuple):
                raise TypeError(f"astype: can't replace array {key} of a tuple: use a list")
        converted: dict[int, Array] = {}  # an array held twice stays one
        for value, holder, key in places:
            if isinstance(value, np.ndarray):
                holder[key] = converted.setdefault(id(value), value.astype(dtype))
            elif value.dtype != dtype:
                value.data = value.data.astype(dtype)
        return self

    # -------------------------------------------------------------------------------------- saving
    def state_dict(self, *, every_name: bool = False) -> dict[str, Array]:
        """Return a copy of every parameter and buffer by its path.

        With `every_name` one that is held twice, a tied weight, stands under each of its paths.
        """
        found = _every_name(self) if every_name else _arrays(self)
        return {path: array.copy() for path, array in found.items()}

    def load_state_dict(self, state: Mapping[str, ArrayLike], *, strict: bool = True) -> Skipped:
        """Write arrays into parameters and buffers, in place.

        Parameters
        ----------
        state : mapping
            Arrays by path, as `state_dict` returns them; of a tied weight, by any of its paths.
        strict : bool
            Whether missing and unexpected names are errors.

        Returns
        -------
        Skipped
            The names that were missing, and those that were not expected.

        Raises
        ------
        ValueError
            With all problems in one message; then nothing was written.
        """
        return load_into(type(self).__name__, _arrays(self), _every_name(self), state, strict)

    # ---------------------------------------------------------------------------------- appearance
    def draw(self, *inputs: object, **options: object) -> GraphView:
        """Call this module and draw the graph: `minigrad.draw` with these options.

        Arrays among the inputs become Tensors; buffers such as running means stay as they were.
        """
        graph = importlib.import_module("minigrad.graph")  # which is built on this file
        with undoing([(setattr, rehearsal, "on", rehearsal.on)]):
            rehearsal.on = True
            view: GraphView = graph.draw_module(self, inputs, options)
        return view

    def extra_repr(self) -> str:
        """Return what `repr` shows in brackets: numbers and text, unless a subclass writes this."""
        plain = {k: v for k, v in vars(self).items() if isinstance(v, int | float | str)}
        plain.pop("training", None)
        return ", ".join(f"{k}={v!r}" for k, v in plain.items() if not k.startswith("_"))

    def summary(self, *input_shape: int | tuple[int, ...] | Array) -> Summary:
        """Return a table of the layers in the order of their calls, with sizes and work.

        The model runs on one example of zeros, in evaluation mode, and what it records is read:
        so the table has each call, of layers in lists, of layers used twice, and in any `forward`
        that users wrote. A multiply-add is one product in the sums of a convolution or a matrix
        product; those of `np.einsum` are not counted.

        Parameters
        ----------
        *input_shape : int, tuple or ndarray
            The shape of one example, without the batch axis; several, if `forward` takes several.
            For a model that takes integers, a batch of them instead: its first example is used.

        Examples
        --------
        >>> from minigrad.nn import Linear, ReLU, Sequential
        >>> Sequential(Linear(784, 50), ReLU(), Linear(50, 10)).summary(784)
        layer   kind     output   parameters   multiply-adds
        ----------------------------------------------------
        0       Linear   50           39,250          39,200
        1       ReLU     50                0               0
        2       Linear   10              510             500
        ----------------------------------------------------
        total                         39,760          39,700
        """
        from minigrad.nn.summary import summarise

        return summarise(self, *input_shape)

    @recursive_repr("...")
    def __repr__(self) -> str:
        lines = [
            f"  ({name}): " + repr(value).replace("\n", "\n  ")
            for name, value, *_ in members(vars(self))
            if isinstance(value, Module)
        ]
        body = "\n" + "\n".join(lines) + "\n" if lines else ""
        return f"{type(self).__name__}({self.extra_repr()}{body})"

    def _repr_html_(self) -> str:
        return html.module(self)


def _arrays(module: Module) -> dict[str, Array]:
    """Return parameters and buffers by their path."""
    arrays: dict[str, Array] = {}
    for path, value in _walk(module):
        if not isinstance(value, Module):
            if path in arrays:
                raise ValueError(f"state_dict: two arrays are called {path!r}: rename one of them")
            arrays[path] = bare(value)
    return arrays


def _every_name(module: Module, prefix: str = "", above: tuple[int, ...] = ()) -> dict[str, Array]:
    """Return parameters and buffers by all their paths: what is held twice has two."""
    arrays: dict[str, Array] = {}
    for name, value, *_ in members(vars(module)):
        if not isinstance(value, Module):
            arrays[prefix + name] = bare(value)
        elif id(value) not in above:
            arrays |= _every_name(value, f"{prefix}{name}.", (*above, id(module)))
    return arrays


def _walk(root: Module) -> Iterator[tuple[str, Module | Tensor | Array]]:
    """Yield path and object of all modules, leaf Tensors and arrays, depth first, each once."""
    seen: set[int] = set()
    stack: list[tuple[str, Module | Tensor | Array]] = [("", root)]
    while stack:
        path, value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield path, value
        if isinstance(value, Module):
            dot = f"{path}." if path else ""
            stack += reversed([(dot + name, v) for name, v, *_ in members(vars(value))])


def members(
    holder: Any, prefix: str = "", above: tuple[int, ...] = (), private: bool = False
) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield name, object, and its holder and key there, of what one module holds itself."""
    for key, value in enumerate(holder) if isinstance(holder, list | tuple) else holder.items():
        if value.__class__ in _SETTINGS:  # most of what there is
            continue
        name = f"{prefix}{key}"
        hidden = private or (not prefix and name.startswith("_"))
        if isinstance(value, _VISIBLE if hidden else _HELD) or (
            not hidden and isinstance(value, Tensor) and value.is_leaf
        ):
            yield name, value, holder, key
        elif isinstance(value, _CONTAINERS) and id(value) not in above:
            yield from members(value, f"{name}.", (*above, id(value)), hidden)


_SETTINGS = frozenset({bool, int, float, str, type(None)})
_VISIBLE, _HELD, _CONTAINERS = (Module, Parameter), (Module, np.ndarray), (list, tuple, dict)
