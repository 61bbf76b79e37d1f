"""Tracing: what a model calls, and which of its numbers follow the size of the batch.

The model runs several times, on batches of other values and sizes. What is equal in all runs is a
constant; a whole number that grows in step with the batch is noted as such; and what changes with
the values, beside the recorded graph, can't be exported and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.autograd import Array, Node, Primitive, Tensor, enable_grad, local
from minigrad.checks import undoing

SIZES = 3, 3, 4, 6  # of the batches; the first two tell what follows the values


@dataclass(frozen=True)
class Dim:
    """A whole number that follows the batch: `times * batch + plus`."""

    times: int
    plus: int


@dataclass(frozen=True)
class Spread:
    """An array whose values repeat along the axes that follow the batch: one of each, the shape."""

    array: Array
    shape: tuple[Any, ...]


@dataclass(frozen=True)
class Given:
    """An input of the model, by its position."""

    position: int


@dataclass
class Call:
    """One recorded call: the function, its arguments as places in the graph and as arrays."""

    entry: Primitive
    places: Sequence[Any]
    arrays: Sequence[Any]
    keywords: dict[str, Any]
    y: Any
    node: Node


class Trace:
    """The calls of one run, in order; stands where debug mode would."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._last: Any = None

    def check_result(self, entry: Primitive, arrays: Sequence[Any], y: Any) -> None:
        """Keep what recording computed until the node is made."""
        self._last = list(arrays), y

    def watch(self, node: Node) -> None:
        """Note a recorded call."""
        arrays, y = self._last
        self.calls.append(Call(node.function, node.inputs, arrays, node.keywords, y, node))


@dataclass
class Run:
    """One run of the model: its inputs, its calls, its outputs."""

    inputs: list[Tensor]
    calls: list[Call]
    outputs: Any


def run(model: Callable[..., Any], arrays: Sequence[Array]) -> Run:
    """Call a model on Tensors of these arrays, and note what it records."""
    # the name gives integers a place in the graph, too
    inputs = [Tensor(a, requires_grad=a.dtype.kind == "f", name="input") for a in arrays]
    trace = Trace()
    before = setattr, local.mode, "debug", local.mode.debug
    with enable_grad(), np.errstate(all="ignore"), undoing([before]):
        local.mode.debug = trace
        outputs = model(*inputs)
    return Run(inputs, trace.calls, outputs)


def batches(arrays: Sequence[Array], dynamic: bool) -> Iterator[list[Array]]:
    """Yield the inputs of each run: other values from the second on, and other sizes."""
    rng = np.random.default_rng(0)
    for i, size in enumerate(SIZES if dynamic else SIZES[:2]):
        yield [_sample(a, size if dynamic else None, rng if i else None) for a in arrays]


def _sample(array: Array, size: int | None, rng: np.random.Generator | None) -> Array:
    """Return rows of an array; with `rng`, of other values of the same kind."""
    rows = np.array(array if size is None else array[np.arange(size) % len(array)])
    if rng is None:
        return rows
    if rows.dtype.kind != "f":
        return rng.integers(array.min(), array.max(), rows.shape, rows.dtype, endpoint=True)
    mixed = rng.permutation(rows.reshape(-1)).reshape(rows.shape)
    noise = 0.1 * (1 + np.abs(mixed)) * rng.standard_normal(rows.shape)
    return np.asarray(mixed + noise, rows.dtype)


class FollowsValues(ValueError):
    """A number or an array that depends on the values of the inputs, beside the graph."""


class FollowsBatch(ValueError):
    """A number or an array that depends on the size of the batch in no way that ONNX can say."""


def merged(values: Sequence[Any], given: Sequence[Sequence[Any]] = ()) -> Any:
    """Return what the runs have in common: a constant, or how it follows the batch.

    `values` has one entry for each run, `given` the arrays of the inputs in each.
    """
    first, others = values[0], values[1:]
    if isinstance(first, tuple | list) and _alike(values):
        parts = [merged(parts, given) for parts in zip(*values, strict=True)]
        return tuple(parts) if isinstance(first, tuple) else parts
    if isinstance(first, dict) and all(v.keys() == first.keys() for v in others):
        return {key: merged([v[key] for v in values], given) for key in first}
    if isinstance(first, slice):
        return slice(*merged([(v.start, v.stop, v.step) for v in values], given))
    if isinstance(first, np.ndarray):
        return _merged_arrays(values, given)
    if isinstance(first, int) and not isinstance(first, bool):
        return _merged_integers(values)
    if any(type(v) is not type(first) or not (v == first or v != v) for v in others):
        raise (FollowsValues if values[1] != first else FollowsBatch)(f"{first!r:.40}")
    return first


def _alike(values: Sequence[Any]) -> bool:
    return len({(type(v), len(v)) for v in values}) == 1


def _merged_integers(values: Sequence[Any]) -> Any:
    if values[0] != values[1]:
        raise FollowsValues(f"the number {values[0]}")
    if len(set(values)) == 1:
        return values[0]
    _, n, m, last = SIZES
    times, rest = divmod(values[2] - values[1], m - n)
    plus = values[1] - times * n
    if rest or values[3] != times * last + plus:
        raise FollowsBatch(f"the number {values[0]}")
    return Dim(times, plus)


def _merged_arrays(arrays: Sequence[Any], given: Sequence[Sequence[Any]]) -> Any:
    for i, originals in enumerate(zip(*given, strict=True)):
        if all(a is original for a, original in zip(arrays, originals, strict=True)):
            return Given(i)
    first = arrays[0]
    what = f"an array of shape {first.shape}"
    if not np.array_equal(first, arrays[1], equal_nan=first.dtype.kind == "f"):
        raise FollowsValues(what)
    if all(a.shape == first.shape and np.array_equal(a, first) for a in arrays[2:]):
        return first
    shape = merged([a.shape for a in arrays])
    for axis in (axis for axis, n in enumerate(shape) if isinstance(n, Dim)):
        ones = [a.take([0], axis=axis) for a in arrays]
        if not all((a == one).all() for a, one in zip(arrays, ones, strict=True)):
            raise FollowsBatch(what)
        arrays = ones
    if not all(np.array_equal(a, arrays[0]) for a in arrays):
        raise FollowsBatch(what)
    return Spread(arrays[0], shape)


@contextmanager
def evaluated(model: Any) -> Iterator[None]:
    """Let a model behave as in evaluation, with every parameter recorded; then as before."""
    modules = list(model.modules()) if hasattr(model, "modules") else []
    parameters = model.parameters() if modules else ()
    frozen = [p for p in parameters if not p.requires_grad and p.dtype.kind == "f"]
    before: list[tuple[Any, ...]] = [(setattr, m, "training", m.training) for m in modules]
    before += [(setattr, p, "_node", p._node) for p in frozen]
    with undoing(before):
        for module in modules:
            module.training = False
        for p in frozen:
            p.requires_grad = True
        yield
