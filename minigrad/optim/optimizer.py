"""The optimizer that every update rule shares: groups of parameters, steps, what it saves."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from minigrad.autograd import Array, Tensor, bare, note_change
from minigrad.optim.blocks import Blocks, Item

Group = dict[str, Any]  # the Tensors under "params", and the options of the rule by name
Params = Iterable[Tensor | Group] | None
Key = TypeVar("Key")


class Optimizer(Blocks):
    """The base of the update rules.

    A subclass names its state arrays in `state_names` and writes the rule itself,
    `rule(p, g, t, *state, **options)`, which updates flat arrays in place.

    Parameters
    ----------
    params : iterable, optional
        Tensors, or dicts such as `{"params": [...], "lr": 0.1}` that override options for a group.
        None, if only `update(params, grads)` will be called.
    **options : float
        The rule's options by name, `lr` among them; `weight_decay` is applied before the rule.

    Attributes
    ----------
    param_groups : list of dict
        The parameters and options of each group; options may be changed between steps.
    """

    decoupled = False  # whether weights shrink by weight_decay beside the rule, not through g

    def __init__(self, params: Params = None, **options: float):
        super().__init__()
        self.defaults = self._checked(options)
        self.param_groups: list[Group] = []
        if params is not None:
            self._add_groups(params)

    def _checked(self, options: dict[str, float]) -> dict[str, float]:
        """Turn options into Python's numbers, as NumPy's would widen float32."""
        for name, value in options.items():
            limit = 1 if name.startswith(("beta", "decay")) else math.inf
            if not isinstance(value, numbers.Real) or not 0 <= float(value) < limit:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be >= 0 and < {limit}, got {value!r:.60}"
                )
        return {name: float(value) for name, value in options.items()}

    def _add_groups(self, params: Iterable[Tensor | Group]) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor | dict) or not isinstance(params, Iterable):
            raise TypeError(
                f"{name}: params must be an iterable of Tensors, such as model.parameters(), got "
                f"{type(params).__name__}; for update(params, grads) write {name}(lr=...)"
            )
        entries = list(params)
        if not entries:
            raise ValueError(f"{name}: got no parameters: does the model have any?")
        groups = entries if isinstance(entries[0], dict) else [{"params": entries}]
        seen: set[int] = set()
        for group in groups:
            if not isinstance(group, dict) or "params" not in group:
                raise TypeError(
                    f'{name}: expected groups such as {{"params": [...], "lr": 0.1}}, got '
                    f"{group!r:.60}"
                )
            options = _options(group)
            if unknown := options.keys() - self.defaults.keys():
                raise TypeError(
                    f"{name}: unknown option {sorted(unknown)} in a parameter group: it takes "
                    f"{sorted(self.defaults)}"
                )
            members = list(group["params"])
            for p in members:
                if not isinstance(p, Tensor) or not p.is_leaf or p.dtype.kind != "f":
                    raise TypeError(
                        f"{name}: parameters must be real floating point Tensors that no "
                        f"operation computed, got {p!r:.60}"
                    )
                if id(p) in seen:
                    what = p.name or "a parameter"
                    raise ValueError(f"{name}: {what} of shape {p.shape} is listed twice")
                seen.add(id(p))
            self.param_groups.append({**self.defaults, **self._checked(options), "params": members})

    # --------------------------------------------------------------------------------- what it does
    @property
    def lr(self) -> float:
        """The learning rate (of the first group); setting it sets that of every group."""
        lr: float = (self.param_groups or [self.defaults])[0]["lr"]
        return lr

    @lr.setter
    def lr(self, value: float) -> None:
        for group in [self.defaults, *self.param_groups]:
            group.update(self._checked({"lr": value}))

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self._parameters():
            p._grad = None

    def _parameters(self) -> Iterator[Tensor]:
        return (p for group in self.param_groups for p in group["params"])

    def step(self) -> None:
        """Update every parameter that has a gradient, in place.

        Raises
        ------
        RuntimeError
            If there are no parameters, or none of them has a gradient.
        """
        if not self.param_groups:
            raise RuntimeError(
                f"{type(self).__name__}.step: it was made without parameters: pass "
                "model.parameters(), or call update(params, grads)"
            )
        keys, reached = itertools.count(), False
        for group in self.param_groups:
            items = [
                (key, p.data, p._grad.data)
                for p, key in zip(group["params"], keys, strict=False)
                if p._grad is not None
            ]
            reached = reached or bool(items)
            self._update(items, group)
        if not reached:
            raise RuntimeError(
                f"{type(self).__name__}.step: no parameter has a gradient: call loss.backward() "
                "first, and check that the loss was computed from these parameters"
            )

    def update(
        self, params: Mapping[Key, Array | Tensor], grads: Mapping[Key, Array | Tensor]
    ) -> None:
        """Update arrays in place by gradients of the same keys: the call of the book's loops.

        Parameters
        ----------
        params, grads : dict
            Arrays (or Tensors) by name.

        Raises
        ------
        ValueError
            If a key has no gradient, or one of another shape.
        TypeError
            If an array can't be updated in place.
        """
        if not isinstance(params, Mapping) or not isinstance(grads, Mapping):
            raise TypeError(f"{type(self).__name__}.update: expected two dicts of arrays by name")
        items = []
        for key, p in params.items():
            if key not in grads:
                raise ValueError(f"{type(self).__name__}.update: no gradient for {key!r} in grads")
            items.append((("update", key), _writable(bare(p), key), np.asarray(bare(grads[key]))))
        self._update(items, self.defaults)

    def _update(self, items: Sequence[Item], group: Group) -> None:
        """Update the arrays of one group: first weight decay, then the rule."""
        for key, p, g in items:
            if g.shape != p.shape:
                raise ValueError(
                    f"{type(self).__name__}: parameter {key} has shape {p.shape}, but its gradient "
                    f"{g.shape}"
                )
        options = _options(group)
        decay = options.pop("weight_decay", 0.0)
        self._run(self._decayed(items, decay, options["lr"]) if decay else items, options)
        note_change(*[p for _, p, _ in items])

    def _decayed(self, items: Sequence[Item], decay: float, lr: float) -> Iterator[Item]:
        for key, p, g in items:
            if p.ndim > 1:  # weights, not biases, gammas or betas
                if self.decoupled:
                    p *= 1 - lr * decay
                else:
                    g = g + decay * p
            yield key, p, g

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the options and of the state of each parameter, by its position."""
        return {
            "rule": type(self).__name__,
            "defaults": dict(self.defaults),
            "groups": [
                {**_options(group), "params": len(group["params"])} for group in self.param_groups
            ],
            "state": {
                key: {
                    "t": t,
                    **dict(zip(self.state_names, map(np.array, self._state[key]), strict=True)),
                }
                for key, t in self._steps.items()
            },
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` returned.

        Raises
        ------
        ValueError
            If it is of another rule, or of parameters of other number or sizes.
        """
        name = type(self).__name__
        rule = state.get("rule") if isinstance(state, Mapping) else state
        if rule != name:
            raise ValueError(f"load_state_dict: expected the state of {name}, got {rule!r:.60}")
        expected = [len(group["params"]) for group in self.param_groups]
        found = [group["params"] for group in state["groups"]]
        if found != expected:
            raise ValueError(
                f"load_state_dict: expected groups of {expected} parameters, got {found}"
            )
        for key, p in enumerate(self._parameters()):
            for k, v in state["state"].get(key, {}).items():
                if k != "t" and np.size(v) != p.size:
                    raise ValueError(
                        f"load_state_dict: {k} of parameter {key} has {np.size(v)} values, "
                        f"expected {p.size}"
                    )
        self.defaults.update(state["defaults"])
        for group, options in zip(self.param_groups, state["groups"], strict=True):
            group.update(_options(options))
        self._pools.clear()
        self._steps = {key: entry["t"] for key, entry in state["state"].items()}
        self._state = {
            key: [np.array(entry[name]).reshape(-1) for name in self.state_names]
            for key, entry in state["state"].items()
        }


def _options(group: Group) -> dict[str, float]:
    return {name: value for name, value in group.items() if name != "params"}


def _writable(array: Array, key: object) -> Array:
    floating = isinstance(array, np.ndarray) and array.dtype.kind == "f"
    if not floating or not array.flags.writeable:
        raise TypeError(
            f"update: params[{key!r}] must be a floating point array that can be written to, as it "
            f"is updated in place, got {array!r:.60}"
        )
    return array
