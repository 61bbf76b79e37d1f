"""Five networks drawn here, by torchviz and by torchview: what each picture has, and how long.

They are no part of any extra: `pip install torch torchviz torchview`. Prints the table of
`docs/graph.md`; `--only "convolutional network" --out docs/images` draws its pictures.
"""

import argparse
import re
import statistics
import struct
import sys
import timeit
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchview
import torchviz

import minigrad
from minigrad import Tensor, nn
from minigrad import functional as F
from minigrad.files import write
from minigrad.graph.backends import render

RNG = np.random.default_rng(0)


NODE = re.compile(r'^\s*(?!graph |node |edge |legend)("?[\w.]+"?) \[', re.MULTILINE)  # of DOT


def normal(*shape: int) -> Any:
    """Draw float32 numbers."""
    return RNG.normal(size=shape).astype("f4")


# ---------------------------------------------------------------------------------- in minigrad
class Norm(nn.Module):
    """Layer normalisation, written out."""

    def __init__(self, n: int):
        self.weight = nn.Parameter(np.ones(n, "f4"))
        self.bias = nn.Parameter(np.zeros(n, "f4"))

    def forward(self, x: Any) -> Any:
        """Normalise the last axis."""
        away = x - np.mean(x, axis=-1, keepdims=True)
        scale = np.sqrt(np.mean(away**2, axis=-1, keepdims=True) + 1e-5)
        return away / scale * self.weight + self.bias


