"""Containers: modules that call other modules."""

from __future__ import annotations

from collections.abc import Iterator
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

    def __init__(self, *modules: Any, **named: Any):
        for name, module in {**dict(enumerate(modules)), **named}.items():
            if not callable(module):
                raise TypeError(f"Sequential: {name} is no module or function: {module!r:.60}")
            setattr(self, str(name), module)

    def _steps(self) -> list[Any]:
        return [step for name, step in vars(self).items() if name != "training"]

    def forward(self, x: Any) -> Any:
        """Pass `x` through all modules."""
        for step in self._steps():
            x = step(x)
        return x

    def __len__(self) -> int:
        return len(self._steps())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._steps())

    def __getitem__(self, index: int) -> Any:
        return self._steps()[index]
