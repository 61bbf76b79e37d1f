"""The likeliest mistakes of a beginner: each is answered in two lines at most, with the mend."""

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, nn, optim

IMAGES, LABELS = np.ones((4, 28, 28), np.float32), np.array([0, 1, 2, 3])


def weight():
    return Tensor([1.0, 2.0], requires_grad=True, name="w")


def backward_twice():
    loss = np.sum(weight() ** 2)
    loss.backward()
    loss.backward()


def step_by_hand():
    w = weight()
    np.sum(w * w).backward()
    w -= 0.1 * w.grad


def step_between():
    w = weight()
    loss = np.sum(w * w)
    w.data -= 0.1
    loss.backward()


def gradient_of_a_result():
    y = weight() * 2
    np.sum(y).backward()
    return y.grad


def trained_without_recording():
    with minigrad.no_grad():
        loss = np.sum(weight() ** 2)
    loss.backward()


def network():
    return nn.Sequential(nn.Linear(784, 10))


MISTAKES = {  # what was done, and what the answer names
    "images not flattened": (lambda: network()(Tensor(IMAGES)), "flatten or reshape x first"),
    "the loss of a whole batch": (lambda: (weight() * 2).backward(), r"with \.sum\(\)"),
    "backward twice": (backward_twice, "retain_graph=True"),
    "nothing to differentiate": (lambda: Tensor([1.0]).sum().backward(), "requires no gradient"),
    "the loss computed under no_grad": (trained_without_recording, r"under no_grad\(\)"),
    "step before backward": (
        lambda: optim.SGD(network().parameters(), lr=0.1).step(),
        r"call loss\.backward\(\) first",
    ),
    "a step by hand": (step_by_hand, r"write `t\.data -= \.\.\.`"),
    "a step between forward and backward": (step_between, r"call backward\(\) before the change"),
    "an assignment into a Tensor": (lambda: weight().__setitem__(0, 1.0), r"use np\.where"),
    "a Tensor made an array": (lambda: np.array([weight(), weight()]), r"use np\.stack"),
    "a Tensor made a number": (lambda: float(weight()[0]), r"write t\.item\(\)"),
    "a plot of a Tensor": (lambda: np.asarray(weight()), r"t\.detach\(\)\.numpy\(\)"),
    "integers that should learn": (lambda: Tensor([1, 2], requires_grad=True), "write 1.0"),
    "labels as floats": (
        lambda: F.cross_entropy(Tensor(np.ones((4, 4))), LABELS * 1.0),
        r"labels\.astype\(int\)",
    ),
    "labels from 1": (
        lambda: F.cross_entropy(Tensor(np.ones((4, 4))), LABELS + 1),
        r"must lie in 0\.\.3",
    ),
    "a column beside a row": (
        lambda: F.mse_loss(Tensor(np.ones((4, 1))), np.ones(4)),
        "reshape one to the other",
    ),
    "matrices the wrong way round": (
        lambda: Tensor(np.ones((2, 3))) @ Tensor(np.ones((2, 3))),
        r"expected shapes \(\.\.\., n, k\) and \(\.\.\., k, m\)",
    ),
    "images with the channels last": (
        lambda: nn.Conv2d(3, 8, 3)(Tensor(np.ones((2, 32, 32, 3), np.float32))),
        r"expects \(N, C, H, W\).*np\.moveaxis",
    ),
    "SGD with momentum": (
        lambda: optim.SGD(network().parameters(), lr=0.1, momentum=0.9),
        r"use Momentum\(params, lr, momentum=0\.9\)",
    ),
    "Adam with betas": (
        lambda: optim.Adam(network().parameters(), betas=(0.9, 0.99)),
        "write beta1= and beta2=",
    ),
    "an optimizer of a model": (
        lambda: optim.SGD(network(), lr=0.1),
        r"model\.parameters\(\)",
    ),
    "parameters given away twice": (
        lambda: [optim.SGD(p, lr=0.1) for p in [network().parameters()] * 2],
        "no parameters",
    ),
    "a gradient of a result": (gradient_of_a_result, r"call t\.retain_grad\(\)"),
    "a name from PyTorch": (lambda: minigrad.tensor([1.0]), r"write minigrad\.Tensor\(data\)"),
    "a fresh batch norm in evaluation": (
        lambda: nn.BatchNorm1d(2).eval()(Tensor(np.ones((4, 2)))),
        "train",
    ),
    "a batch of one": (lambda: nn.BatchNorm1d(2)(Tensor(np.ones((1, 2)))), "more rows"),
    "no data": (lambda: Tensor(None), "expected numbers"),
    "a list of unequal rows": (lambda: Tensor([[1.0], [1.0, 2.0]]), "one array"),
    "mean of a wrong axis": (lambda: weight().mean(axis=1), "axis 1 is out of bounds"),
    "a truth of many": (lambda: bool(weight() > 1), r"a\.any\(\) or a\.all\(\)"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_answer_is_short_and_names_the_mend(mistake):
    do, mend = MISTAKES[mistake]
    with pytest.raises(Exception, match=mend) as caught:
        do()
    text = str(caught.value)
    assert len(text) <= 2 * 135
    assert "\n" not in text


def test_there_are_twenty():
    assert len(MISTAKES) >= 20
