"""Debug mode: the line of each call, the first NaN, writes into arrays, faults of training."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.autograd import (
    Array,
    Leaf,
    Node,
    Primitive,
    bare,
    changed_at,
    describe,
    kept_arrays,
    local,
)
from minigrad.autograd.clock import now
from minigrad.autograd.messages import where
from minigrad.lines import source, warn

EXAMPLES, DEAD = 8, 0.75  # of how many examples and units `debug` says that units are dead
EXPLODED = 1e4  # the root of the mean square of a gradient
# Which Tensors a backward pass has reached, by id, and when.
_graded: dict[int, tuple[weakref.ref[Any], int]] = {}


class NonFiniteError(FloatingPointError):
    """A result or a gradient holds a NaN or an infinity, and debug mode saw it first."""


class TrainingWarning(UserWarning):
    """Training goes on, but not as it was meant: debug mode saw it at this line."""


class debug:
    """Check everything inside: `with minigrad.debug(): ...`.

    - Every operation remembers the line of your code that called it; messages and pictures of the
      graph show it.
    - Every result and every gradient is checked: the first that is not finite raises
      `NonFiniteError`, unless an input was not finite already.
    - Arrays that the graph keeps are read-only until a backward pass releases them or the graph is
      gone, so that a write in place fails at its own line.

    - What spoils training is said once, at your line, as a `TrainingWarning`: a backward pass that
      adds to a gradient which a step has used already, units that gave 0 for all examples, a
      gradient whose root of the mean square exceeds 1e4.

    Parameters
    ----------
    check_finite : bool
        Whether to check results and gradients.
    hold_arrays : bool
        Whether to make recorded arrays read-only.

    Examples
    --------
    >>> import minigrad
    >>> x = minigrad.Tensor([-1.0], requires_grad=True, name="x")
    >>> with minigrad.debug(), np.errstate(invalid="ignore"):
    ...     np.log(x)
    Traceback (most recent call last):
        ...
    minigrad.debugging.NonFiniteError: log: 1 of 1 values is not finite (1 NaN, 0 infinite) ...
    """

    def __init__(self, *, check_finite: bool = True, hold_arrays: bool = True):
        self.check_finite, self.hold_arrays = check_finite, hold_arrays
        self._before: list[Any] = []
        self._holders: dict[int, tuple[int, Array]] = {}  # arrays held, and by how many nodes
        self._held: dict[int, tuple[weakref.ref[Node], list[Array]]] = {}  # by id of the node
        self._thawing: list[Array] = []
        self._said: set[str] = set()

    def __enter__(self) -> debug:
        mode = local.mode
        self._before.append(mode.debug)
        mode.debug = self
        return self

    def __exit__(self, *_: object) -> None:
        local.mode.debug = self._before.pop()
        if not self._before:
            for key in list(self._held):
                self._let_go(key)

    # ---------------------------------------------------- what recording and the sweep call
    def check_result(self, entry: Primitive, arrays: Sequence[Any], y: Any) -> None:
        """Raise if `y` is the first array that is not finite; warn if all units are dead."""
        if entry.name == "relu":
            self._dead(y)
        if not self.check_finite or _finite(y) or not all(_finite(a) for a in arrays):
            return
        inputs = ", ".join(
            f"{a.shape} {a.dtype}" if isinstance(a, np.ndarray) else repr(a) for a in arrays
        )
        module = f" in {local.mode.module}" if local.mode.module else ""
        raise NonFiniteError(
            f"{entry.name}: {_count(y)} in the result (shape {y.shape}, {y.dtype}) of finite "
            f"inputs {inputs}{module}, called at {where(source())}"
        )

    def check_gradient(self, node: Node, i: int, g: Any, d: Any) -> None:
        """Raise if `d` is the first gradient that is not finite; warn if it spoils training."""
        if d is None:
            return
        d = bare(d)
        if node.inputs[i].__class__ is Leaf:
            self._stale(node.inputs[i].tensor())
            self._exploded(node, d)
        if not self.check_finite:
            return
        if not _finite(d) and _finite(bare(g)):
            raise NonFiniteError(
                f"backward: {_count(d)} in the gradient for argument {i} (shape {d.shape}) of "
                f"{describe(node)}, from a finite upstream gradient"
            )

    def watch(self, node: Node) -> None:
        """Remember where a node was called, and hold what it keeps."""
        node.source = source()
        if not self.hold_arrays or node.saved is None:
            return
        arrays = [base for value in kept_arrays(node) for base in _with_bases(value)]
        for array in arrays:
            held, _ = self._holders.get(id(array), (0, array))
            if held or array.flags.writeable:
                array.flags.writeable = False
                self._holders[id(array)] = held + 1, array
        key = id(node)
        self._held[key] = weakref.ref(node, partial(self._let_go, key)), arrays

    def unwatch(self, node: Node) -> None:
        """Let go of what a node kept."""
        self._let_go(id(node))

    # ------------------------------------------------------------------- faults of training
    def _say(self, kind: str, text: str) -> None:
        """Warn once of each kind, at the line outside this package."""
        if kind in self._said:
            return
        self._said.add(kind)
        warn(text, TrainingWarning)

    def _stale(self, tensor: Any) -> None:
        """Warn of a gradient that a step has used and nobody has forgotten."""
        if tensor is None:
            return
        _, stamp = _graded.get(id(tensor), (None, 0))
        known = stamp and tensor._grad is not None
        if known and changed_at(tensor._array) > stamp and np.any(bare(tensor._grad)):
            name = f" of {tensor.name!r}" if tensor.name else ""
            self._say(
                "stale",
                f"backward: adds to the gradient{name} (shape {tensor.shape}) that was there when "
                "the last step() used it: call optimizer.zero_grad() once for each step, before "
                "backward()",
            )
        _graded[id(tensor)] = weakref.ref(tensor, partial(_forget, id(tensor))), now()

    def _dead(self, y: Any) -> None:
        """Warn of a layer in which most units gave 0 for all of many examples."""
        if y.ndim < 2 or len(y) < EXAMPLES:
            return
        alive = y.any(axis=(0, *range(2, y.ndim)))
        dead = alive.size - np.count_nonzero(alive)
        if dead >= DEAD * alive.size:
            module = f" in {local.mode.module}" if local.mode.module else ""
            self._say(
                f"dead{module}",
                f"relu{module}: {dead} of {alive.size} units gave 0 for all {len(y)} examples: no "
                "gradient passes through them: try a smaller learning rate, other initial weights "
                "or leaky_relu",
            )

    def _exploded(self, node: Node, d: Any) -> None:
        """Warn of a gradient that is too large to be of use."""
        flat = np.ravel(d).astype(np.float64)
        size = float(np.sqrt(flat @ flat / max(flat.size, 1)))
        if EXPLODED < size < np.inf:
            self._say(
                "exploded",
                f"backward: the gradient (shape {d.shape}) through {describe(node)} has a root of "
                f"the mean square of {size:.1e}, it explodes: clip gradients, or lower the "
                "learning rate or the initial weights",
            )

    def _let_go(self, key: int, _: Any = None) -> None:
        for array in self._held.pop(key, (None, []))[1]:
            held, _array = self._holders.pop(id(array), (0, array))
            if held > 1:
                self._holders[id(array)] = held - 1, array
            elif held:
                self._thawing.append(array)
        frozen, self._thawing = self._thawing, []
        # Bases first: a view can be made writeable only after its base.
        for array in sorted(frozen, key=lambda a: len(_with_bases(a))):
            try:
                array.flags.writeable = True
            except ValueError:  # a view of an array that another node still holds
                self._thawing.append(array)


def _forget(key: int, _: Any) -> None:
    _graded.pop(key, None)


def _with_bases(value: Any) -> list[Array]:
    """Return an array and the arrays that it is a view of."""
    found = []
    while isinstance(value, np.ndarray):
        found.append(value)
        value = value.base
    return found


def _finite(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _count(value: Any) -> str:
    array = np.asarray(value)
    nan, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    verb = "is" if nan + infinite == 1 else "are"
    kinds = f"({nan} NaN, {infinite} infinite)"
    return f"{nan + infinite} of {array.size} values {verb} not finite {kinds}"
