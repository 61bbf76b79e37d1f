"""A call of a function on variables, for the functions of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import (
    Array,
    Leaf,
    Node,
    Tensor,
    bare,
    differentiable,
    enable_grad,
    gradients,
    local,
    reachable,
)
from minigrad.trees import leaves, rebuild

Function = Callable[..., Any]
Argnums = int | Sequence[int]


@differentiable(lambda g, *_: g)
def _alias(x: Any) -> Any:
    """The same array at a place of its own in the graph, so that nested functions keep apart."""
    return x


class Variable(Leaf):
    """What a function is differentiated by; `active` while that function runs."""

    __slots__ = ("active",)
    active: bool


def variable(name: str, value: Any) -> Tensor:
    """Return a Tensor to differentiate by: a new leaf, or `value` at a new place in its graph."""
    if isinstance(value, Tensor) and value.requires_grad:
        aliased: Tensor = _alias(value)
        return aliased
    array = np.asarray(bare(value))
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"{name}: expected floating point numbers to differentiate by, got {array.dtype}: "
            f"{value!r:.60}: write 1.0 instead of 1, or choose other arguments"
        )
    tensor = Tensor(array)
    tensor._node = place = Variable(tensor, array.shape, array.dtype, None)
    place.active = True
    return tensor


class Traced:
    """A call of `f` on variables in the place of the arguments `argnums`.

    `value` and `aux` are what it returned, `xs` the variables, `recorded` whether results belong
    to a graph outside. `give(tree)` returns Tensors as the caller gets them.
    """

    def __init__(
        self, name: str, f: Function, argnums: Argnums, args: Any, keywords: Any, has_aux: bool
    ):
        self.name, several = name, not isinstance(argnums, int)
        numbers: list[int] = [*argnums] if not isinstance(argnums, int) else [argnums]
        if any(not -len(args) <= n < len(args) for n in numbers):
            raise ValueError(f"{name}: argnums={argnums}, but {len(args)} arguments were given")
        chosen = [args[n] for n in numbers]
        recording = local.mode.enabled
        with enable_grad():
            trees = [rebuild(t, [variable(name, x) for x in leaves(t)]) for t in chosen]
            self.tree = tuple(trees) if several else trees[0]
            self.xs: list[Tensor] = leaves(trees)
            call = list(args)
            for n, tree in zip(numbers, trees, strict=True):
                call[n] = tree
            self.value, self.aux = f(*call, **keywords), None
        if has_aux:
            if not isinstance(self.value, tuple) or len(self.value) != 2:
                got = f"{self.value!r:.60}"
                raise TypeError(
                    f"{name}: has_aux=True expects a pair (value, aux) from f, got {got}"
                )
            self.value, self.aux = self.value
        self.ys: list[Any] = leaves(self.value)
        self.tensors = any(isinstance(x, Tensor) for x in leaves(chosen))
        own = {x._node for x in self.xs}
        for place in own:
            if isinstance(place, Variable):
                place.active = False
        self.recorded = recording and _reaches_more([*self.ys, *leaves(self.aux)], own)

    def give(self, tree: Any, recorded: bool = False) -> Any:
        """Return the tree with arrays for Tensors, unless a graph outside is to see them."""
        if self.recorded or recorded:
            return tree
        values = [x.detach() if isinstance(x, Tensor) else x for x in leaves(tree)]
        return rebuild(tree, values if self.tensors else map(plain, values))

    def pull(self, upstream: Sequence[Any], *, recorded: bool = False) -> list[Any]:
        """Return what upstream gradients of `ys` carry back to `xs`, zeros where nothing does."""
        again = self.recorded or recorded
        return pulled(self.ys, self.xs, upstream, again)

    def scalar(self) -> None:
        """Refuse a function whose value has no gradient: of several numbers, or complex."""
        y = self.value
        if y is None or isinstance(y, list | tuple | dict) or np.shape(y) != ():
            what = repr(y) if y is None or y is not self.ys[0] else f"shape {np.shape(y)}"
            raise TypeError(
                f"{self.name}: expected one number from the function, got {what:.80}: use jacobian "
                "for all derivatives, elementwise_grad for one of each value, vjp for a weighted "
                "sum, or has_aux=True for a value with others beside it"
            )
        if np.asarray(getattr(y, "_array", y)).dtype.kind == "c":
            raise TypeError(
                f"{self.name}: expected a real number from the function, got a complex one: take "
                "its real or imag part, or use vjp, which takes an upstream gradient"
            )

    def shaped(self, found: Iterable[Any]) -> Any:
        """Return gradients of `xs` as a tree like the arguments."""
        return rebuild(self.tree, found)


def plain(value: Any) -> Any:
    """Return the array in a Tensor; of no axes, NumPy's scalar."""
    if not isinstance(value, Tensor):
        return value
    return value.data if value.ndim else value.data[()]


