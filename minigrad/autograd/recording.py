"""Recording: how a call on Tensors is computed and noted in the graph, or refused."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd import clock, messages
from minigrad.autograd.clock import arrays_in
from minigrad.autograd.dtypes import match, operand, result
from minigrad.autograd.graph import NO_GRADIENT, Constant, Handle, Node, bare, nobody, place_of
from minigrad.autograd.mode import P, R, local
from minigrad.autograd.table import Primitive, Pullback, define, look_again, primitive, rules

if TYPE_CHECKING:
    from minigrad.autograd.tensor import Tensor

Binary = Callable[[Any, Any], "Tensor"]

_NOTHING: dict[str, Any] = {}
_NUMBERS = frozenset({float, int, bool})
_RESULTS = (np.ndarray, np.generic)
_OPERANDS = (Handle, np.ndarray, np.generic, float, int, complex, list, tuple)


def record(entry: Primitive, inputs: Sequence[Any], keywords: dict[str, Any] = _NOTHING) -> Any:
    """Compute a primitive and, if an input requires a gradient, note the call in the graph.

    `inputs` are Tensors, arrays, Python numbers or None, `keywords` what else the function takes.
    The result is a Tensor, or what the bare function returns if no input is one.
    """
    arrays, places, flags, tensor = [], [], [], None
    for value in inputs:
        if isinstance(value, Handle):
            tensor = value
            array, place = value._array, value._node or place_of(value)
        else:
            array, place = operand(value, entry.name)
        arrays.append(array)
        places.append(place)
        flags.append(place.__class__ not in NO_GRADIENT)
    needs = tuple(flags)
    if tensor is not None and False in needs:
        match(entry, inputs, arrays)
    try:
        y = entry.forward(*arrays, **keywords) if keywords else entry.forward(*arrays)
    except (ValueError, TypeError, IndexError) as error:
        raise messages.explained(error, entry, arrays, keywords) from None
    y, residual = y if entry.residual else (y, None)
    if tensor is None:
        return y
    if not isinstance(y, _RESULTS):
        raise TypeError(messages.no_array(entry, y))
    mode = local.mode
    if mode.debug is not None:
        mode.debug.check_result(entry, arrays, y)
    if not (mode.enabled and True in needs):
        return tensor._wrap(result(y, inputs) if False in needs else y)
    keep = entry.kept[needs]
    saved = [a if k else p for k, a, p in zip(keep, (y, *arrays), (None, *places), strict=True)]
    try:
        node, stamp = Node(), clock.tick()
    except StopIteration:
        node, stamp = clock.Milestone(), clock.turn()
    node.function, node.inputs, node.keywords = entry, tuple(places), keywords
    node.saved, node.residual, node.shape, node.dtype = tuple(saved), residual, y.shape, y.dtype
    node.stamp, node.module, node.name, node.tensor = stamp, mode.module, None, nobody
    if mode.debug is not None:
        mode.debug.watch(node)
    return tensor._wrap(y, node)


def operator_pair(function: np.ufunc, operation: Binary) -> tuple[Binary, Binary]:
    """Make the two methods of a binary operator, such as `__add__` and `__radd__`.

    The usual case, Tensors of one dtype or Python numbers, is written out: it is `record` in half
    the time, and small networks spend theirs here.
    """
    entry = primitive(function)
    entry.forward = operation

    def binary(a: Any, b: Any) -> Any:
        usual, p_needs, q_needs = True, False, False
        if isinstance(a, Handle):
            x, p = a._array, a._node or place_of(a)
            p_needs = p.__class__ is not Constant
        else:
            x = p = a
            usual = a.__class__ in _NUMBERS
        if b.__class__ in _NUMBERS:
            z = q = b
        elif isinstance(b, Handle):
            z, q = b._array, b._node or place_of(b)
            q_needs = q.__class__ is not Constant
            if usual and not (p_needs and q_needs):
                usual = p is a or p.dtype is q.dtype
        else:
            usual = False
        mode = local.mode
        if not (usual and (p_needs or q_needs) and mode.enabled and mode.debug is None):
            for value in (a, b):
                if not (isinstance(value, _OPERANDS) or _is_array(value)):
                    return NotImplemented
            return record(entry, (a, b))
        try:
            y = entry.forward(x, z)
            node, stamp = Node(), clock.tick()
        except ValueError as error:
            raise messages.explained(error, entry, [x, z], _NOTHING) from None
        except StopIteration:
            node, stamp = clock.Milestone(), clock.turn()
        keep_y, keep_x, keep_z = entry.kept[p_needs, q_needs]
        node.saved = y if keep_y else None, x if keep_x else p, z if keep_z else q
        node.function, node.inputs, node.keywords = entry, (p, q), _NOTHING
        node.shape, node.dtype, node.stamp = y.shape, y.dtype, stamp
        node.module, node.name, node.tensor = mode.module, None, nobody
        return a._wrap(y, node) if p_needs else b._wrap(y, node)

    return binary, lambda a, b: binary(b, a)


def _is_array(value: Any) -> bool:
    """Tell whether this is an array of a library that leaves arithmetic with others' to them."""
    return hasattr(value, "__array__") and not hasattr(value, "__array_ufunc__")


def call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a NumPy function on Tensors: record it, compose it, or refuse with a TypeError.

    Nothing leaves the graph silently: not by a function without derivative, nor by a keyword.
    """
    out = keywords.pop("out", None)
    if out is not None:
        tensors = [t for t in arrays_in([arguments, keywords]) if isinstance(t, Handle)]
        if not tensors or any(t.requires_grad for t in tensors):  # out itself may be the Tensor
            raise TypeError(messages.no_out(function.__name__))
        return function(*bare(arguments), **bare(keywords), out=out)
    rule = rules.get(function) or look_again(function)
    if rule is None:
        raise TypeError(messages.no_derivative(function))
    if isinstance(rule, Primitive):
        options = rule.options
        if options is None or (len(arguments) < 3 and rule.accepts.issuperset(keywords)):
            return record(rule, *rule.bind(arguments, keywords))
        rule = options
    try:
        return rule(*arguments, **keywords)
    except TypeError as error:
        raise messages.misfit(error, function.__name__, rule, arguments, keywords) from None


def differentiable(
    *pullbacks: Pullback | None,
    joint: Pullback | None = None,
    residual: bool = False,
    work: Callable[..., int] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a NumPy function differentiable by its pullbacks, one for each array argument.

    `minigrad.autograd.Primitive` describes a pullback, `define` the options. Called without a
    Tensor, the function stays what it was.

    Parameters
    ----------
    *pullbacks : callable or None
        One for each array argument; None for one that never has a gradient.
    joint, residual, work
        As for `define`.

    Returns
    -------
    callable
        A decorator of the function.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> @differentiable(lambda g, y, _x: g * (1 - y * y))
    ... def squash(x):
    ...     return np.tanh(x)
    >>> x = Tensor(0.0, requires_grad=True)
    >>> squash(x).backward()
    >>> x.grad
    Tensor(1.)
    """

    def decorate(forward: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(forward)
        def function(*arguments: P.args, **keywords: P.kwargs) -> R:
            return record(entry, *entry.bind(arguments, keywords))

        entry = define(
            function, *pullbacks, forward=forward, joint=joint, residual=residual, work=work
        )
        return function

    return decorate
