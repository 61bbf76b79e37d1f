"""Networks and chains whose pictures are folded, and drawing them without the warning."""

import warnings

import numpy as np

from minigrad import Tensor, draw, nn
from minigrad import functional as F

RNG = np.random.default_rng(0)


def tensor(*shape, name=None, grad=False):
    return Tensor(RNG.normal(size=shape).astype("f4"), grad, name=name)


class Block(nn.Module):
    def __init__(self, n):
        self.linear = nn.Linear(n, n)

    def forward(self, x):
        return x + self.linear(F.relu(x))


class Tower(nn.Module):
    def __init__(self, widths):
        self.layers = [Block(n) for n in widths]
        self.out = nn.Linear(widths[-1], 2)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x) if layer.linear.weight.shape[0] == x.shape[1] else layer(x[:, :4])
        return self.out(x)


class Cell(nn.Module):
    def __init__(self):
        self.input, self.hidden = nn.Linear(3, 5), nn.Linear(5, 5, bias=False)

    def forward(self, x, h):
        return np.tanh(self.input(x) + self.hidden(h))


def recurrent(cell, steps):
    h = Tensor(np.zeros((2, 5), "f4"), name="h0")
    for _ in range(steps):
        h = cell(tensor(2, 3), h)
    return h.sum()


def chain(n, name="x"):
    y = tensor(4, name=name, grad=True)
    for _ in range(n):
        y = y + 1.0
    return y


def irregular(n, y=None):
    """A chain in which nothing comes three times in a row: the sequence of Thue and Morse."""
    y = tensor(4, name="x", grad=True) if y is None else y
    for i in range(n):
        y = y + 1.0 if i.bit_count() % 2 else y - 1.0
    return y


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return draw(*args, **options)


def raw_rnn(steps, x=None):
    """The loop as the book writes it: weights, products, tanh."""
    x = tensor(4, steps, 3, name="x") if x is None else x
    shapes = {"Wx": (3, 5), "Wh": (5, 5), "b": (5,)}
    params = {name: tensor(*shape, grad=True) for name, shape in shapes.items()}
    h = Tensor(np.zeros((4, 5), "f4"), name="h0")
    for t in range(steps):
        h = np.tanh(x[:, t] @ params["Wx"] + h @ params["Wh"] + params["b"])
    return h, params
