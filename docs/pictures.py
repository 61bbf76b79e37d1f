"""Draw the pictures of the documentation: `python docs/pictures.py`."""

from __future__ import annotations

import argparse
import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import minigrad
from minigrad import Tensor, nn
from minigrad import functional as F
from minigrad.files import write
from minigrad.graph import GraphView


def images(n: int = 8) -> Tensor:
    """Return a batch of noise of the size of MNIST."""
    return Tensor(np.random.default_rng(0).normal(size=(n, 1, 28, 28)).astype("f4"), name="x")


def labels(n: int = 8) -> Any:
    """Return a label for each image."""
    return np.arange(n) % 10


def loss_of(network: Any, x: Tensor) -> Tensor:
    """Return a named loss."""
    loss: Tensor = F.cross_entropy(network(x), labels(x.shape[0]))
    loss.name = "loss"
    return loss


class Block(nn.Module):
    """Convolution, batch normalisation, relu, pooling."""

    def __init__(self, channels: int, filters: int):
        self.conv = nn.Conv2d(channels, filters, 3, padding=1)
        self.bn = nn.BatchNorm2d(filters)

    def forward(self, x: Any) -> Any:
        """Halve height and width."""
        return F.max_pool2d(F.relu(self.bn(self.conv(x))), 2)


class ConvNet(nn.Module):
    """Two blocks and two linear layers."""

    def __init__(self) -> None:
        self.block1, self.block2 = Block(1, 16), Block(16, 32)
        self.fc1, self.fc2 = nn.Linear(1568, 64), nn.Linear(64, 10)

    def forward(self, x: Any) -> Any:
        """Map images to logits."""
        x = self.block2(self.block1(x))
        return self.fc2(F.relu(self.fc1(x.reshape(x.shape[0], -1))))


class DeepConvNet(nn.Module):
    """The book's deep network with batch normalisation after each convolution."""

    def __init__(self) -> None:
        sizes = [(1, 16, 1), (16, 16, 1), (16, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 1)]
        self.convs = [nn.Conv2d(c, f, 3, padding=p) for c, f, p in sizes]
        self.norms = [nn.BatchNorm2d(f) for _, f, _ in sizes]
        self.linear1, self.linear2 = nn.Linear(1024, 50), nn.Linear(50, 10)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Any) -> Any:
        """Map images to logits."""
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = F.relu(norm(conv(x)))
            if i % 2:
                x = F.max_pool2d(x, 2)
        x = F.relu(self.linear1(x.reshape(x.shape[0], -1)))
        return self.linear2(self.dropout(x))


class Residual(nn.Module):
    """x + linear(relu(x))."""

    def __init__(self, width: int):
        self.linear = nn.Linear(width, width)

    def forward(self, x: Any) -> Any:
        """Keep the shape."""
        return x + self.linear(F.relu(x))


class Tower(nn.Module):
    """Twelve equal blocks between two linear layers."""

    def __init__(self) -> None:
        self.enter = nn.Linear(20, 32)
        self.layers = [Residual(32) for _ in range(12)]
        self.leave = nn.Linear(32, 10)

    def forward(self, x: Any) -> Any:
        """Map features to logits."""
        x = self.enter(x)
        for layer in self.layers:
            x = layer(x)
        return self.leave(x)


class Autoencoder(nn.Module):
    """A linear map, and its transpose with the same weight."""

    def __init__(self) -> None:
        self.weight = nn.Parameter(np.full((20, 4), 0.1, "f4"))

    def forward(self, x: Any) -> Any:
        """Return what is left of x."""
        return np.tanh(x @ self.weight) @ self.weight.T


class Cell(nn.Module):
    """The book's recurrent cell."""

    def __init__(self, inputs: int, hidden: int):
        self.input, self.hidden = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden, bias=False)

    def forward(self, x: Any, h: Any) -> Any:
        """Return the next state."""
        return np.tanh(self.input(x) + self.hidden(h))


class RNN(nn.Module):
    """One cell, unrolled over the time axis."""

    def __init__(self) -> None:
        self.cell, self.linear = Cell(5, 16), nn.Linear(16, 10)

    def forward(self, x: Any) -> Any:
        """Map (N, T, 5) to logits."""
        h = Tensor(np.zeros((x.shape[0], 16), "f4"), name="h0")
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
        return self.linear(h)


def mlp() -> GraphView:
    """Draw the book's first network."""
    net = nn.models.TwoLayerNet()
    return loss_of(net, Tensor(images().data.reshape(8, 784), name="x")).draw()


def simple_conv_net() -> GraphView:
    """Draw the book's first convolutional network."""
    return loss_of(nn.models.SimpleConvNet(), images()).draw()


