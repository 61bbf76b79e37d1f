"""PyTorch, eager; its optimizers written as loops over the parameters, as in the book."""

from itertools import accumulate

import torch
import torch.nn.functional as F
from programs_torch import operation as operation
from programs_torch import program as program
from torch import nn

LAYERS = {
    "linear": nn.Linear,
    "relu": nn.ReLU,
    "batch_norm": lambda n: nn.BatchNorm1d(n, eps=1e-6),
    "conv": lambda n_in, n_out, k, pad: nn.Conv2d(n_in, n_out, k, padding=pad),
    "pool": lambda: nn.MaxPool2d(2),
    "flatten": nn.Flatten,
    "dropout": lambda: nn.Dropout(0.5),
}


def use_threads(n):
    torch.set_num_threads(n)


def network(layers, weights, rule, lr, images, labels, **kind_of_update):
    model = nn.Sequential(*(LAYERS[kind](*sizes) for kind, *sizes in layers))
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), weights, strict=True):
            parameter.copy_(torch.from_numpy(weight.T if weight.ndim == 2 else weight))
    kind_of_update = kind_of_update or {"foreach": False, "fused": False}
    optimizer = getattr(torch.optim, rule)(model.parameters(), lr=lr, **kind_of_update)
    x, t = torch.from_numpy(images), torch.from_numpy(labels)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def chain(body, x):
    x = torch.from_numpy(x)

    def step():
        body(x.clone().requires_grad_()).backward(x)

    return step


def convolution(x, weight, padding, g, input_gradient):
    x, weight, g = torch.from_numpy(x), torch.from_numpy(weight), torch.from_numpy(g)
    x.requires_grad_(input_gradient)
    weight.requires_grad_()

    def step():
        x.grad = weight.grad = None
        F.conv2d(x, weight, None, 1, padding).backward(g)

    return step


def peak_of_arrays(build):
    """The most bytes at once that a step adds to what is held before it, by its allocator."""
    step = build()
    step()
    with torch.profiler.profile(profile_memory=True) as seen:
        step()  # so that what it leaves is known when it is freed
        with torch.profiler.record_function("measured"):
            step()
    events = sorted(seen.profiler.kineto_results.events(), key=lambda event: event.start_ns())
    begin = next(i for i, event in enumerate(events) if event.name() == "measured")
    return max(accumulate(e.nbytes() for e in events[begin:] if e.name() == "[memory]"))