class Attention(nn.Module):
    """Two heads that look at all places."""

    def __init__(self, n: int):
        self.q, self.k, self.v, self.out = (nn.Linear(n, n) for _ in range(4))

    def forward(self, x: Any) -> Any:
        """Mix the places."""
        b, t, n = x.shape
        heads = [
            np.transpose(np.reshape(f(x), (b, t, 2, n // 2)), (0, 2, 1, 3))
            for f in (self.q, self.k, self.v)
        ]
        weights = F.softmax(heads[0] @ np.swapaxes(heads[1], -1, -2) / 4.0, axis=-1)
        return self.out(np.reshape(np.transpose(weights @ heads[2], (0, 2, 1, 3)), (b, t, n)))


class Layer(nn.Module):
    """A layer of a transformer."""

    def __init__(self, n: int):
        self.norm1, self.norm2, self.attention = Norm(n), Norm(n), Attention(n)
        self.up, self.down = nn.Linear(n, 4 * n), nn.Linear(4 * n, n)

    def forward(self, x: Any) -> Any:
        """Attend, then compute at each place."""
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.relu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    """Twelve layers."""

    def __init__(self) -> None:
        self.embedding = nn.Parameter(normal(20, 16))
        self.blocks = [Layer(16) for _ in range(12)]
        self.norm, self.head = Norm(16), nn.Linear(16, 20)

    def forward(self, i: Any) -> Any:
        """Score the next word."""
        x = self.embedding[i]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Basic(nn.Module):
    """A block of ResNet-20."""

    def __init__(self, n: int, m: int, stride: int):
        self.conv1 = nn.Conv2d(n, m, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(m, m, 3, padding=1)
        self.bn1, self.bn2 = nn.BatchNorm2d(m), nn.BatchNorm2d(m)
        self.down = nn.Conv2d(n, m, 1, stride=stride) if stride > 1 else None

    def forward(self, x: Any) -> Any:
        """Add what the convolutions find."""
        h = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(h + (self.down(x) if self.down else x))


WIDTHS = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2


class ResNet20(nn.Module):
    """The network of 20 layers for images of 32 by 32."""

    def __init__(self) -> None:
        self.stem, self.bn = nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.blocks = nn.Sequential(*(Basic(*widths) for widths in WIDTHS))
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Any) -> Any:
        """Score the classes."""
        h = self.blocks(F.relu(self.bn(self.stem(x))))
        return self.fc(np.mean(h, axis=(2, 3)))


def mlp() -> nn.Module:
    """Make the book's first network, with two layers."""
    return nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 10))


def conv_net() -> nn.Module:
    """Make two blocks of convolution and normalisation, and two linear layers."""
    blocks = [
        nn.Sequential(nn.Conv2d(n, m, 3, padding=1), nn.BatchNorm2d(m), nn.ReLU(), nn.MaxPool2d(2))
        for n, m in ((1, 16), (16, 32))
    ]
    head = [nn.Flatten(), nn.Linear(1568, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*blocks, *head)


# ----------------------------------------------------------------------------------- in PyTorch
class TorchAttention(torch.nn.Module):
    """The same as Attention."""

    def __init__(self, n: int):
        super().__init__()
        self.q, self.k, self.v, self.out = (torch.nn.Linear(n, n) for _ in range(4))

    def forward(self, x: Any) -> Any:
        """Mix the places."""
        b, t, n = x.shape
        q, k, v = (f(x).reshape(b, t, 2, n // 2).transpose(1, 2) for f in (self.q, self.k, self.v))
        weights = torch.softmax(q @ k.transpose(-1, -2) / 4.0, -1)
        return self.out((weights @ v).transpose(1, 2).reshape(b, t, n))


class TorchLayer(torch.nn.Module):
    """The same as Layer."""

    def __init__(self, n: int):
        super().__init__()
        self.norm1, self.norm2 = torch.nn.LayerNorm(n), torch.nn.LayerNorm(n)
        self.attention = TorchAttention(n)
        self.up, self.down = torch.nn.Linear(n, 4 * n), torch.nn.Linear(4 * n, n)

    def forward(self, x: Any) -> Any:
        """Attend, then compute at each place."""
        x = x + self.attention(self.norm1(x))
        return x + self.down(torch.relu(self.up(self.norm2(x))))


class TorchBasic(torch.nn.Module):
    """The same as Basic."""

    def __init__(self, n: int, m: int, stride: int):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(n, m, 3, stride=stride, padding=1)
        self.conv2 = torch.nn.Conv2d(m, m, 3, padding=1)
        self.bn1, self.bn2 = torch.nn.BatchNorm2d(m), torch.nn.BatchNorm2d(m)
        self.down = torch.nn.Conv2d(n, m, 1, stride=stride) if stride > 1 else None

    def forward(self, x: Any) -> Any:
        """Add what the convolutions find."""
        h = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(h + (self.down(x) if self.down else x))


class TorchLoop(torch.nn.Module):
    """A recurrent network with bare weights."""

    def __init__(self) -> None:
        super().__init__()
        self.wx = torch.nn.Parameter(torch.from_numpy(normal(3, 5)))
        self.wh = torch.nn.Parameter(torch.from_numpy(normal(5, 5)))
        self.b = torch.nn.Parameter(torch.from_numpy(normal(5)))

    def forward(self, x: Any) -> Any:
        """Run over all steps."""
        h = torch.zeros(4, 5)
        for t in range(x.shape[1]):
            h = torch.tanh(x[:, t] @ self.wx + h @ self.wh + self.b)
        return h


def torch_conv_net() -> Any:
    """Make the same as conv_net."""
    t = torch.nn
    blocks = [
        t.Sequential(t.Conv2d(n, m, 3, padding=1), t.BatchNorm2d(m), t.ReLU(), t.MaxPool2d(2))
        for n, m in ((1, 16), (16, 32))
    ]
    return t.Sequential(*blocks, t.Flatten(), t.Linear(1568, 64), t.ReLU(), t.Linear(64, 10))


def torch_resnet() -> Any:
    """Make the same as ResNet20."""
    t = torch.nn
    stem = [t.Conv2d(3, 16, 3, padding=1), t.BatchNorm2d(16), t.ReLU()]
    blocks = t.Sequential(*(TorchBasic(*widths) for widths in WIDTHS))
    return t.Sequential(*stem, blocks, t.AdaptiveAvgPool2d(1), t.Flatten(), t.Linear(64, 10))


def torch_transformer() -> Any:
    """Make the same as Transformer."""
    t = torch.nn
    layers = t.Sequential(*(TorchLayer(16) for _ in range(12)))
    return t.Sequential(t.Embedding(20, 16), layers, t.LayerNorm(16), t.Linear(16, 20))


# ------------------------------------------------------------------------------------ the table
def loop(x: Any) -> Any:
    """Run a recurrent network with bare weights."""
    wx, wh, b = (Tensor(normal(*s), requires_grad=True) for s in ((3, 5), (5, 5), (5,)))
    h = Tensor(np.zeros((4, 5), "f4"), name="h0")
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ wx + h @ wh + b)
    return h


NETWORKS: dict[str, tuple[Callable[[], Any], Callable[[], Any], Any]] = {
    "perceptron of two layers": (
        mlp,
        lambda: torch.nn.Sequential(
            torch.nn.Linear(784, 50), torch.nn.ReLU(), torch.nn.Linear(50, 10)
        ),
        normal(8, 784),
    ),
    "convolutional network": (conv_net, torch_conv_net, normal(8, 1, 28, 28)),
    "ResNet-20": (ResNet20, torch_resnet, normal(4, 3, 32, 32)),
    "loop of 100 steps": (lambda: loop, TorchLoop, normal(4, 100, 3)),
    "transformer of 12 blocks": (Transformer, torch_transformer, RNG.integers(0, 20, (2, 8))),
}


def sources(name: str) -> dict[str, Callable[[], str]]:
    """Return what draws a network with each tool, the loss included where the tool has it."""
    make, make_torch, x = NETWORKS[name]
    net, other = make(), make_torch()
    inputs = Tensor(x, name="x") if x.dtype.kind == "f" else x
    loss = (net(inputs) ** 2).mean()
    x = torch.from_numpy(x)
    other_loss = (other(x) ** 2).mean()
    return {
        "minigrad": lambda: loss.draw().source,
        "torchviz": lambda: torchviz.make_dot(other_loss, dict(other.named_parameters())).source,
        "torchview": lambda: (
            torchview.draw_graph(other, input_data=x, expand_nested=True).visual_graph.source
        ),
    }


def measured(draw: Callable[[], str], file: Path | None, repeat: int) -> str:
    """Return boxes, pixels and seconds of one picture."""
    source = draw()
    boxes = set(NODE.findall(source))
    try:
        png = render(draw(), "png")
        times = timeit.repeat(lambda: render(draw(), "png"), number=1, repeat=repeat)
    except TimeoutError:
        return f"{len(boxes)} · – · over 30 s"
    wide, high = struct.unpack(">II", png[16:24])
    if file:
        write(file, png)
    return f"{len(boxes)} · {wide:,} × {high:,} · {statistics.median(times):.2f} s"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", choices=NETWORKS)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    sys.stdout.write("| | minigrad | torchviz | torchview |\n|---|---|---|---|\n")
    for name in [arguments.only] if arguments.only else NETWORKS:
        minigrad.manual_seed(0)
        cells = [name]
        for tool, draw in sources(name).items():
            file = f"{tool}.png" if arguments.only else f"{name} {tool}.png"
            file = arguments.out and arguments.out / file
            cells.append(measured(draw, file, arguments.repeat))
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
        sys.stdout.flush()
