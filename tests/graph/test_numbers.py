"""The numbers in a picture are those of the network: operations and values, in and beside folds."""

import warnings

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, draw, nn
from minigrad import functional as F
from minigrad.autograd import reachable
from minigrad.nn import models

RNG = np.random.default_rng(0)


def tensor(*shape, name="x"):
    return Tensor(RNG.normal(size=shape).astype("f4"), name=name)


class Residual(nn.Module):
    def __init__(self, n):
        self.first, self.second = nn.Linear(n, n), nn.Linear(n, n)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x)))


class Tower(nn.Module):
    """Blocks that are equal, then one that is not."""

    def __init__(self, blocks):
        self.blocks = [Residual(6) for _ in range(blocks)]
        self.out = nn.Linear(6, 4)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.out(x)


class Shared(nn.Module):
    """One block, run again and again."""

    def __init__(self):
        self.block = Residual(6)

    def forward(self, x):
        for _ in range(7):
            x = self.block(x)
        return x


class Tied(nn.Module):
    """Blocks of which each has a part of its own and one in common."""

    def __init__(self):
        self.blocks = [Residual(6) for _ in range(5)]
        for block in self.blocks:
            block.second = self.blocks[0].second

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class Cell(nn.Module):
    def __init__(self):
        self.input, self.hidden = nn.Linear(3, 6), nn.Linear(6, 6, bias=False)

    def forward(self, x, h):
        return np.tanh(self.input(x) + self.hidden(h))


class RNN(nn.Module):
    def __init__(self):
        self.cell, self.out = Cell(), nn.Linear(6, 2)

    def forward(self, x):
        h = Tensor(np.zeros((x.shape[0], 6), "f4"), name="h0")
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
        return self.out(h)


class Raw(nn.Module):
    """The same with weights of its own, and no modules."""

    def __init__(self):
        self.Wx, self.Wh = nn.Parameter(np.ones((3, 6), "f4")), nn.Parameter(np.eye(6, dtype="f4"))

    def forward(self, x):
        h = Tensor(np.zeros((x.shape[0], 6), "f4"), name="h0")
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ self.Wx + h @ self.Wh)
        return h


class Nested(nn.Module):
    """Stages of blocks: repeats in repeats."""

    def __init__(self):
        self.stages = [Tower(3) for _ in range(4)]
        for stage in self.stages:
            stage.out = nn.Linear(6, 6)

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        return x


MODELS = {
    "two layers": (models.TwoLayerNet, (5, 784)),
    "convolutional": (models.SimpleConvNet, (2, 1, 28, 28)),
    "deep": (models.DeepConvNet, (2, 1, 28, 28)),
    "tower": (lambda: Tower(12), (5, 6)),
    "shared": (Shared, (5, 6)),
    "tied": (Tied, (5, 6)),
    "recurrent": (RNN, (5, 30, 3)),
    "raw weights": (Raw, (5, 60, 3)),
    "nested": (Nested, (5, 6)),
    "unread": (lambda: models.Network(a=nn.Linear(6, 6), b=nn.ReLU(), c=nn.Linear(6, 6)), (5, 6)),
}


def sizes_below(net, paths):
    """Return the number of values in the parameters of modules, each counted once."""
    found = {}
    for name, parameter in every(net):
        if any(name.startswith(f"{p}.") for p in paths):
            found[id(parameter)] = parameter.size
    return sum(found.values())


def every(net):
    """Yield each parameter by all of its names."""
    for path, module in modules(net):
        for name, value in vars(module).items():
            if isinstance(value, nn.Parameter):
                yield f"{path}.{name}" if path else name, value


def modules(net, path=""):
    """Yield each module by all of its paths."""
    yield path, net
    for name, value in vars(net).items():
        parts = {name: value} if isinstance(value, nn.Module) else {}
        if isinstance(value, list):
            parts = {f"{name}.{i}": v for i, v in enumerate(value)}
        if isinstance(value, dict):
            parts = {f"{name}.{k}": v for k, v in value.items()}
        for key, part in parts.items():
            if isinstance(part, nn.Module):
                yield from modules(part, f"{path}.{key}" if path else key)


def paths_of(path):
    """Return the paths that a frame stands for."""
    start, _, end = path.partition("–")
    if not end:
        return [start]
    stem, first = start.rpartition(".")[::2]
    return [f"{stem}.{i}" for i in range(int(first), int(end) + 1)]


@pytest.mark.parametrize("depth", [None, 0, 1])
@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_numbers_are_those_of_the_network(name, collapse, depth):
    make, shape = MODELS[name]
    minigrad.manual_seed(0)
    net = make()
    y = net(tensor(*shape))
    ops = len(reachable([y._node]))
    values = {key: p.size for key, p in net.named_parameters()}
    view = draw(y, params=net, collapse_repeats=collapse, depth=depth, max_nodes=2000)
    graph = view.graph
    assert (graph.ops, graph.parameters) == (ops, len(values))
    assert graph.parameter_values == sum(values.values())

    # What is seen stands for all that was recorded: boxes once for each round around them.
    seen = 0
    for box in view.nodes:
        times, home = 1, box.cluster
        while home is not None:
            times *= view.clusters[home].repeats
            home = view.clusters[home].parent
        seen += box.ops * times
        assert box.kind != "op" or box.ops == 1
    assert seen == ops

    for cluster in view.clusters.values():
        if not cluster.path or cluster.sort == "stretch":
            continue
        assert cluster.parameters == sizes_below(net, paths_of(cluster.path))
        if cluster.repeats > 1:
            one = sizes_below(net, paths_of(cluster.path)[:1])
            total = f"{cluster.parameters:,} params"
            shared = cluster.parameters == one
            extra = f", shared by all {cluster.repeats}" if shared else f" ({one:,} each"
            assert total + extra in cluster.label
    folded = [b for b in view.nodes if b.kind == "module" and b.name]
    for box in folded:
        assert box.parameters == sizes_below(net, paths_of(box.name))


def test_what_one_of_several_has_stands_inside_and_the_sum_on_the_frame():
    view = draw(Tower(20)(tensor(5, 6)), depth=1)
    (frame, *_) = view.clusters.values()
    assert frame.label == "×20 (blocks.0–19): Residual · 80 ops · 1,680 params (84 each)"
    first, second = [b for b in view.nodes if b.cluster == frame.id and b.kind == "module"]
    assert (first.ops, first.parameters) == (second.ops, second.parameters) == (1, 42)


def test_shared_parameters_are_said_to_be_shared():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view = draw(RNN()(tensor(5, 100, 3)))
    frame = next(iter(view.clusters.values()))
    assert frame.label == "×100 (cell): Cell · 400 ops · 60 params, shared by all 100"
    tied = draw(Tied()(tensor(5, 6)))
    frame = next(iter(tied.clusters.values()))
    assert frame.label.endswith("· 20 ops · 252 params (84 each, some shared)")
