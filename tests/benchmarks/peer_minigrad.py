"""minigrad, through its public API."""

import tracemalloc

import numpy as np
from programs_minigrad import operation as operation
from programs_minigrad import program as program

import minigrad
import minigrad.functional as F
from minigrad import Tensor, nn, optim

LAYERS = {
    "linear": lambda n_in, n_out: nn.Linear(n_in, n_out),
    "relu": lambda: nn.ReLU(),
    "batch_norm": lambda n: nn.BatchNorm1d(n),
    "conv": lambda n_in, n_out, k, pad: nn.Conv2d(n_in, n_out, k, padding=pad),
    "pool": lambda: nn.MaxPool2d(2),
    "flatten": lambda: nn.Flatten(),
    "dropout": lambda: nn.Dropout(0.5),
}


def use_threads(n):
    if hasattr(minigrad, "set_num_threads"):
        minigrad.set_num_threads(n)


def network(layers, weights, rule, lr, images, labels):
    model = nn.Sequential(*(LAYERS[kind](*sizes) for kind, *sizes in layers)).astype("float32")
    for parameter, weight in zip(model.parameters(), weights, strict=True):
        parameter.data = weight
    optimizer = getattr(optim, rule)(model.parameters(), lr=lr)
    x = Tensor(images)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def chain(body, x):
    g = Tensor(x)

    def step():
        body(Tensor(x, requires_grad=True)).backward(g)

    return step


def as_from_a_layer(images):
    """In the layout in which layers of minigrad give images to each other: the batch innermost."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(images, 0, -1)), -1, 0)


def convolution(x, weight, padding, g, input_gradient):
    x = Tensor(as_from_a_layer(x) if input_gradient else x, requires_grad=input_gradient)
    weight, g = Tensor(weight, requires_grad=True), Tensor(as_from_a_layer(g))

    def step():
        x.grad = weight.grad = None
        F.conv2d(x, weight, None, 1, padding).backward(g)

    return step


def peak_of_arrays(build):
    """The most bytes at once that a step adds to what is held before it."""
    tracemalloc.start()
    step = build()
    step()
    step()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    step()
    return tracemalloc.get_traced_memory()[1] - before
