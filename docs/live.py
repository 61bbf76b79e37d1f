"""Three graphs to explore, each a page of its own: `python docs/live.py [folder]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minigrad
from minigrad import Tensor, nn
from minigrad import functional as F
from minigrad.files import write
from minigrad.graph import GraphView
from minigrad.nn import models


class Standardize(nn.Module):
    """Mean 0 and deviation 1 for each channel, as one writes it before knowing batch_norm."""

    def forward(self, x: Any) -> Any:
        """Keep the shape."""
        centred = x - np.mean(x, axis=(0, 2, 3), keepdims=True)
        return centred / np.sqrt(np.mean(centred**2, axis=(0, 2, 3), keepdims=True))


class Block(nn.Module):
    """Two convolutions, and a way round them."""

    def __init__(self, channels: int, filters: int, stride: int):
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.stride, self.more = stride, filters - channels

    def forward(self, x: Any) -> Any:
        """Add what the convolutions find to what came in."""
        y = F.relu(self.norm1(self.conv1(x)))
        short = x[:, :, :: self.stride, :: self.stride]
        short = np.pad(short, [(0, 0), (0, self.more), (0, 0), (0, 0)]) if self.more else short
        return F.relu(self.norm2(self.conv2(y)) + short)


class ResNet20(nn.Module):
    """Three stages of three blocks (He et al., 2016)."""

    def __init__(self) -> None:
        self.conv, self.norm = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.stage1 = nn.Sequential(*[Block(16, 16, 1) for _ in range(3)])
        self.stage2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.stage3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.pool, self.linear = nn.GlobalAvgPool2d(), nn.Linear(64, 10)

    def forward(self, x: Any) -> Any:
        """Map images (N, 3, 32, 32) to logits."""
        x = F.relu(self.norm(self.conv(x)))
        return self.linear(self.pool(self.stage3(self.stage2(self.stage1(x)))))


def loss_of(network: nn.Module, *shape: int) -> Tensor:
    """Return the loss of eight images of noise, with the lines of this file."""
    x = Tensor(np.random.default_rng(0).random((8, *shape), np.float32), name="x")
    with minigrad.debug(check_finite=False), np.errstate(all="ignore"):
        loss: Tensor = F.cross_entropy(network(x), np.arange(8))
    loss.name = "loss"
    return loss


def nan() -> GraphView:
    """Draw a network in which a dead filter is divided by its deviation, 0."""
    network = models.Network(
        conv1=nn.Conv2d(1, 8, 5),
        relu1=nn.ReLU(),
        standardize=Standardize(),
        pool=nn.MaxPool2d(4),
        flatten=nn.Flatten(),
        linear=nn.Linear(288, 10),
    )
    network.conv1.bias.data[3] = -100
    return loss_of(network, 1, 28, 28).draw(params=network, title="Where is the first NaN?")


def vanishing() -> GraphView:
    """Draw eight layers of sigmoids with the sizes of their gradients."""
    network = models.MultiLayerNet(784, [50] * 8, 10, activation="sigmoid", init=0.05)
    loss = loss_of(network, 784)
    return loss.draw(params=network, gradients=True, title="The gradient dies on its way up")


def resnet20() -> GraphView:
    """Draw a network of twenty layers with weights."""
    network = ResNet20()
    return loss_of(network, 3, 32, 32).draw(params=network, title="ResNet-20")


PAGES: tuple[Callable[[], GraphView], ...] = nan, vanishing, resnet20


def write_pages(folder: Path) -> list[Path]:
    """Write a page for each graph, with paths of code from the clone on; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    minigrad.manual_seed(0)
    paths = []
    for draw in PAGES:
        paths.append(folder / f"{draw.__name__}.html")
        write(paths[-1], draw().html().replace(f"{Path(__file__).parents[1]}{os.sep}", ""))
    return paths


if __name__ == "__main__":
    for path in write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "out")):
        sys.stdout.write(f"{path}  {path.stat().st_size // 1024} KiB\n")
