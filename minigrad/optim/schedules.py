"""Learning rates that change with the step, each a formula of the step k = 0, 1, 2, ..."""

from __future__ import annotations

import math
from typing import Any

from minigrad.optim.optimizer import Optimizer


def _require(fits: bool, message: str) -> None:
    if not fits:
        raise ValueError(message)


class Schedule:
    """Set an optimizer's learning rates by a formula: call `step()` after each of its steps.

    A subclass writes `factor(k)`: at step k the learning rate of a group is its first one times
    this factor.

    Parameters
    ----------
    optimizer : Optimizer
        Its `lr` is set at once, and at every `step()`.

    Raises
    ------
    TypeError
        If the first argument is not an optimizer.

    Examples
    --------
    >>> from minigrad.optim import SGD, StepDecay
    >>> optimizer = SGD(lr=1.0)
    >>> schedule = StepDecay(optimizer, every=2, gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates.append(optimizer.lr)
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer):
        if not isinstance(optimizer, Optimizer):
            name = type(self).__name__
            raise TypeError(
                f"{name}: the first argument is the optimizer whose lr it sets, got "
                f"{optimizer!r:.60}: write {name}(optimizer, ...)"
            )
        self.optimizer = optimizer
        self.k = 0
        self._groups = [optimizer.defaults, *optimizer.param_groups]
        self._initial = [group["lr"] for group in self._groups]
        self._set()

    def factor(self, k: int) -> float:
        """Return what the first learning rate is multiplied by at step k."""
        raise NotImplementedError

    def step(self) -> None:
        """Go on to the next step."""
        self.k += 1
        self._set()

    def _set(self) -> None:
        for group, lr in zip(self._groups, self._initial, strict=True):
            group["lr"] = lr * self.factor(self.k)

    def state_dict(self) -> dict[str, Any]:
        """Return the step and the first learning rates."""
        return {"k": self.k, "initial": list(self._initial)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned, for an optimizer of as many groups."""
        initial, groups = state["initial"], len(self._groups)
        _require(
            len(initial) == groups,
            f"load_state_dict: expected {groups} learning rates, got {len(initial)}",
        )
        self.k, self._initial = state["k"], list(initial)
        self._set()


class StepDecay(Schedule):
    """gamma^(k // every): a cut at regular intervals.

    Parameters
    ----------
    optimizer : Optimizer
        As for `Schedule`.
    every : int
        How many steps lie between two cuts.
    gamma : float
        The factor of a cut.

    Examples
    --------
    >>> from minigrad.optim import SGD
    >>> schedule = StepDecay(SGD(lr=1.0), every=2, gamma=0.5)
    >>> [schedule.factor(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, every: int, gamma: float = 0.1):
        _require(every >= 1, f"StepDecay: every must be at least 1, got {every}")
        _require(gamma > 0, f"StepDecay: gamma must be > 0, got {gamma}")
        self.every, self.gamma = every, gamma
        super().__init__(optimizer)

    def factor(self, k: int) -> float:
        """gamma^(k // every)."""
        return self.gamma ** (k // self.every)


class ExponentialDecay(Schedule):
    """gamma^k.

    Parameters
    ----------
    optimizer : Optimizer
        As for `Schedule`.
    gamma : float
        The factor of a step.

    Examples
    --------
    >>> from minigrad.optim import SGD
    >>> schedule = ExponentialDecay(SGD(lr=1.0), gamma=0.5)
    >>> [schedule.factor(k) for k in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float):
        _require(gamma > 0, f"ExponentialDecay: gamma must be > 0, got {gamma}")
        self.gamma = gamma
        super().__init__(optimizer)

    def factor(self, k: int) -> float:
        """gamma^k."""
        return self.gamma**k


class InverseTimeDecay(Schedule):
    """1 / (1 + rate k).

    Parameters
    ----------
    optimizer : Optimizer
        As for `Schedule`.
    rate : float
        After 1 / rate steps the learning rate is half the first one.

    Examples
    --------
    >>> from minigrad.optim import SGD
    >>> schedule = InverseTimeDecay(SGD(lr=1.0), rate=0.5)
    >>> [schedule.factor(k) for k in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, rate: float):
        _require(rate >= 0, f"InverseTimeDecay: rate must be >= 0, got {rate}")
        self.rate = rate
        super().__init__(optimizer)

    def factor(self, k: int) -> float:
        """1 / (1 + rate k)."""
        return 1 / (1 + self.rate * k)


class CosineDecay(Schedule):
    """Half a cosine from 1 to `final` in `steps`, then constant.

    Parameters
    ----------
    optimizer : Optimizer
        As for `Schedule`.
    steps : int
        How many steps the way down takes.
    final : float
        The factor at the end.

    References
    ----------
    Loshchilov and Hutter, "SGDR", 2017.

    Examples
    --------
    >>> from minigrad.optim import SGD
    >>> schedule = CosineDecay(SGD(lr=1.0), steps=100)
    >>> [round(schedule.factor(k), 3) for k in (0, 50, 100, 150)]
    [1.0, 0.5, 0.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer, steps: int, final: float = 0.0):
        _require(steps >= 1, f"CosineDecay: steps must be at least 1, got {steps}")
        _require(final >= 0, f"CosineDecay: final must be >= 0, got {final}")
        self.steps, self.final = steps, final
        super().__init__(optimizer)

    def factor(self, k: int) -> float:
        """(1 + cos(pi k / steps)) / 2, between 1 and final."""
        progress = min(k, self.steps) / self.steps
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2


class WarmUp(Schedule):
    """Rise linearly to the full rate in `steps`, then follow another schedule if one is given.

    Parameters
    ----------
    optimizer : Optimizer
        As for `Schedule`.
    steps : int
        How many steps the rise takes: (k + 1) / steps.
    then : Schedule, optional
        A schedule of the same optimizer; its formula counts from the end of the rise. Call
        `step()` of the warm-up alone.

    Examples
    --------
    >>> from minigrad.optim import SGD
    >>> optimizer = SGD(lr=1.0)
    >>> schedule = WarmUp(optimizer, 4, ExponentialDecay(optimizer, gamma=0.5))
    >>> [schedule.factor(k) for k in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5]
    """

    def __init__(self, optimizer: Optimizer, steps: int, then: Schedule | None = None):
        _require(steps >= 1, f"WarmUp: steps must be at least 1, got {steps}")
        _require(
            then is None or then.optimizer is optimizer,
            "WarmUp: `then` must be a schedule of the same optimizer",
        )
        self.steps, self.then = steps, then
        super().__init__(optimizer)
        if then is not None:
            self._initial = then._initial
            self._set()

    def factor(self, k: int) -> float:
        """(k + 1) / steps while it rises."""
        if k < self.steps:
            return (k + 1) / self.steps
        return self.then.factor(k - self.steps) if self.then else 1.0
