"""Checkpoints of a long computation: what is between them is computed again instead of kept."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad import random
from minigrad.autograd import (
    Leaf,
    Node,
    Tensor,
    differentiable,
    enable_grad,
    gradients,
    is_grad_enabled,
)
from minigrad.tracing import variable
from minigrad.trees import leaves, rebuild

_HOLE = object()  # where a Tensor that requires a gradient stood among the arguments


@dataclass(frozen=True, eq=False)  # no tuple: what it holds is not looked through for Tensors
class _Again:
    """What it takes to run a function again."""

    f: Callable[..., Any]
    arguments: Any  # positional ones and keywords, with holes for the inputs
    inputs: int  # how many there are; what `f` reaches by itself comes after them
    outer: list[Any]  # where those are in the graph
    states: Any  # of the random generators

    def run(self, xs: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Call the function; return its value and the Tensors in it that require a gradient."""
        rest = iter(xs)
        filled = [next(rest) if x is _HOLE else x for x in leaves(self.arguments)]
        args, keywords = rebuild(self.arguments, filled)
        with enable_grad():
            value = self.f(*args, **keywords)
        return value, [y for y in leaves(value) if isinstance(y, Tensor) and y.requires_grad]


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f`, which keeps its inputs alone for the backward pass and runs again in it.

    A chain of n steps in checkpoints of about sqrt(n) steps each keeps sqrt(n) results and the
    steps of one checkpoint, for one more run of `f` (Chen et al., Training deep nets with
    sublinear memory cost, 2016).

    Parameters
    ----------
    f : callable
        From arrays and Tensors, or trees of them, to a Tensor or a tree of them. Gradients flow to
        the Tensors among its arguments and to those that it reaches by itself, such as parameters.
        It should do the same when it runs again: random generators are put back to where they
        were, the library's own, NumPy's global one, and those that `f` names or is given.

    Returns
    -------
    callable
        It takes and gives what `f` does.

    Examples
    --------
    >>> x = Tensor(2.0, requires_grad=True)
    >>> checkpoint(lambda x: np.exp(np.sin(x)))(x).backward()
    >>> x.grad
    Tensor(-1.0331168)
    """

    @functools.wraps(f)
    def run(*args: Any, **keywords: Any) -> Any:
        given = leaves((args, keywords))
        inputs = [x for x in given if isinstance(x, Tensor) and x.requires_grad]
        if not is_grad_enabled():
            return f(*args, **keywords)
        holes = [_HOLE if isinstance(x, Tensor) and x.requires_grad else x for x in given]
        call = _Again(f, rebuild((args, keywords), holes), len(inputs), [], {})
        fresh = [variable("checkpoint", x.detach()) for x in inputs]
        start: Any = (-variable("checkpoint", np.zeros(())))._node  # newer: of this run
        with random.noted(random.named_in(f, given)) as states:
            value, ys = call.run(fresh)
        if not ys:
            return value
        call.states.update(states)
        call.outer.extend(_reached(ys, {x._node for x in fresh}, start.stamp))
        others = [Tensor._wrap(_values_of(place), place) for place in call.outer]
        packed = _checkpoint(*inputs, *others, call=call, value=[_packed([y.data for y in ys])])
        parts = iter(_unpacked(packed, ys))
        done = {id(y): part for y, part in zip(ys, parts, strict=True)}
        return rebuild(value, [done.get(id(y), y) for y in leaves(value)])

    return run


def _gradient(needs: Any, g: Any, _y: Any, *xs: Any, call: _Again, value: Any) -> list[Any]:
    """Run again, and sweep what that recorded from the outputs to all that was read."""
    again = isinstance(g, Tensor)
    with random.rewound(call.states):
        fresh = [variable("checkpoint", x) for x in xs[: call.inputs]]
        _, ys = call.run(fresh)
    others = [
        Tensor._wrap(x._array if isinstance(x, Tensor) else x, place)
        for x, place in zip(xs[call.inputs :], call.outer, strict=True)
    ]
    with _cut(call.outer):
        found = gradients(ys, [*fresh, *others], _unpacked(g, ys), create_graph=again)
    return [
        np.zeros(x.shape, x.dtype) if d is None else d if again else d.data
        for d, x in zip(found, xs, strict=True)
    ]


@differentiable(joint=_gradient)
def _checkpoint(*_xs: Any, call: _Again, value: list[Any]) -> Any:
    return value.pop()  # the graph is not to hold it


def _packed(arrays: list[Any]) -> Any:
    """Make one array of several, as a recorded call has one result."""
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate([np.ravel(a) for a in arrays])


def _unpacked(packed: Any, ys: Sequence[Tensor]) -> list[Any]:
    if len(ys) == 1:
        return [packed]
    ends = np.cumsum([0, *(y.size for y in ys)]).tolist()
    pieces = [packed[a:b] for a, b in pairwise(ends)]
    return [p.reshape(y.shape).astype(y.dtype) for p, y in zip(pieces, ys, strict=True)]


def _reached(ys: Sequence[Tensor], own: set[Any], start: int) -> list[Leaf]:
    """List what a run that began at `start` read besides its own inputs and requires a gradient."""
    pending: list[Any] = [y._node for y in ys]
    seen, found = set(own), []
    for place in pending:  # grows while it is read
        if not isinstance(place, Leaf) or place in seen:
            continue
        seen.add(place)
        if isinstance(place, Node) and place.stamp > start:
            pending.extend(place.inputs)
        else:
            found.append(place)
    return found


def _values_of(place: Leaf) -> Any:
    """Return the array of a leaf; of a result, which can't change, an array of its shape."""
    tensor = place.tensor()
    if tensor is not None and not isinstance(place, Node):
        return tensor.data
    return np.broadcast_to(np.zeros((), place.dtype), place.shape)


@contextmanager
def _cut(places: Sequence[Any]) -> Iterator[None]:
    """End the graph at `places`: what lies before them is left to the sweep outside."""
    nodes = [(place, place.inputs) for place in places if isinstance(place, Node)]
    for node, _ in nodes:
        node.inputs = ()
    try:
        yield
    finally:
        for node, inputs in nodes:
            node.inputs = inputs