def _reaches_more(ys: Sequence[Any], own: set[Any]) -> bool:
    """Tell whether Tensors were computed from others than `own` that require a gradient."""
    if any(isinstance(x, Node) for x in own):
        return True
    places = {y._node for y in ys if isinstance(y, Tensor)}
    places.update(p for node in reachable(places) for p in node.inputs)
    leaves = [p for p in places if isinstance(p, Leaf) and not isinstance(p, Node)]
    return any(p.active if isinstance(p, Variable) else True for p in leaves if p not in own)


def pulled(ys: Sequence[Any], xs: Sequence[Any], upstream: Sequence[Any], again: bool) -> list[Any]:
    """Return `gradients`, with zeros where nothing reaches, and retaining the graph."""
    live = [i for i, y in enumerate(ys) if isinstance(y, Tensor) and y.requires_grad]
    found: Sequence[Any] = [None] * len(xs)
    if live and xs:
        seeds = [upstream[i] for i in live]
        found = gradients([ys[i] for i in live], xs, seeds, retain_graph=True, create_graph=again)
    return [
        Tensor(np.zeros(x.shape, x.dtype)) if g is None else g
        for g, x in zip(found, xs, strict=True)
    ]


# ------------------------------------------------------------------------------ all derivatives
def _ones_in_turn(x: Any, dtype: Any) -> Iterable[Array]:
    for i in range(np.size(x)):
        unit = np.zeros(np.size(x), dtype)
        unit[i] = 1
        yield unit.reshape(np.shape(x))


def by_rows(t: Traced) -> list[list[Any]]:
    """For each output and input the block of derivatives: one sweep for each number put out."""
    blocks = []
    for y in t.ys:
        rows = [pulled([y], t.xs, [u], t.recorded) for u in _ones_in_turn(y, float)]
        shapes = [(*np.shape(y), *x.shape) for x in t.xs]
        columns = zip(*rows, strict=True) if rows else [()] * len(t.xs)
        blocks.append([_joined(c, s, x) for c, s, x in zip(columns, shapes, t.xs, strict=True)])
    return blocks


def _joined(parts: Sequence[Any], shape: tuple[int, ...], x: Any) -> Any:
    if not parts:
        return Tensor(np.zeros(shape, x.dtype))
    return np.reshape(np.stack(parts), shape)


def by_columns(t: Traced) -> list[list[Any]]:
    """The same: a sweep of the recorded sweep, which is linear, for each number put in."""
    push = pushed(t)
    blocks: list[list[Any]] = [[] for _ in t.ys]
    for i, x in enumerate(t.xs):
        columns = []
        for unit in _ones_in_turn(x, x.dtype):
            tangents = [np.zeros(v.shape, v.dtype) for v in t.xs]
            tangents[i] = unit
            columns.append(push(tangents, t.recorded))
        for k, y in enumerate(t.ys):
            parts = [c[k].astype(x.dtype) for c in columns]
            stacked = np.stack(parts, -1) if parts else Tensor(np.zeros((*np.shape(y), 0)))
            blocks[k].append(np.reshape(stacked, (*np.shape(y), *x.shape)))
    return blocks


def pushed(t: Traced) -> Callable[[Sequence[Any], bool], list[Any]]:
    """Return the map from tangents of `xs` to tangents of `ys`.

    The gradient u J is linear in the upstream u, so its own gradient with respect to u is J v.
    """
    us = [
        Tensor(np.zeros(y.shape, y.dtype) if isinstance(y, Tensor) else np.zeros(np.shape(y)), True)
        for y in t.ys
    ]
    found = t.pull(us, recorded=True)
    return lambda tangents, again: pulled(found, us, tangents, again)
