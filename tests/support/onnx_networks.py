"""Small networks at random, with shapes that fit, to be exported."""

import numpy as np

from minigrad import functional as F
from minigrad import nn
from minigrad.nn.init import draw

ACTIVATIONS = [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.LeakyReLU, nn.GELU]


class Residual(nn.Module):
    """x plus what a layer makes of it, shifted and scaled by a parameter."""

    def __init__(self, layer, shape, rng):
        self.layer = layer
        self.scale = nn.Parameter(draw(1.0, shape, 1, rng, np.float32))

    def forward(self, x):
        return np.maximum(x, -1) + self.scale * self.layer(x)


class Gate(nn.Module):
    """Halves of the features, one gating the other, joined with their mean."""

    def __init__(self, features, rng):
        self.half = features // 2
        self.linear = nn.Linear(features, features, rng=rng)

    def forward(self, x):
        y = self.linear(x)
        gated = y[:, : self.half] * F.sigmoid(y[:, self.half : 2 * self.half])
        centred = gated - np.mean(gated, axis=1, keepdims=True)
        return np.concatenate([centred, np.mean(np.square(y), axis=1, keepdims=True)], axis=1)


class Steps(nn.Module):
    """A recurrent network over the rows of an image, from a state of zeros."""

    def __init__(self, features, hidden, rng):
        self.inner = nn.Linear(features, hidden, rng=rng)
        self.state = nn.Linear(hidden, hidden, rng=rng)
        self.hidden = hidden

    def forward(self, x):
        x = x.reshape(x.shape[0], -1, x.shape[-1])
        h = np.zeros((x.shape[0], self.hidden), x.dtype)
        states = []
        for i in range(min(x.shape[1], 3)):
            h = np.tanh(self.inner(x[:, i]) + self.state(h))
            states.append(h)
        return np.stack(states, axis=1).mean(axis=1)


def randomise(model, rng):
    """Give the buffers values that a trained network could have."""
    for path, buffer in model.named_buffers():
        low = 0.5 if path.endswith("var") else -0.5
        buffer[...] = rng.uniform(low, low + 1, buffer.shape)
    return model


def network(seed):
    """Return a network and a batch for it: images first, then features."""
    rng = np.random.default_rng(seed)
    c, size = int(rng.integers(1, 5)), int(rng.integers(5, 10))
    shape, layers = (c, size, size), []

    def add(layer):
        nonlocal shape
        layers.append(randomise(layer, rng))
        shape = layer.eval()(np.zeros((1, *shape), np.float32)).shape[1:]

    def activation():
        return ACTIVATIONS[rng.integers(len(ACTIVATIONS))]()

    x = rng.standard_normal((2, *shape)).astype(np.float32)
    for _ in range(rng.integers(0, 4)):
        c = shape[0]
        out, k = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        groups = int(rng.choice([g for g in (1, 2, 3) if c % g == 0]))
        out *= groups
        match rng.integers(9):
            case 0 | 1:
                padding = ["same", "valid", 1, (0, 2)][rng.integers(4)]
                stride = 1 if padding == "same" else int(rng.integers(1, 3))
                add(nn.Conv2d(c, out, k, stride, padding, groups=groups, rng=rng))
                add(activation())
            case 2:
                add(nn.Conv2d(c, out, 2, padding=1, dilation=(1, 2), bias=False, rng=rng))
            case 3:
                add(nn.ConvTranspose2d(c, out, k + 1, 2, 1, 1, groups=groups, rng=rng))
            case 4:
                add(nn.BatchNorm2d(c))
            case 5:
                add((nn.MaxPool2d, nn.AvgPool2d)[rng.integers(2)](2, int(rng.integers(1, 3)), 1))
            case 6:
                add(nn.LocalResponseNorm(int(rng.integers(1, 4))))
            case 7:
                add(Residual(activation(), shape, rng))
            case 8:
                add(nn.Dropout2d(0.3, rng=rng))
    match rng.integers(4):
        case 0:
            add(nn.GlobalAvgPool2d())
        case 1:
            add(Steps(shape[-1], 6, rng))
        case _:
            add(nn.Flatten())
    for _ in range(rng.integers(1, 4)):
        match rng.integers(6):
            case 0 | 1:
                bias = bool(rng.integers(2))
                add(nn.Linear(shape[0], int(rng.integers(2, 9)), bias, rng=rng))
                add(activation())
            case 2:
                add(nn.BatchNorm1d(shape[0]))
            case 3:
                add(nn.Dropout(0.5, rng=rng))
            case 4 if shape[0] > 1:
                add(Gate(shape[0], rng))
            case _:
                add(Residual(nn.Linear(shape[0], shape[0], rng=rng), shape, rng))
    add(nn.Linear(shape[0], 3, rng=rng))
    if rng.integers(2):
        add((nn.Softmax, nn.LogSoftmax)[rng.integers(2)]())
    return randomise(nn.Sequential(*layers), rng), x
