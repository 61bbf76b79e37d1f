"""Learning rates follow their formulas, and gradients are clipped to their limits."""

import math

import numpy as np
import pytest

from minigrad import Tensor
from minigrad.optim import (
    SGD,
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    Schedule,
    StepDecay,
    WarmUp,
    clip_grad_norm,
    clip_grad_value,
)


def cosine(k, steps, final=0.0):
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(k, steps) / steps))


FORMULAS = {
    "step": (lambda o: StepDecay(o, 3), lambda k: 0.1 ** (k // 3)),
    "step by half": (lambda o: StepDecay(o, every=4, gamma=0.5), lambda k: 0.5 ** (k // 4)),
    "exponential": (lambda o: ExponentialDecay(o, 0.9), lambda k: 0.9**k),
    "inverse time": (lambda o: InverseTimeDecay(o, 0.5), lambda k: 1 / (1 + 0.5 * k)),
    "cosine": (lambda o: CosineDecay(o, 7), lambda k: cosine(k, 7)),
    "cosine to a tenth": (lambda o: CosineDecay(o, 5, final=0.1), lambda k: cosine(k, 5, 0.1)),
    "warm-up": (lambda o: WarmUp(o, 4), lambda k: min((k + 1) / 4, 1)),
    "warm-up, then cosine": (
        lambda o: WarmUp(o, 4, then=CosineDecay(o, 6)),
        lambda k: (k + 1) / 4 if k < 4 else cosine(k - 4, 6),
    ),
    "two warm-ups": (
        lambda o: WarmUp(o, 2, then=WarmUp(o, 4)),
        lambda k: (k + 1) / 2 if k < 2 else min((k - 1) / 4, 1),
    ),
}
each_formula = pytest.mark.parametrize(("make", "formula"), FORMULAS.values(), ids=FORMULAS)


def parameter(*shape, grad=None):
    p = Tensor(np.zeros(shape), requires_grad=True)
    p.grad = grad
    return p


def optimizer():
    return SGD([{"params": [parameter(2)], "lr": 3.0}, {"params": [parameter(2)]}], lr=0.5)


# ------------------------------------------------------------------------------------- schedules
@each_formula
def test_rates_follow_the_formula_in_every_group(make, formula):
    opt = optimizer()
    schedule = make(opt)
    for k in range(15):
        rates = [opt.param_groups[0]["lr"], opt.param_groups[1]["lr"], opt.defaults["lr"]]
        np.testing.assert_allclose(rates, [3 * formula(k), 0.5 * formula(k), 0.5 * formula(k)])
        assert schedule.k == k
        schedule.step()


@each_formula
def test_a_loaded_schedule_goes_on(make, formula):
    opt, other = optimizer(), optimizer()
    schedule, again = make(opt), make(other)
    for _ in range(5):
        schedule.step()
    other.lr = 77
    again.load_state_dict(schedule.state_dict())
    for _ in range(5):
        assert [g["lr"] for g in other.param_groups] == [g["lr"] for g in opt.param_groups]
        schedule.step()
        again.step()


def test_a_schedule_of_your_own():
    class Sawtooth(Schedule):
        def factor(self, k):
            return 1 - k % 3 / 3

    opt = SGD(lr=3.0)
    schedule = Sawtooth(opt)
    rates = [opt.lr]
    for _ in range(4):
        schedule.step()
        rates.append(opt.lr)
    np.testing.assert_allclose(rates, [3, 2, 1, 3, 2])
    with pytest.raises(NotImplementedError):
        Schedule(opt)


@pytest.mark.parametrize("kind", [CosineDecay, WarmUp, ExponentialDecay])
def test_a_schedule_needs_its_optimizer(kind):
    name = kind.__name__
    with pytest.raises(
        TypeError, match=rf"^{name}: the first argument is the optimizer .*got 0.1: write {name}\("
    ):
        kind(0.1, 10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda o: StepDecay(o, 0), "StepDecay: every must be at least 1, got 0"),
        (lambda o: StepDecay(o, 1, -1), "StepDecay: gamma must be > 0, got -1"),
        (lambda o: ExponentialDecay(o, 0.0), "ExponentialDecay: gamma must be > 0, got 0.0"),
        (lambda o: InverseTimeDecay(o, -1), "InverseTimeDecay: rate must be >= 0, got -1"),
        (lambda o: CosineDecay(o, 0), "CosineDecay: steps must be at least 1, got 0"),
        (lambda o: CosineDecay(o, 9, -0.1), "CosineDecay: final must be >= 0, got -0.1"),
        (lambda o: WarmUp(o, 0), "WarmUp: steps must be at least 1, got 0"),
        (lambda o: WarmUp(o, 2, CosineDecay(SGD(), 2)), "must be a schedule of the same optimizer"),
        (
            lambda o: WarmUp(o, 2).load_state_dict(WarmUp(SGD(), 2).state_dict()),
            "load_state_dict: expected 3 learning rates, got 1",
        ),
    ],
)
def test_schedules_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call(optimizer())


# -------------------------------------------------------------------------------------- clipping
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_by_norm_keeps_the_direction(dtype):
    a = Tensor(np.zeros((2, 2), dtype), requires_grad=True)
    b, c = (Tensor(np.zeros((), dtype), requires_grad=True) for _ in range(2))
    a.grad, b.grad = np.array([[1, 2], [2, 0]], dtype), np.array(4, dtype)
    norm = clip_grad_norm(iter([a, b, c]), np.float64(2.5))
    assert norm == 5
    assert isinstance(norm, float)
    assert a.grad.tolist() == [[0.5, 1], [1, 0]]
    assert b.grad.item() == 2
    assert c.grad is None
    assert a.grad.dtype == b.grad.dtype == dtype
    assert clip_grad_norm([a, b], 9) == 2.5  # short enough: left alone
    assert b.grad.item() == 2
    assert clip_grad_norm([c], 1) == 0


def test_clipping_by_value():
    a, c = parameter(3, grad=np.array([-3.0, 0.2, 5.0])), parameter(3)
    clip_grad_value([a, c], 0.5)
    assert a.grad.tolist() == [-0.5, 0.2, 0.5]
    assert c.grad is None


@pytest.mark.parametrize("clip", [clip_grad_norm, clip_grad_value])
def test_clipping_is_seen_by_the_graph_of_a_gradient(clip):
    x = Tensor([3.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    penalty = (x.grad * x.grad).sum()
    clip([x], 1.0)
    with pytest.raises(RuntimeError, match="was changed in place"):
        penalty.backward()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: clip_grad_norm([p], 0), ValueError, "norm: the limit must be > 0, got 0"),
        (lambda p: clip_grad_norm([p], np.nan), ValueError, "norm: the limit must be > 0, got nan"),
        (lambda p: clip_grad_value([p], -1), ValueError, "value: the limit must be > 0, got -1"),
        (lambda p: clip_grad_norm(p, 1), TypeError, r"expected several Tensors, such as model\."),
        (lambda p: clip_grad_norm([p], 1), ValueError, "the norm of the gradients is nan"),
        (
            lambda p: clip_grad_norm(iter([]), 1),
            ValueError,
            r"norm: got no parameters \(an iterator",
        ),
        (lambda p: clip_grad_value([], 1), ValueError, r"clip_grad_value: got no parameters"),
    ],
)
def test_clipping_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call(parameter(2, grad=np.array([1, np.nan])))
