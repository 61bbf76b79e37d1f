"""Containers: modules that call other modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from minigrad.nn.module import Module


class Sequential(Module):
    """Call modules one after the other.

    Parameters
    ----------
    *modules : callable
        Their names are their positions: `0.weight`, `0.bias`, ... Plain functions may stand among
        them.
    **named : callable
        Modules with names of their own, after the others.

    Examples
    --------
    >>> from minigrad.nn import Linear, ReLU
    >>> model = Sequential(Linear(4, 3), ReLU(), Linear(3, 2))
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Callable[..., Any], **named: Callable[..., Any]):
        self._names = [*map(str, range(len(modules))), *named]
        for name, module in zip(self._names, [*modules, *named.values()], strict=True):
            if not callable(module) or isinstance(module, type):
                raise TypeError(
                    f"Sequential: {name} must be a module, such as ReLU(), or a function, got "
                    f"{module!r:.60}"
                )
            if name.startswith("_") or hasattr(Sequential, name):
                raise ValueError(f"Sequential: a module can't be called {name!r}: rename it")
            setattr(self, name, module)

    def forward(self, x: Any) -> Any:
        """Pass `x` through all modules."""
        for module in self:
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self._names)

    def __getitem__(self, index: int) -> Any:
        return [*self][index]
