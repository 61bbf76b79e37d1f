"""The update rules with settings for tests, parameters to start from, and gradients."""

import numpy as np
import pytest

from minigrad import Tensor
from minigrad.optim import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSprop

RULES = {
    SGD: {"lr": 0.1},
    Momentum: {"lr": 0.1, "momentum": 0.8},
    Nesterov: {"lr": 0.1, "momentum": 0.8},
    AdaGrad: {"lr": 0.1},
    RMSprop: {"lr": 0.1, "decay_rate": 0.9},
    Adam: {"lr": 0.1, "beta1": 0.8, "beta2": 0.9},
    AdamW: {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "weight_decay": 0.2},
}
SHAPES = [(4, 3), (3,), (), (2, 3, 2), (1, 5)]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


def starts(shapes=SHAPES, dtype=np.float64):
    rng = np.random.default_rng(0)
    return [Tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in shapes]


def gradient(p, t):
    """Return a gradient that depends on the parameter, on its shape and on the step."""
    wave = np.sin(np.arange(p.size) + t).reshape(p.shape)
    return (p.data * 0.3 + wave).astype(p.dtype)


def run(opt, params, steps, reached=lambda t, i: True, first=0):
    for t in range(first, first + steps):
        for i, p in enumerate(params):
            p.grad = gradient(p, t) if reached(t, i) else None
        opt.step()


def assert_same(params, others):
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.data, q.data, strict=True)
