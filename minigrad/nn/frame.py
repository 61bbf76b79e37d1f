"""Where in a network a call is: the module that runs, and the one that called it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minigrad.nn.module import Module


class Frame:
    """A module while it runs, and the one that called it: where a node was recorded.

    It holds the module, since pictures name modules that are gone otherwise. So a module that keeps
    what it computed is part of a cycle, and waits for the garbage collector.
    """

    __slots__ = ("module", "parent")

    def __init__(self, parent: Frame | None, module: Module):
        self.parent, self.module = parent, module

    def __str__(self) -> str:
        root = self
        while root.parent is not None:
            root = root.parent
        kind = type(self.module).__name__
        paths = (path for path, module in root.module.named_modules() if module is self.module)
        path = next(paths, "")
        return f"{path}: {kind}" if path else kind
