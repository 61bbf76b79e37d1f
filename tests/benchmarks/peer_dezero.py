"""DeZero, the sequel book's framework."""

import numpy as np

vars(np)["int"] = int  # DeZero 0.0.13 reads this name, which NumPy 1.24 removed, on import

import dezero  # noqa: E402
import dezero.functions as F  # noqa: E402
from workloads import forward  # noqa: E402


def batch_norm(x, gamma, beta, n):
    running = np.zeros(n, np.float32), np.ones(n, np.float32)
    return F.batch_nrom(x, gamma, beta, *running, eps=1e-6)


FUNCTIONS = {
    "linear": lambda x, w, b, *_sizes: F.linear(x, w, b),
    "relu": F.relu,
    "batch_norm": batch_norm,
    "conv": lambda x, w, b, _n_in, _n_out, _k, pad: F.conv2d(x, w, b, 1, pad),
    "pool": lambda x: F.pooling(x, 2, 2),
    "flatten": F.flatten,
    "dropout": F.dropout,
}


def network(layers, weights, rule, lr, images, labels):
    model = dezero.Layer()
    parameters = [dezero.Parameter(w) for w in weights]
    for i, parameter in enumerate(parameters):
        setattr(model, f"p{i}", parameter)
    optimizer = getattr(dezero.optimizers, rule)(lr).setup(model)
    x = dezero.Variable(images)

    def step():
        model.cleargrads()
        loss = F.softmax_cross_entropy(forward(layers, FUNCTIONS, parameters, x), labels)
        loss.backward()
        optimizer.update()
        return loss.data.item()

    return step


def chain(body, x):
    def step():
        y = body(dezero.Variable(x))
        y.grad = g
        y.backward()

    g = dezero.Variable(x)
    return step


def convolution(x, weight, padding, g, input_gradient):  # it makes every gradient
    x, weight, g = dezero.Variable(x), dezero.Variable(weight), dezero.Variable(g)
    bias = dezero.Variable(np.zeros(weight.shape[0], np.float32))

    def step():
        x.cleargrad()
        weight.cleargrad()
        bias.cleargrad()
        y = F.conv2d(x, weight, bias, 1, padding)
        y.grad = g
        y.backward()

    return step
