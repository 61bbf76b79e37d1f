"""Pictures say how values are: range and histogram, dead units, saturation, in words."""

import numpy as np
import pytest
from graph_networks import tensor
from graph_pages import data_of, page_of
from graph_parsing import by_pydot

import minigrad
from minigrad import Tensor, draw, nn
from minigrad import functional as F
from minigrad.graph.values import measure

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    "value",
    [
        RNG.normal(size=(30, 7)),
        RNG.normal(size=1000) + 1e4,
        np.maximum(RNG.normal(size=(4, 5, 6)), 0),
        np.array([1.0, np.nan, 3.0, np.inf]),
        np.full(9, 2.5),
        np.full(9, 3e38),
    ],
    ids=["normal", "far from 0", "half zeros", "not finite", "constant", "overflow"],
)
def test_values_are_measured(value, dtype):
    value = value.astype(dtype)
    with np.errstate(over="ignore"):
        stats = measure(value)
    kept = value[np.isfinite(value)].astype("f8")
    assert (stats.low, stats.high) == (kept.min(), kept.max())
    assert stats.mean == pytest.approx(kept.mean(), rel=1e-5, abs=1e-6)
    assert stats.std == pytest.approx(kept.std(), rel=1e-2, abs=1e-4 * abs(kept).max())
    assert stats.zeros == pytest.approx(100 * np.mean(value == 0))
    assert stats.wrong == pytest.approx(100 * (1 - kept.size / value.size))
    if stats.bars:
        counts, _ = np.histogram(kept, 16)
        assert stats.bars[int(np.argmax(counts))] == "9"
        assert [bar == "0" for bar in stats.bars] == [n == 0 for n in counts]


@pytest.mark.parametrize(
    "value", [np.arange(5), np.array([True]), np.float32(3.0), np.ones((0, 2))]
)
def test_what_is_no_array_of_floats_is_not_measured(value):
    assert measure(np.asarray(value)) is None


def dead_relu():
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
    net[0].bias.data[:] = -100
    return F.cross_entropy(net(tensor(10, 6)), np.arange(10) % 4)


def dead_units():
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
    net[0].bias.data[:6] = -100
    net[0].bias.data[6:] = 100
    return net(tensor(10, 6)).sum()


def saturated(function):
    return lambda: np.sum(function(tensor(10, 6, name="x", grad=True) * 1e6))


@pytest.mark.parametrize(
    ("make", "label", "says"),
    [
        (dead_relu, "relu", "dead: 100 % zeros"),
        (dead_units, "relu", "dead: 6 of 8 units"),
        (saturated(np.tanh), "tanh", "saturated: 100 %"),
        (saturated(F.sigmoid), "sigmoid", "saturated: 100 %"),
        (lambda: np.sum(np.tanh(tensor(10, 6, grad=True) * 0.1)), None, ""),
        (lambda: F.relu(tensor(10, 6, grad=True)).sum(), None, ""),
    ],
    ids=["dead", "dead units", "tanh", "sigmoid", "tanh at work", "relu at work"],
)  # fmt: skip
def test_what_is_ill_is_marked_by_words_and_border_where_it_begins(make, label, says):
    view = draw(make())
    ill = {box.label: box.health for box in view.nodes if box.health}
    assert ill == ({label: says} if label else {})
    assert "#D55E00" not in view.source  # the hue of what is not finite
    nodes = by_pydot(view.source).nodes
    for box in view.nodes:
        if box.health:
            assert float(nodes[box.id]["penwidth"]) > 1
            assert says in nodes[box.id]["label"]
            assert says in view.summary()
    assert ("dead or saturated" in view.source) == bool(label)


def test_a_dead_block_is_not_folded_away():
    class Block(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(6, 6)

        def forward(self, x):
            return x + F.relu(self.linear(x))

    minigrad.manual_seed(0)  # with other weights another may be dead as well
    blocks = [Block() for _ in range(6)]
    for block in blocks:
        block.linear.bias.data[:] = 3
    blocks[3].linear.bias.data[:] = -100
    x = Tensor(np.random.default_rng(0).normal(size=(20, 6)).astype("f4"))
    view = draw(nn.Sequential(*blocks)(x))
    assert [c.path for c in view.clusters.values() if not c.parent] == ["0–2", "3", "4–5"]
    closed = draw(nn.Sequential(*blocks)(x), depth=0)
    assert [b.name for b in closed.nodes if b.health] == ["3"]


def test_tooltip_and_page_say_how_values_and_gradients_are(tmp_path):
    x = Tensor(np.linspace(-2, 2, 40, dtype="f4").reshape(5, 8), requires_grad=True, name="x")
    view = np.sum(F.relu(x) * 3.0).draw(gradients=True)
    (box,) = [b for b in view.nodes if b.label == "relu"]
    tip = by_pydot(view.source).nodes[box.id]["tooltip"]
    assert "values: min 0, mean 0.513, max 2, std" in tip
    assert "50 % zeros" in tip
    assert "|g| 3.0e+00: min 3, mean 3, max 3, std 0" in tip
    node = next(n for n in data_of(page_of(view, tmp_path))["nodes"] if n["text"] == "relu")
    text, bars = node["stats"]
    assert text == box.stats.text
    assert (len(bars), bars[0]) == (16, "9")
    assert node["slopes"][0].startswith("min 3")


def test_nothing_is_said_where_no_value_is_held():
    loss = dead_relu()
    loss.backward()
    assert not any(b.health or b.stats for b in draw(loss).nodes if b.kind == "op" and b.shape)
    assert not any(box.health for box in draw(dead_relu(), check_finite=False).nodes)
