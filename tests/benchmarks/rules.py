"""The update rules in plain NumPy, in place, for the peers that have none of their own."""

import numpy as np


def sgd(lr):
    def update(params, grads):
        for p, g in zip(params, grads, strict=True):
            p -= lr * g

    return update


def adam(lr):
    state, t = [], 0

    def update(params, grads):
        nonlocal state, t
        state, t = state or [(np.zeros_like(p), np.zeros_like(p)) for p in params], t + 1
        lr_t = lr * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
        for p, g, (m, v) in zip(params, grads, state, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= lr_t * m / (np.sqrt(v) + 1e-7)

    return update


RULES = {"SGD": sgd, "Adam": adam}
