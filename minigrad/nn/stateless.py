"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import setitem
from typing import Any

import numpy as np

from minigrad.autograd import Array, Constant, Tensor, bare
from minigrad.checks import undoing
from minigrad.nn.module import Module, members


def functional_call(module: Module, parameters: Mapping[str, Any], *inputs: Any) -> Any:
    """Call a module with other values in the place of its parameters and buffers.

    Parameters
    ----------
    module : Module
        Its own parameters are afterwards as they were. Training moves running means and the like:
        those given, or else its own.
    parameters : mapping
        Arrays or Tensors by path, as `state_dict` names them; those left out are the module's own.
    *inputs
        What the module is called with.

    Returns
    -------
    Tensor
        What the module returns.

    Raises
    ------
    ValueError
        If a name is unknown, or a shape does not fit.

    Examples
    --------
    >>> from minigrad import grad, nn
    >>> layer = nn.Linear(2, 1)
    >>> loss = lambda p, x: np.sum(functional_call(layer, p, x) ** 2)
    >>> {k: g.shape for k, g in grad(loss)(layer.state_dict(), np.ones((3, 2))).items()}
    {'weight': (2, 1), 'bias': (1,)}
    """
    own = {path: place for path, *place in _places(module)}
    _check(module, parameters, own)
    before = [call for name in parameters for call in _as_it_is(*own[name])]
    with undoing(before):
        for name, given in parameters.items():
            value, holder, key = own[name]
            if isinstance(value, Tensor):  # an object that may be held in several places
                new = given if isinstance(given, Tensor) else Tensor(np.asarray(given))
                value._array, value._node = new.data, new._node or Constant(new.shape, new.dtype)
            else:
                holder[key] = given
        return module(*inputs)


def _check(module: Module, parameters: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    problems = [f"unexpected {name}" for name in parameters if name not in own]
    problems += [
        f"{name} has shape {np.shape(value)}, expected {own[name][0].shape}"
        for name, value in parameters.items()
        if name in own and np.shape(value) != own[name][0].shape
    ]
    problems += [
        f"{name} is complex, expected real numbers"
        for name, value in parameters.items()
        if np.iscomplexobj(bare(value))
    ]
    if problems:
        kind = type(module).__name__
        raise ValueError(f"functional_call: {kind}: {'; '.join(problems)}")


def _as_it_is(value: Tensor | Array, holder: Any, key: Any) -> list[tuple[Any, ...]]:
    """Return the calls that put a parameter or buffer back."""
    if isinstance(value, Tensor):
        return [(setattr, value, "_array", value._array), (setattr, value, "_node", value._node)]
    return [(setitem, holder, key, value)]


def _places(module: Module) -> Iterator[tuple[str, Tensor | Array, Any, Any]]:
    """Yield the path of each parameter and buffer, the object, its holder and its key there."""
    for path, inner in module.named_modules():
        dot = f"{path}." if path else ""
        for name, value, holder, key in members(vars(inner)):
            if not isinstance(value, Module):
                yield dot + name, value, holder, key
