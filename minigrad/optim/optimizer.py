"""The loop that every update rule shares: groups, state by parameter, and blocks that fit a cache.

A rule sees flat pieces of at most `BLOCK` values. Its temporaries then stay in the cache, and
the many small parameters of a network are gathered into few pieces, since a NumPy call costs more
than the arithmetic on a bias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.autograd import describe, note_change
from minigrad.methods import Array
from minigrad.tensor import Tensor, bare

BLOCK = 16384  # values: 64 KiB in float32, so that p, g, the state and a temporary fit in L2


class Optimizer:
    """The base of the update rules.

    A subclass names its state arrays in `state_names` and writes `rule(p, g, t, *state, **options)`,
    which updates flat arrays in place.

    Parameters
    ----------
    params : iterable, optional
        Tensors, or dicts such as `{"params": [...], "lr": 0.1}` that override options for a group.
        None, if only `update(params, grads)` will be called.
    **options : float
        The rule's options by name, `lr` and `weight_decay` among them.

    Attributes
    ----------
    param_groups : list of dict
        The parameters and options of each group; options may be changed between steps.
    """

    state_names: tuple[str, ...] = ()
    decoupled = False
    rule: Callable[..., None]

    def __init__(self, params: Any = None, **options: float):
        for name, value in options.items():
            if not isinstance(value, int | float) or not value >= 0:
                raise ValueError(f"{type(self).__name__}: {name} must be >= 0, got {value!r}")
        self.defaults = options
        self.param_groups: list[dict[str, Any]] = []
        self._state: dict[Any, dict[str, Any]] = {}  # by key: arrays by name, and the step t
        self._pools: dict[Any, dict[str, Array]] = {}
        if params is not None:
            self._add_groups(params)

    def _add_groups(self, params: Any) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor | float | int | dict):
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
            unknown = group.keys() - self.defaults.keys() - {"params"}
            if unknown:
                raise TypeError(
                    f"{name}: unknown option {sorted(unknown)} in a parameter group: it takes "
                    f"{sorted(self.defaults)}"
                )
            group = {**self.defaults, **group, "params": list(group["params"])}
            for p in group["params"]:
                if not isinstance(p, Tensor) or not p.is_leaf or p.dtype.kind != "f":
                    raise TypeError(
                        f"{name}: parameters must be floating point Tensors that no operation "
                        f"computed, got {p!r:.60}"
                    )
                if id(p) in seen:
                    raise ValueError(f"{name}: {p!r:.60} is listed twice")
                seen.add(id(p))
            self.param_groups.append(group)

    # ---------------------------------------------------------------------------------- the public
    @property
    def lr(self) -> float:
        """The learning rate (of the first group); setting it sets that of every group."""
        lr: float = (self.param_groups or [self.defaults])[0]["lr"]
        return lr

    @lr.setter
    def lr(self, value: float) -> None:
        for group in [self.defaults, *self.param_groups]:
            group["lr"] = value

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
        """
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
        return {"rule": type(self).__name__, "groups": options, "state": state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned.

        Raises
        ------
        ValueError
            If it is of another rule, or of parameters of other number or sizes.
        """
        sizes = [[p.size for p in group["params"]] for group in self.param_groups]
        name = type(self).__name__
        if state["rule"] != name:
            raise ValueError(f"load_state_dict: expected the state of {name}, got {state['rule']}")
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
        decay = group["weight_decay"]
        small: dict[tuple[int, Any], list[tuple[Any, Array, Array]]] = {}
        for key, p, g in items:
            if g.shape != p.shape:
                raise ValueError(
                    f"{type(self).__name__}: parameter {key} has shape {p.shape}, but its gradient "
                    f"{g.shape}"
                )
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
            if p.flags.c_contiguous and (p.size >= BLOCK or not self.state_names):
                state = [entry[name] for name in self.state_names]
                self._blocks(p.reshape(-1), g.reshape(-1), entry["t"], state, options)
                note_change(p)
            else:
                small.setdefault((entry["t"], p.dtype), []).append((key, p, g))
        for (t, _), members in small.items():
            self._gathered(members, t, options)

    def _blocks(
        self, p: Array, g: Array, t: int, state: list[Array], options: dict[str, float]
    ) -> None:
        if p.size <= BLOCK:
            self.rule(p, g, t, *state, **options)
            return
        for i in range(0, p.size, BLOCK):
            j = i + BLOCK
            self.rule(p[i:j], g[i:j], t, *[s[i:j] for s in state], **options)

    def _gathered(
        self, members: list[tuple[Any, Array, Array]], t: int, options: dict[str, float]
    ) -> None:
        """Update small arrays as one, over state that is kept as one."""
        keys = tuple(key for key, _, _ in members)
        pool = self._pools.get(keys)
        if pool is None:
            pool = self._pool(keys)
        flat = np.concatenate([p.reshape(-1) for _, p, _ in members])
        g = np.concatenate([g.reshape(-1) for _, _, g in members])
        self._blocks(flat, g, t, list(pool.values()), options)
        start = 0
        for _, p, _ in members:
            p[...] = flat[start : start + p.size].reshape(p.shape)
            start += p.size
            note_change(p)

    def _pool(self, keys: tuple[Any, ...]) -> dict[str, Array]:
        """Move the state of these parameters into one array a name; theirs become views of it."""
        for other in [k for k in self._pools if set(k) & set(keys)]:
            del self._pools[other]
        entries = [self._state[key] for key in keys]
        pool = {name: np.concatenate([e[name] for e in entries]) for name in self.state_names}
        for name, whole in pool.items():
            start = 0
            for entry in entries:
                end = start + entry[name].size
                entry[name] = whole[start:end]
                start = end
        self._pools[keys] = pool
        return pool


def _writable(array: Any, key: Any) -> Array:
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        raise TypeError(
            f"update: params[{key!r}] must be a floating point array, which is updated in place, "
            f"got {array!r:.60}"
        )
    return array
