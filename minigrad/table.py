"""The table of pullbacks: what is differentiable, and the line of NumPy that differentiates it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

Pullback = Callable[..., Any]


class Primitive:
    """A differentiable function: how to compute it, and a pullback for each array argument.

    A pullback is `(g, y, *inputs, **keywords) -> gradient`, pure and written in NumPy, so that the
    same line serves bare arrays and, with `create_graph=True`, Tensors. An argument whose name
    starts with an underscore is not kept for it: `_y` is None (`g` has its shape), an input comes
    as a stand-in with `shape` and `dtype`. The arguments after the inputs are the keywords that
    the function accepts.

    A `joint` pullback, `(needs, g, y, *inputs, **keywords) -> gradients`, serves a function of any
    number of arrays, or one whose gradients share work; `needs` has a flag for each input.

    With `residual=True` the forward function returns `(y, residual)` and the pullbacks take
    `residual=`. It spares work and never carries the derivative: with `create_graph=True` they
    get None for it, unless it is an array of integers or booleans.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = self.forward = function
        self.name: str = function.__name__.lstrip("_")
        self.broadcasts = isinstance(function, np.ufunc) and function.signature is None
        self.pullbacks: tuple[Pullback | None, ...] = ()
        self.joint: Pullback | None = None
        self.residual = False
        self.inputs: int | None = 0  # how many arrays it takes; None: any number
        self.accepts: frozenset[str] = frozenset()
        self.kept: dict[tuple[bool, ...], tuple[bool, ...]] = {}

    @functools.cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the function's arguments, in order; none for a ufunc."""
        if isinstance(self.function, np.ufunc):
            return ()
        return tuple(inspect.signature(self.function).parameters)

    def keeps(self, needs: tuple[bool, ...]) -> tuple[bool, ...]:
        """Say which of `(y, *inputs)` the pullbacks read for the inputs flagged in `needs`."""
        if needs not in self.kept:
            if self.joint:
                reads = [_reads(self.joint, 2, len(needs))]
            else:
                pullbacks = [p for p, n in zip(self.pullbacks, needs, strict=False) if n]
                if None in pullbacks:
                    at = next(i for i, n in enumerate(needs) if n and self.pullbacks[i] is None)
                    raise TypeError(
                        f"{self.name}: argument {at} has no derivative but requires a gradient: "
                        "pass it as argument.detach()"
                    )
                reads = [_reads(p, 1, len(needs)) for p in pullbacks if p]
            self.kept[needs] = tuple(map(any, zip(*reads, strict=True)))
        return self.kept[needs]

    def bind(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort a call's arguments into inputs and the keywords that the pullbacks accept.

        Raises
        ------
        TypeError
            If a keyword is not accepted and is not left at NumPy's default.
        """
        n = len(arguments) if self.inputs is None else self.inputs
        if len(arguments) < n and keywords and self.parameters:  # np.sum(a=t)
            names = self.parameters[len(arguments) : n]
            given = [name in keywords for name in names]
            if True in given[given.index(False) if False in given else n :]:
                missing = names[given.index(False)]
                raise TypeError(f"{self.name}: the argument {missing!r} is missing")
            arguments += tuple(keywords.pop(name) for name in names if name in keywords)
        if len(arguments) > n:
            extra = self.parameters[n:]
            if len(arguments) - n > len(extra):
                raise TypeError(f"{self.name}: takes {n} arrays, got {len(arguments)}")
            keywords = {**dict(zip(extra, arguments[n:], strict=False)), **keywords}
        if not keywords:
            return arguments[:n], keywords
        for name in keywords.keys() - self.accepts:
            value = keywords.pop(name)
            if value is not None and value is not np._NoValue:
                accepted = ", ".join(sorted(self.accepts)) or "none"
                raise TypeError(
                    f"{self.name}: the keyword {name}={value!r:.40} has no derivative here "
                    f"(accepted: {accepted}): leave it out"
                )
        for name, value in keywords.items():
            if isinstance(value, np.generic):  # np.float64(0.1) would widen float32
                keywords[name] = value.item()
        return arguments[:n], keywords


def _arguments(pullback: Pullback) -> tuple[list[str], bool, list[str]]:
    """Return the names of a pullback's positional arguments (`*names` last), and of its keywords.

    Read off the code object, which takes a hundredth of the time of `inspect.signature`.
    """
    code = pullback.__code__
    names, n = code.co_varnames, code.co_argcount
    end = n + code.co_kwonlyargcount
    repeats = bool(code.co_flags & inspect.CO_VARARGS)
    return [*names[:n], *names[end : end + repeats]], repeats, list(names[n:end])


def _reads(pullback: Pullback, skip: int, inputs: int) -> list[bool]:
    """Say which of `(y, *inputs)` a pullback reads: those not named with an underscore."""
    names, repeats, _ = _arguments(pullback)
    if repeats:
        names += names[-1:] * inputs
    return [not name.startswith("_") for name in names[skip : skip + 1 + inputs]]


primitives: dict[Callable[..., Any], Primitive] = {}


def primitive(function: Callable[..., Any]) -> Primitive:
    """Return the entry of `function` in the table, made on first use."""
    if function not in primitives:
        primitives[function] = Primitive(function)
    return primitives[function]


def define(
    function: Callable[..., Any],
    *pullbacks: Pullback | None,
    forward: Callable[..., Any] | None = None,
    joint: Pullback | None = None,
    residual: bool = False,
    broadcasts: bool = False,
) -> Primitive:
    """Enter a function and its pullbacks in the table; `Primitive` describes a pullback.

    Parameters
    ----------
    function : callable
        The function as users call it, for example `np.exp`.
    *pullbacks : callable or None
        One for each array argument; None for one that never has a gradient (a mask, an index).
    forward : callable, optional
        An equivalent that computes it faster.
    joint : callable, optional
        One pullback for all arguments, in place of `pullbacks`.
    residual : bool, optional
        Whether the forward function returns `(y, residual)`.
    broadcasts : bool, optional
        Whether it broadcasts its inputs, as ufuncs do anyway: the sweep then sums gradients back
        to the shape of each input.
    """
    entry = primitive(function)
    entry.forward = forward or entry.forward
    entry.broadcasts = entry.broadcasts or broadcasts
    entry.pullbacks, entry.joint, entry.residual = pullbacks, joint, residual
    accepts: set[str] = set()
    for p in filter(None, [joint, *pullbacks]):
        positional, repeats, keywords = _arguments(p)
        fixed = len(positional) - 3 if joint else len(pullbacks)
        entry.inputs = None if joint and repeats else fixed
        accepts.update(keywords, () if repeats else positional[2 + bool(joint) + fixed :])
    entry.accepts = frozenset(accepts - {"residual"})
    entry.kept.clear()
    return entry
