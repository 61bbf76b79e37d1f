"""The optimizer that every update rule shares: groups of parameters, steps, what it saves."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from minigrad.autograd import Array, Tensor, bare
from minigrad.checks import at_once, whole
from minigrad.optim.advice import with_advice
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
        The rule's options by name, `lr` among them; `weight_decay` is applied before the rule, to
        weights (two or more axes). A group's own `weight_decay` is for all its parameters, unless
        it has `"decay_all": False`.

    Attributes
    ----------
    param_groups : list of dict
        The parameters and options of each group; options may be changed between steps.

    Raises
    ------
    TypeError, ValueError
        If `params` are not real leaf Tensors, each once, or an option is unknown or out of range.

    Examples
    --------
    >>> from minigrad.optim import SGD
    >>> w, b = Tensor([[1.0]], True), Tensor([0.0], True)
    >>> SGD([{"params": [w], "lr": 0.01}, {"params": [b]}], lr=0.1).param_groups[1]["lr"]
    0.1
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__init__" in vars(cls):
            cls.__init__ = with_advice(cls.__init__)  # type: ignore[method-assign]

    def __init__(self, params: Params = None, **options: float):
        super().__init__()
        self.defaults = self._checked(options)
        self.param_groups: list[Group] = []
        if params is not None:
            self._add_groups(params)

    def _checked(self, options: Mapping[str, Any]) -> dict[str, float]:
        """Turn options into Python's numbers, as NumPy's would widen float32."""
        for name, value in options.items():
            if name == "decay_all":
                continue
            limit = 1 if name.startswith(("beta", "decay")) else math.inf
            if not isinstance(value, numbers.Real) or not 0 <= float(value) < limit:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be >= 0 and < {limit}, got {value!r:.60}"
                )
        return {k: bool(v) if k == "decay_all" else float(v) for k, v in options.items()}

    def _add_groups(self, params: Iterable[Tensor | Group]) -> None:
        name = type(self).__name__
        one = isinstance(params, Tensor | dict) or hasattr(params, "parameters")
        if one or not isinstance(params, Iterable):
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
            decay_all = bool(options.pop("decay_all", "weight_decay" in options))
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
            options = {**self.defaults, **self._checked(options)}
            self.param_groups.append({**options, "decay_all": decay_all, "params": members})

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
        keys, work, reached = itertools.count(), [], False
        for group in self.param_groups:
            items: list[Item] = [
                (key, p.data, p._grad._array)
                for p, key in zip(group["params"], keys, strict=False)
                if p._grad is not None
            ]
            work.append((items, group))
            reached = reached or bool(items)
        if not reached:
            raise RuntimeError(
                f"{type(self).__name__}.step: no parameter has a gradient: call loss.backward() "
                "first, and check that the loss was computed from these parameters"
            )
        self._update(work)

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
        items: list[Item] = []
        for key, p in params.items():
            if key not in grads:
                raise ValueError(f"{type(self).__name__}.update: no gradient for {key!r} in grads")
            items.append((("update", key), _writable(bare(p), key), np.asarray(bare(grads[key]))))
        self._update([(items, self.defaults)])

    def _update(self, work: list[tuple[list[Item], Group]]) -> None:
        """Update the arrays of each group, or, if something does not fit, none."""
        groups = []
        for items, group in work:
            for key, p, g in items:
                if g.shape != p.shape:
                    raise ValueError(
                        f"{type(self).__name__}: parameter {key} has shape {p.shape}, but its "
                        f"gradient {g.shape}"
                    )
                if not p.flags.writeable:
                    raise ValueError(
                        f"{type(self).__name__}: parameter {key} of shape {p.shape} is read-only, "
                        "but a step updates it in place: give it a copy of the array"
                    )
            options = _options(group)
            decay, decay_all = options.pop("weight_decay", 0.0), options.pop("decay_all", False)
            groups.append((items, decay, bool(decay_all), options))
        self._run(groups)

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

        The positions may have become strings, and the arrays lists, as in JSON.

        Raises
        ------
        ValueError
            If it is of another rule, of parameters of other number or sizes, or lacks something;
            then nothing was changed.
        """
        name = type(self).__name__
        rule = state.get("rule") if isinstance(state, Mapping) else state
        if rule != name:
            raise ValueError(f"load_state_dict: expected the state of {name}, got {rule!r:.60}")
        if lacking := {"defaults", "groups", "state"} - state.keys():
            raise ValueError(f"load_state_dict: the state of {name} lacks {sorted(lacking)}")
        expected = [len(group["params"]) for group in self.param_groups]
        found = [group["params"] for group in state["groups"]]
        if found != expected:
            raise ValueError(
                f"load_state_dict: expected groups of {expected} parameters, got {found}"
            )
        options = [_options(state["defaults"]), *map(_options, state["groups"])]
        known = {*self.defaults, "decay_all"}
        if wrong := [o for o in options if not self.defaults.keys() <= o.keys() <= known]:
            raise ValueError(
                f"load_state_dict: expected options {sorted(self.defaults)}, got {sorted(wrong[0])}"
            )
        steps, arrays = dict[Any, int](), dict[Any, list[Array]]()
        for position, entry in state["state"].items():
            key = int(position) if isinstance(position, str) and position.isdecimal() else position
            steps[key], arrays[key] = self._read(key, entry)
        groups = zip([self.defaults, *self.param_groups], options, strict=True)
        calls = [(group.update, self._checked(saved)) for group, saved in groups]
        fresh = {"_steps": steps, "_state": arrays, "_plan": ([], None, [])}
        at_once([*calls, (vars(self).update, fresh)])

    def _read(self, key: Any, entry: Mapping[str, Any]) -> tuple[int, list[Array]]:
        """Return the step and the arrays of one parameter from what was saved of it."""
        parameters = list(self._parameters())
        of_update = isinstance(key, tuple) and key[:1] == ("update",)
        if not of_update and key not in range(len(parameters)):
            raise ValueError(
                f"load_state_dict: the state is of a parameter {key!r}, expected positions from 0 "
                f"to {len(parameters) - 1}"
            )
        if entry.keys() != {"t", *self.state_names}:
            raise ValueError(
                f"load_state_dict: of parameter {key} expected {['t', *self.state_names]}, got "
                f"{[*entry]}"
            )
        arrays = [np.array(entry[name]).reshape(-1) for name in self.state_names]
        for name, array in zip(self.state_names, arrays, strict=True):
            if array.dtype.kind not in "fiu":
                raise ValueError(f"load_state_dict: {name} of parameter {key} holds {array.dtype}")
            if not of_update and array.size != parameters[key].size:
                raise ValueError(
                    f"load_state_dict: {name} of parameter {key} has {array.size} values, "
                    f"expected {parameters[key].size}"
                )
        return whole(f"load_state_dict: t of parameter {key}", entry["t"], 1), arrays


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
