"""HIPS autograd, the networks written in its NumPy; it has no usable convolution."""

import autograd.numpy as np
from autograd import elementwise_grad, value_and_grad
from autograd.scipy.special import logsumexp
from rules import RULES
from workloads import forward


def batch_norm(x, gamma, beta, _n):
    return gamma * (x - np.mean(x, 0)) / np.sqrt(np.var(x, 0) + np.float32(1e-6)) + beta


FUNCTIONS = {
    "linear": lambda x, w, b, *_sizes: np.dot(x, w) + b,
    "relu": lambda x: np.maximum(x, 0),
    "batch_norm": batch_norm,
}


def network(layers, weights, rule, lr, images, labels):
    if missing := {kind for kind, *_ in layers} - set(FUNCTIONS):
        raise NotImplementedError(f"autograd has no {', '.join(sorted(missing))}")
    update = RULES[rule](lr)
    rows = np.arange(len(labels))

    def loss_of(weights):
        logits = forward(layers, FUNCTIONS, weights, images)
        return np.mean(logsumexp(logits, axis=1) - logits[rows, labels])

    loss_and_gradient = value_and_grad(loss_of)

    def step():
        loss, grads = loss_and_gradient(weights)
        update(weights, grads)
        return float(loss)

    return step


def chain(body, x):
    gradient = elementwise_grad(body)
    return lambda: gradient(x)