def conv_net() -> GraphView:
    """Draw the network that the comparison is about."""
    return loss_of(ConvNet(), images()).draw()


def conv_net_depth1() -> GraphView:
    """Draw the same, modules folded."""
    return loss_of(ConvNet(), images()).draw(depth=0)


def conv_net_backward() -> GraphView:
    """Draw the same, backward."""
    return loss_of(ConvNet(), images()).draw(view="backward", gradients=True)


def deep_conv_net() -> GraphView:
    """Draw the book's deep network with batch normalisation."""
    return loss_of(DeepConvNet(), images()).draw()


def shared() -> GraphView:
    """Draw three edges out of one input."""
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True, name="x")
    return (x * x + x.sum()).draw()


def tied() -> GraphView:
    """Draw a weight that is used twice."""
    x = Tensor(np.ones((8, 20), "f4"), name="x")
    model = Autoencoder()
    return F.mse_loss(model(x), x).draw(params=model, gradients=True)


def tower() -> GraphView:
    """Draw equal blocks once."""
    x = Tensor(np.ones((8, 20), "f4"), name="x")
    return loss_of(Tower(), x).draw(gradients=True)


def rnn() -> GraphView:
    """Draw 50 steps of a recurrent network."""
    x = Tensor(np.random.default_rng(0).normal(size=(8, 50, 5)).astype("f4"), name="x")
    return loss_of(RNN(), x).draw()


def large() -> GraphView:
    """Draw 10,000 operations."""
    x = Tensor(np.ones(4, "f4"), requires_grad=True, name="x")
    y = x
    for i in range(5000):  # no two rounds in a row are alike thrice, so that nothing folds
        y = np.tanh(y * 1.01 if i.bit_count() % 2 else y - 0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return y.sum().draw()


class Broken(ConvNet):
    """A logarithm that meets negative values."""

    def forward(self, x: Any) -> Any:
        """Map images to nothing good."""
        x = np.log(self.block2(self.block1(x)) - 0.1)
        return self.fc2(F.relu(self.fc1(x.reshape(x.shape[0], -1))))


def nan() -> GraphView:
    """Draw where the first NaN came from."""
    with np.errstate(all="ignore"):
        return loss_of(Broken(), images()).draw()


def vanishing() -> GraphView:
    """Draw a gradient that dies on its way back through seven sigmoids."""
    minigrad.manual_seed(1)
    net = nn.models.MultiLayerNet(20, [16] * 7, 10, activation="sigmoid", init=0.05)
    return loss_of(net, Tensor(np.ones((8, 20), "f4"), name="x")).draw(gradients=True)


def dead() -> GraphView:
    """Draw layers in which no unit fires."""
    minigrad.manual_seed(1)
    net = nn.models.MultiLayerNet(20, [16] * 3, 10)
    for name, parameter in net.named_parameters():
        if name in ("linear1.bias", "linear2.bias"):
            parameter.data[:] = -50
    x = Tensor(np.random.default_rng(0).normal(size=(16, 20)).astype("f4"), name="x")
    return loss_of(net, x).draw(gradients=True)


def loop() -> GraphView:
    """Draw a recurrent network with bare weights."""
    rng = np.random.default_rng(0)
    sizes = {"Wx": (5, 16), "Wh": (16, 16), "b": (16,)}
    params = {
        name: Tensor(rng.normal(size=shape).astype("f4") / 4, requires_grad=True)
        for name, shape in sizes.items()
    }
    x = Tensor(rng.normal(size=(8, 110, 5)).astype("f4"), requires_grad=True, name="x")
    h = Tensor(np.zeros((8, 16), "f4"), name="h0")
    for t in range(110):
        h = np.tanh(x[:, t] @ params["Wx"] + h @ params["Wh"] + params["b"])
    return np.mean(h**2).draw(params=params, gradients=True)


def dark() -> GraphView:
    """Draw for a dark page."""
    return loss_of(nn.models.SimpleConvNet(), images()).draw(theme="dark", gradients=True)


PICTURES: list[Callable[[], GraphView]] = [
    mlp, simple_conv_net, conv_net, conv_net_depth1, conv_net_backward, deep_conv_net, shared,
    tied, tower, rnn, loop, large, nan, vanishing, dead, dark,
]  # fmt: skip


def small(png: bytes) -> bytes:
    """Put a transparent picture on white and leave it 256 colours: a third of the size."""
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    file = io.BytesIO()
    paper.convert("RGB").quantize(256).save(file, "png", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    arguments = parser.parse_args()
    for picture in PICTURES:
        minigrad.manual_seed(0)
        file = arguments.out / f"{picture.__name__}.png"
        write(file, small(picture().pipe("png")))
        sys.stdout.write(f"{file}  {file.stat().st_size // 1024} KiB\n")
