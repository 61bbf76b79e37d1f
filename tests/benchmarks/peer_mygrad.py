"""MyGrad, its memory guard off, as its manual advises for speed."""

import mygrad as mg
import numpy as np
from mygrad.nnet.activations import relu
from mygrad.nnet.layers import batchnorm, conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy
from rules import RULES
from workloads import forward

mg.turn_memory_guarding_off()
rng = np.random.default_rng(0)


def conv(x, w, b, _n_in, n_out, _k, pad):
    return conv_nd(x, w, stride=1, padding=pad) + b.reshape(1, n_out, 1, 1)


def dropout(x):
    return x * (2 * (rng.random(x.shape, np.float32) > 0.5).astype(np.float32))


FUNCTIONS = {
    "linear": lambda x, w, b, *_sizes: mg.matmul(x, w) + b,
    "relu": relu,
    "batch_norm": lambda x, gamma, beta, _n: batchnorm(x, gamma=gamma, beta=beta, eps=1e-6),
    "conv": conv,
    "pool": lambda x: max_pool(x, (2, 2), 2),
    "flatten": lambda x: x.reshape(len(x), -1),
    "dropout": dropout,
}


def network(layers, weights, rule, lr, images, labels):
    parameters = [mg.tensor(w) for w in weights]
    update = RULES[rule](lr)

    def step():
        loss = softmax_crossentropy(forward(layers, FUNCTIONS, parameters, images), labels)
        loss.backward()
        update([p.data for p in parameters], [p.grad for p in parameters])
        for p in parameters:
            p.null_grad()
        return loss.item()

    return step


def chain(body, x):
    def step():
        body(mg.tensor(x)).backward(x)

    return step


def convolution(x, weight, padding, g, input_gradient):
    x, weight = mg.tensor(x, constant=not input_gradient), mg.tensor(weight)

    def step():
        conv_nd(x, weight, stride=1, padding=padding).backward(g)
        x.null_grad()
        weight.null_grad()

    return step
