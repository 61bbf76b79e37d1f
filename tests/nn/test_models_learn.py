"""The networks learn: LeNet-5, AlexNet, and on MNIST, if it is there, the book's first network."""

import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad
from minigrad import optim
from minigrad.data import load_digits, load_mnist
from minigrad.nn import models
from minigrad.training import Trainer

pytestmark = pytest.mark.slow
MNIST = os.environ.get("MINIGRAD_DATA")
needs_mnist = pytest.mark.skipif(not MNIST, reason="MINIGRAD_DATA is not set")


def upscaled(x):
    """Digits of 8x8 pixels as 28x28: each pixel threefold, and a border."""
    return np.pad(np.kron(x, np.ones((1, 1, 3, 3), np.float32)), ((0, 0), (0, 0), (2, 2), (2, 2)))


def test_lenet_reads_digits():
    pytest.importorskip("sklearn")
    minigrad.manual_seed(0)
    (x, t), (x_test, t_test) = load_digits(flatten=False)
    model = models.LeNet5()
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.003), progress=False)
    trainer.fit((upscaled(x), t), epochs=30)
    assert trainer.evaluate((upscaled(x_test), t_test))["accuracy"] >= 0.97


@needs_mnist
def test_lenet_reads_mnist():
    minigrad.manual_seed(0)
    train, test = load_mnist(flatten=False)
    model = models.LeNet5()
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.003), progress=False)
    trainer.fit(train, epochs=4)
    assert trainer.evaluate(test)["accuracy"] >= 0.97


@needs_mnist
def test_the_books_first_network_reads_mnist():
    """784-50-10, SGD 0.1, 10,000 batches of 100 drawn with replacement: about 0.969."""
    minigrad.manual_seed(0)
    (x, t), test = load_mnist()
    model = models.TwoLayerNet()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for rows in np.random.default_rng(0).integers(len(x), size=(10_000, 100)):
        optimizer.zero_grad()
        model.loss(x[rows], t[rows]).backward()
        optimizer.step()
    assert Trainer(model, optimizer).evaluate(test)["accuracy"] >= 0.965


STEP = """
import resource, numpy as np, minigrad, minigrad.functional as F
from minigrad import optim
from minigrad.nn.models import AlexNet
minigrad.manual_seed(0)
model = AlexNet()
optimizer = optim.Momentum(model.parameters(), lr=0.001)
rng = np.random.default_rng(0)
x, t = rng.normal(size=(8, 3, 227, 227)).astype(np.float32), rng.integers(0, 1000, 8)
before = model.state_dict()
loss = F.cross_entropy(model(x), t)
loss.backward()
optimizer.step()
after = model.state_dict()
assert all((after[name] != before[name]).any() for name in after)
print(loss.item(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
def test_alexnet_takes_a_step_within_4_gigabytes():
    done = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=True)
    loss, kib = map(float, done.stdout.split())
    assert np.isfinite(loss)
    assert kib * 1024 < 4e9


def test_alexnet_learns_a_few_images():
    """Patches of random colours, 227x227 pixels: the loss falls to a tenth and further."""
    minigrad.manual_seed(0)
    patches = np.random.default_rng(0).normal(size=(8, 3, 8, 8))
    x = np.kron(patches, np.ones((29, 29)))[..., :227, :227].astype(np.float32)
    model = models.AlexNet(classes=10)
    trainer = Trainer(model, optim.Momentum(model.parameters(), lr=0.003), progress=False)
    before = trainer.evaluate((x, np.arange(8)))["loss"]
    trainer.fit((x, np.arange(8)), epochs=35)
    assert trainer.evaluate((x, np.arange(8)))["loss"] < before / 10
