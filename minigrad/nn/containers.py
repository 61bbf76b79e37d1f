"""Containers: modules that call other modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

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

    Raises
    ------
    TypeError
        If one of them can't be called, or is a class: `ReLU` for `ReLU()`.
    ValueError
        If a name is taken by the class itself.

    Examples
    --------
    >>> from minigrad.nn import Linear, ReLU
    >>> model = Sequential(Linear(4, 3), ReLU(), Linear(3, 2))
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Callable[..., Any], **named: Callable[..., Any]):
        self._names: list[str] = []
        for module in modules:
            self.append(module)
        for name, module in named.items():
            self._add(name, module)

    def _add(self, name: str, module: Any) -> None:
        if not callable(module) or isinstance(module, type):
            raise TypeError(
                f"Sequential: {name} must be a module, such as ReLU(), or a function, got "
                f"{module!r:.60}"
            )
        if name.startswith("_") or hasattr(Sequential, name):
            raise ValueError(f"Sequential: a module can't be called {name!r}: rename it")
        if name not in self._names:
            self._names.append(name)
        setattr(self, name, module)

    def append(self, module: Callable[..., Any]) -> Self:
        """Add a module at the end, named by its position, and return this one."""
        name = str(len(self))
        if name in self._names:
            raise ValueError(f"Sequential: there is a module {name!r} already")
        self._add(name, module)
        return self

    def forward(self, x: Any) -> Any:
        """Pass `x` through all modules."""
        for module in self:
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self._names)

    def _name(self, index: int | str) -> str:
        if isinstance(index, str) and index not in self._names:
            raise KeyError(f"Sequential: there is no module {index!r}, but {self._names}")
        return index if isinstance(index, str) else self._names[index]

    def __getitem__(self, index: int | str | slice) -> Any:
        """Return a module by position or name, or a Sequential of some, which shares them."""
        if not isinstance(index, slice):
            return getattr(self, self._name(index))
        some = [(name, getattr(self, name)) for name in self._names[index]]
        part = Sequential()
        for i, (name, module) in enumerate(some):
            part._add(str(i) if name.isdigit() else name, module)
        return part

    def __setitem__(self, index: int | str, module: Callable[..., Any]) -> None:
        """Put a module in the place of another, or under a new name at the end."""
        new = isinstance(index, str) and index not in self._names
        self._add(str(index) if new else self._name(index), module)


class Residual(Module):
    """Add to the input what modules make of it: x + f(x), f one module after the other.

    Parameters
    ----------
    *modules : callable
        As for `Sequential`.
    shortcut : callable, optional
        What the input goes through, where the shape changes: shortcut(x) + f(x).

    References
    ----------
    He et al., "Deep Residual Learning for Image Recognition", 2016.

    Examples
    --------
    >>> from minigrad.nn import Linear, ReLU
    >>> import numpy as np
    >>> Residual(Linear(4, 4), ReLU())(np.ones((2, 4))).shape
    (2, 4)
    """

    def __init__(self, *modules: Callable[..., Any], shortcut: Callable[..., Any] | None = None):
        self.body, self.shortcut = Sequential(*modules), shortcut

    def forward(self, x: Any) -> Any:
        """Keep the shape, or have that of the shortcut."""
        return (x if self.shortcut is None else self.shortcut(x)) + self.body(x)
