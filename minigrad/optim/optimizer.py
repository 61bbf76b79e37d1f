"""The loop that every update rule shares: groups, state by parameter, and blocks that fit a cache.

A rule sees flat pieces of at most `BLOCK` bytes. Its temporaries then stay in the cache, and
the many small parameters of a network are gathered into few pieces, since a NumPy call costs more
than the arithmetic on a bias.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.autograd import Array, Tensor, bare, note_change

BLOCK = 131072  # bytes: p, g, the state and the temporaries of a rule then fit in a 1 MiB L2


class Optimizer:
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

    state_names: tuple[str, ...] = ()
    decoupled = False
    rule: Callable[..., None]

    def __init__(self, params: Any = None, **options: float):
        self.defaults = self._checked(options)
        self.param_groups: list[dict[str, Any]] = []
        self._state: dict[Any, dict[str, Any]] = {}  # by key: arrays by name, and the step t
        self._pools: dict[Any, list[Array]] = {}
        if params is not None:
            self._add_groups(params)

    def _checked(self, options: dict[str, Any]) -> dict[str, Any]:
        """Turn options into Python's numbers, as NumPy's would widen float32."""
        for name, value in options.items():
            limit = 1 if name.startswith(("beta", "decay")) else math.inf
            if not isinstance(value, numbers.Real) or not 0 <= float(value) < limit:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be >= 0 and < {limit}, got {value!r:.60}"
                )
        return {name: float(value) for name, value in options.items()}

    def _add_groups(self, params: Any) -> None:
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
            unknown = group.keys() - self.defaults.keys() - {"params"}
            if unknown:
                raise TypeError(
                    f"{name}: unknown option {sorted(unknown)} in a parameter group: it takes "
                    f"{sorted(self.defaults)}"
                )
            params = list(group["params"])
            options = {k: v for k, v in group.items() if k != "params"}
            for p in params:
                if not isinstance(p, Tensor) or not p.is_leaf or p.dtype.kind != "f":
                    raise TypeError(
                        f"{name}: parameters must be floating point Tensors that no operation "
                        f"computed, got {p!r:.60}"
                    )
                if id(p) in seen:
                    what = p.name or "a parameter"
                    raise ValueError(f"{name}: {what} of shape {p.shape} is listed twice")
                seen.add(id(p))
            self.param_groups.append({**self.defaults, **self._checked(options), "params": params})

    # ---------------------------------------------------------------------------------- the public
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
        for group in self.param_groups:
            for p in group["params"]:
                p._grad = None

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
        key, reached = 0, False
        for group in self.param_groups:
            items = []
            for p in group["params"]:
                if p._grad is not None:
                    items.append((key, p.data, p._grad.data))
                key += 1
            reached = reached or bool(items)
            self._apply(items, group)
        if not reached:
            raise RuntimeError(
                f"{type(self).__name__}.step: no parameter has a gradient: call loss.backward() "
                "first, and check that the loss was computed from these parameters"
            )

    def update(self, params: dict[Any, Any], grads: dict[Any, Any]) -> None:
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
        if not isinstance(params, dict) or not isinstance(grads, dict):
            raise TypeError(f"{type(self).__name__}.update: expected two dicts of arrays by name")
        items = []
        for key, p in params.items():
            if key not in grads:
                raise ValueError(f"{type(self).__name__}.update: no gradient for {key!r} in grads")
            items.append((("update", key), _writable(bare(p), key), np.asarray(bare(grads[key]))))
        self._apply(items, self.defaults)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the options and of the state of each parameter, by its position."""
        options = [
            {**{k: v for k, v in group.items() if k != "params"}, "params": len(group["params"])}
            for group in self.param_groups
        ]
        state = {
            key: {k: v if k == "t" else np.array(v) for k, v in entry.items()}
            for key, entry in self._state.items()
        }
        return {
            "rule": type(self).__name__,
            "defaults": dict(self.defaults),
            "groups": options,
            "state": state,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned.

        Raises
        ------
        ValueError
            If it is of another rule, or of parameters of other number or sizes.
        """
        sizes = [[p.size for p in group["params"]] for group in self.param_groups]
        name = type(self).__name__
        rule = state.get("rule") if isinstance(state, dict) else state
        if rule != name:
            raise ValueError(f"load_state_dict: expected the state of {name}, got {rule!r:.60}")
        if [g["params"] for g in state["groups"]] != list(map(len, sizes)):
            raise ValueError(
                f"load_state_dict: expected groups of {list(map(len, sizes))} parameters, got "
                f"{[g['params'] for g in state['groups']]}"
            )
        flat = dict(enumerate(size for group in sizes for size in group))
        for key, entry in state["state"].items():
            for k, v in entry.items():
                if k != "t" and key in flat and np.size(v) != flat[key]:
                    raise ValueError(
                        f"load_state_dict: {k} of parameter {key} has {np.size(v)} values, "
                        f"expected {flat[key]}"
                    )
        self.defaults.update(state["defaults"])
        for group, options in zip(self.param_groups, state["groups"], strict=True):
            group.update({k: v for k, v in options.items() if k != "params"})
        self._pools.clear()
        self._state = {
            key: {k: v if k == "t" else np.array(v).reshape(-1) for k, v in entry.items()}
            for key, entry in state["state"].items()
        }

    # --------------------------------------------------------------------------------- the loop
    def _apply(self, items: list[tuple[Any, Array, Array]], group: dict[str, Any]) -> None:
        options = {k: v for k, v in group.items() if k not in ("params", "weight_decay")}
        decay = group.get("weight_decay", 0.0)
        small: dict[tuple[int, Any], list[tuple[Any, Array, Array]]] = {}
        for key, p, g in items:
            if g.shape != p.shape:
                raise ValueError(
                    f"{type(self).__name__}: parameter {key} has shape {p.shape}, but its gradient "
                    f"{g.shape}"
                )
        for key, p, g in items:
            if decay and p.ndim > 1:  # weights, not biases, gammas or betas
                if self.decoupled:
                    p *= 1 - options["lr"] * decay
                else:
                    g = g + decay * p
            entry = self._state.get(key)
            if entry is None:
                zeros = {name: np.zeros(p.size, p.dtype) for name in self.state_names}
                entry = self._state[key] = {"t": 0, **zeros}
            entry["t"] += 1
            if p.flags.c_contiguous and (p.nbytes >= BLOCK or not self.state_names):
                state = self._state_of(key, p)
                self._blocks(p.reshape(-1), g.reshape(-1), entry["t"], state, options)
            else:
                small.setdefault((entry["t"], p.dtype), []).append((key, p, g))
        for (t, _), members in small.items():
            self._gathered(members, t, options)
        note_change(*[p for _, p, _ in items])

    def _blocks(
        self, p: Array, g: Array, t: int, state: list[Array], options: dict[str, float]
    ) -> None:
        length = BLOCK // p.itemsize
        for i in range(0, p.size, length):
            j = i + length
            self.rule(p[i:j], g[i:j], t, *[s[i:j] for s in state], **options)

    def _gathered(
        self, members: list[tuple[Any, Array, Array]], t: int, options: dict[str, float]
    ) -> None:
        """Update small arrays as one, over state that is kept as one."""
        keys = tuple([(key, p.size, p.dtype) for key, p, _ in members])
        pool = self._pools.get(keys)
        if pool is None:
            pool = self._pools[keys] = self._pool(members)
        flat = np.concatenate([p.reshape(-1) for _, p, _ in members])
        g = np.concatenate([g.reshape(-1) for _, _, g in members])
        self._blocks(flat, g, t, pool, options)
        start = 0
        for _, p, _ in members:
            p[...] = flat[start : start + p.size].reshape(p.shape)
            start += p.size

    def _pool(self, members: list[tuple[Any, Array, Array]]) -> list[Array]:
        """Move the state of these parameters into one array a name; theirs become views of it."""
        keys = {key for key, _, _ in members}
        for other in [pool for pool in self._pools if keys & {key for key, *_ in pool}]:
            del self._pools[other]
        states = [self._state_of(key, p) for key, p, _ in members]
        pool = [np.concatenate(arrays) for arrays in zip(*states, strict=True)]
        start = 0
        for key, p, _ in members:
            end = start + p.size
            for name, whole in zip(self.state_names, pool, strict=True):
                self._state[key][name] = whole[start:end]
            start = end
        return pool

    def _state_of(self, key: Any, p: Array) -> list[Array]:
        """Return the state arrays of a parameter, which may have another type than before."""
        entry = self._state[key]
        for name in self.state_names:
            if entry[name].size != p.size:
                raise ValueError(
                    f"{type(self).__name__}: parameter {key} has {p.size} values, but its state "
                    f"{name} has {entry[name].size}: make a new optimizer for the new shape"
                )
            entry[name] = entry[name].astype(p.dtype, copy=False)
        return [entry[name] for name in self.state_names]


def _writable(array: Any, key: Any) -> Any:
    floating = isinstance(array, np.ndarray) and array.dtype.kind == "f"
    if not floating or not array.flags.writeable:
        raise TypeError(
            f"update: params[{key!r}] must be a floating point array that can be written to, as it "
            f"is updated in place, got {array!r:.60}"
        )
    return array
