"""The table: what a call on Tensors does, and the line of NumPy that differentiates it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from minigrad.autograd import messages
from minigrad.autograd.clock import PLAIN, arrays_in
from minigrad.autograd.dtypes import as_number
from minigrad.autograd.graph import Function, Handle, bare

Pullback = Function
Call = tuple[tuple[Any, ...], dict[str, Any]]
Rule = TypeVar("Rule", bound=Function)

# By function: a Primitive, which is recorded, or what to call in the function's place.
rules: dict[Function, Primitive | Function] = {}
late: list[Callable[[], None]] = []  # what may enter more, when a function is not among the rules


class Primitive:
    """A differentiable function: how to compute it, and a pullback for each array argument.

    A pullback is `(g, y, *inputs, **keywords) -> gradient`, pure and written in NumPy, so that the
    same line serves bare arrays and, with `create_graph=True`, Tensors. An argument whose name
    starts with an underscore is not kept for it: `_y` is None (`g` has its shape), an input comes
    as a stand-in with `shape` and `dtype`. The arguments after the inputs are the keywords that
    the function accepts; arrays among them are dated by the clock as the inputs are, unless the
    keyword's name starts with an underscore. What a pullback returns is summed over the axes along
    which its input was broadcast.

    A `joint` pullback, `(needs, g, y, *inputs, **keywords) -> gradients`, serves a function of any
    number of arrays, or one whose gradients share work; `needs` has a flag for each input.

    With `residual=True` the forward function returns `(y, residual)` and the pullbacks take
    `residual=`. It spares work and never carries the derivative: with `create_graph=True` they
    get None for it, unless it is an array of integers or booleans.

    `work`, from the shapes of the output and the inputs, counts the products that the
    function sums; None, if it multiplies no matrix.
    """

    def __init__(self, function: Function):
        self.function = self.forward = function
        self.name: str = function.__name__.lstrip("_")
        self.pullbacks: Sequence[Any] = ()  # a Pullback or None for each array
        self.joint: Pullback | None = None
        self.residual = False
        self.options: Function | None = None  # what to call for keywords that no pullback takes
        self.work: Callable[..., int] | None = None
        self.inputs: int | None = 0  # how many arrays it takes; None: any number
        self.accepts: frozenset[str] = frozenset()
        self.kept = _Kept(self)

    @functools.cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the function's arguments, in order; none for a ufunc."""
        if isinstance(self.function, np.ufunc):
            return ()
        return tuple(inspect.signature(self.function).parameters)

    def bind(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Call:
        """Sort a call's arguments into inputs and the keywords that the pullbacks accept.

        A keyword that is not accepted must be left at NumPy's default.
        """
        n = len(arguments) if self.inputs is None else self.inputs
        if len(arguments) < n and keywords:  # np.sum(a=t)
            arguments += self._named(self.parameters[len(arguments) : n], keywords)
        if len(arguments) > n:
            extra = self.parameters[n:]
            if len(arguments) - n > len(extra):
                raise TypeError(f"{self.name}: takes {n} arrays, got {len(arguments)}")
            keywords = {**dict(zip(extra, arguments[n:], strict=False)), **keywords}
        for name in keywords and keywords.keys() - self.accepts:
            value = keywords.pop(name)
            if value is not None and value is not np._NoValue:
                raise TypeError(messages.keyword_not_accepted(self, name, value))
        if PLAIN.issuperset(map(type, keywords.values())):  # most calls
            return arguments[:n], keywords
        tensors = [v for v in arrays_in(keywords.values()) if isinstance(v, Handle)]
        for tensor in (t for t in tensors if t.requires_grad):
            raise TypeError(messages.tensor_as_keyword(self, keywords, tensor))
        keywords = bare(keywords) if tensors else keywords
        return arguments[:n], {k: as_number(v) for k, v in keywords.items()}

    def _named(self, names: Sequence[str], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """Take the inputs `names` out of the keywords; the last ones may be left out."""
        found = [name for name in names if name in keywords]
        for name, expected in zip(found, names, strict=False):
            if name != expected:
                raise TypeError(f"{self.name}: the argument {expected!r} is missing")
        return tuple([keywords.pop(name) for name in found])


class _Kept(dict[tuple[bool, ...], Sequence[bool]]):
    """Which of `(y, *inputs)` the pullbacks read, by the inputs that need a gradient."""

    def __init__(self, entry: Primitive):
        self.entry = entry

    def __missing__(self, needs: tuple[bool, ...]) -> Sequence[bool]:
        called: Sequence[Any] = [self.entry.joint]
        if not self.entry.joint:
            called = [p for p, need in zip(self.entry.pullbacks, needs, strict=False) if need]
        if None in called:
            raise TypeError(messages.no_pullback(self.entry, needs))
        reads = [_reads(pullback, 1 + bool(self.entry.joint), len(needs)) for pullback in called]
        self[needs] = tuple(map(any, zip(*reads, strict=True)))
        return self[needs]


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


def primitive(function: Function) -> Primitive:
    """Return the entry of a recorded function in the table, made on first use."""
    entry = rules.get(function)
    if not isinstance(entry, Primitive):
        entry = rules[function] = Primitive(function)
    return entry


def define(
    function: Function,
    *pullbacks: Pullback | None,
    forward: Function | None = None,
    joint: Pullback | None = None,
    residual: bool = False,
    work: Callable[..., int] | None = None,
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
    work : callable, optional
        From the shapes of the output and the inputs to the work, for `Module.summary`.

    Returns
    -------
    Primitive
        The entry.

    Examples
    --------
    >>> import numpy as np
    >>> define(np.exp, lambda g, y, _x: g * y).function is np.exp
    True
    """
    entry = primitive(function)
    entry.forward = forward or entry.forward
    entry.pullbacks, entry.joint, entry.residual, entry.work = pullbacks, joint, residual, work
    accepts: set[str] = set()
    for p in filter(None, [joint, *pullbacks]):
        positional, repeats, keywords = _arguments(p)
        fixed = len(positional) - 3 if joint else len(pullbacks)
        entry.inputs = None if joint and repeats else fixed
        accepts.update(keywords, () if repeats else positional[2 + bool(joint) + fixed :])
    entry.accepts = frozenset(accepts - {"residual"})
    entry.kept.clear()
    return entry


def compose(function: Function) -> Callable[[Rule], Rule]:
    """Enter what is called in place of `function`: `compose(np.flipud)(lambda m: np.flip(m, 0))`.

    It is written in functions of the table, and so is recorded as those. Also a decorator.
    """

    def enter(rule: Rule) -> Rule:
        rules[function] = rule
        return rule

    return enter


def look_again(function: Function) -> Primitive | Function | None:
    """Return the rule of a function after all that enters rules late has been asked to."""
    for enter in late:
        enter()
    return rules.get(function)


def on_arrays(*functions: Function) -> None:
    """Enter functions whose results have no derivative: they get and give plain arrays."""
    rules.update((function, functools.partial(_bared, function)) for function in functions)


def _bared(function: Function, *arguments: Any, **keywords: Any) -> Any:
    return function(*bare(arguments), **bare(keywords))
