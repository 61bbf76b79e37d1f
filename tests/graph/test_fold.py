"""Equal neighbours are drawn once, and modules below a depth as one box."""

import numpy as np
import pytest
from graph_networks import Cell, Tower, irregular, quiet, raw_rnn, recurrent, tensor

from minigrad import draw, nn


def labels(view):
    return [cluster.label for cluster in view.clusters.values()]


# -------------------------------------------------------------------------------------- repeats
def test_equal_blocks_in_a_row_are_drawn_once():
    y = Tower([8] * 12)(tensor(3, 8, name="x", grad=True))
    view = draw(y, gradients=True)
    assert labels(view)[0] == "×12 (layers.0–11): Block · 36 ops · 864 params (72 each)"
    assert [b.label for b in view.nodes] == ["x", "relu", "linear", "add", "linear", "output"]
    (linear,) = [b for b in view.nodes if b.cluster == "cluster_layers_0_linear"]
    whole = [b for b in view.whole.boxes if b.label == "linear" and b.name != "out"][:-1]
    rms = [b.gradient.low for b in whole]
    assert linear.gradient == (min(rms), max(rms))
    assert (linear.ops, view.graph.ops) == (1, 37)
    back = {(e.tail[:3], e.head[:3], e.uses) for e in view.edges if e.repeat}
    assert back == {("op3", "op1", 11)}
    assert {b.id for b in draw(y, collapse_repeats=False).nodes} == {b.id for b in view.whole.boxes}


@pytest.mark.parametrize(
    ("widths", "options", "expected"),
    [
        ([8, 8, 8, 4, 4], {}, ["×3 (layers.0–2)", "×2 (layers.3–4)"]),
        ([8, 4], {}, ["layers.0", "layers.1"]),
        ([8] * 4, {"expand": ["layers.1"]}, ["layers.0", "layers.1", "×2 (layers.2–3)"]),
        (
            [8] * 4,
            {"expand": ["layers.2.linear"]},
            ["×2 (layers.0–1)", "layers.2", "layers.3"],
        ),
    ],
)
def test_only_equal_neighbours_that_may_fold_do(widths, options, expected):
    y = Tower(widths)(tensor(3, 8, grad=True))
    found = [c.label.split(":")[0] for c in draw(y, **options).clusters.values() if not c.parent]
    assert found == [*expected, "out"]


def test_rounds_that_all_read_the_same_result_fold():
    context, y = np.tanh(tensor(3, 8, grad=True)), tensor(3, 8, grad=True)
    for _ in range(30):
        y = np.tanh(y * y + context)
    view = draw(y)
    assert labels(view) == ["loop ×30 · 90 ops"]
    assert [e.uses for e in view.edges if e.tail == "op1_tanh"] == [30]


class Norm(nn.Module):
    def __init__(self):
        self.weight = nn.Parameter(np.ones(8, "f4"))

    def forward(self, x):
        away = x - np.mean(x, axis=-1, keepdims=True)
        return away / np.sqrt(np.mean(away**2, axis=-1, keepdims=True) + 1) * self.weight


class Layer(nn.Module):
    def __init__(self):
        self.norm, self.up, self.down = Norm(), nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, x):
        return x + self.down(np.tanh(self.up(self.norm(x))))


def test_what_is_closed_at_one_place_is_closed_at_the_others():
    net = nn.Sequential(*(Layer() for _ in range(12)), Norm(), Layer(), nn.Tanh(), Layer())
    y = net(tensor(3, 8, grad=True))
    view = draw(y)
    assert [b.name for b in view.nodes if b.kind == "module"] == [
        "0.norm",
        "12",
        "13.norm",
        "15.norm",
    ]
    assert "12" not in [b.name for b in draw(y, expand=["12"]).nodes]


def test_a_block_with_a_bad_value_is_not_folded_away():
    tower = Tower([8] * 6)
    tower.layers[3].linear.weight.data[:] = np.inf
    with np.errstate(all="ignore"):
        view = draw(tower(tensor(3, 8, grad=True)))
    found = [c.label.split(":")[0] for c in view.clusters.values() if not c.parent]
    assert found[:2] == ["×3 (layers.0–2)", "layers.3"]
    assert [r.name for b in view.nodes for r in b.rows if r.bad and r.bad.first] == [
        "layers.3.linear.weight"
    ]


def test_modules_with_other_weights_are_not_repeats():
    net = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 4), nn.Linear(4, 4))
    found = [c.label.split(":")[0] for c in draw(net(tensor(3, 6, grad=True))).clusters.values()]
    assert found == ["0", "×2 (1–2)"]


def test_parallel_branches_are_not_repeats():
    a, x = nn.Linear(3, 3), tensor(2, 3, grad=True)
    assert len(draw(a(x) + a(x)).clusters) == 2


def test_steps_of_a_recurrent_network_fold_with_their_inputs():
    view = draw(recurrent(Cell(), 50))
    assert labels(view) == [
        "×50 (Cell): Cell · 45 params each",
        "input: Linear · 20 params",
        "hidden: Linear · 25 params",
    ] or labels(view)[0].startswith("Cell ×50")
    assert sorted(b.kind for b in view.nodes) == ["input"] * 2 + ["op"] * 5 + ["output"]


@pytest.mark.parametrize("grad", [False, True], ids=["data", "input with gradient"])
def test_rounds_of_a_loop_without_modules_are_drawn_once(grad):
    h, params = raw_rnn(110, tensor(4, 110, 3, name="x", grad=grad))
    view = draw(h.sum(), params=params)
    (loop,) = view.clusters.values()
    each = 5 + grad  # the step of the input is an operation where it has a gradient
    assert loop.label == f"loop ×110 · {110 * each} ops · 45 params, shared by all 110"
    inside = [b for b in view.nodes if b.cluster == loop.id]
    assert sum(b.kind == "op" for b in inside) == each
    assert [e.uses for e in view.edges if e.repeat] == [109]
    assert {b.label for b in view.nodes if not b.cluster} >= {"h0", "sum", "output"}


def test_short_loops_and_those_that_differ_are_not_folded():
    assert not draw(raw_rnn(8)[0]).clusters  # 40 operations
    assert draw(raw_rnn(9)[0]).clusters
    assert not quiet(irregular(60)).clusters
    y = tensor(4, name="x", grad=True)
    for i in range(60):
        y = y * float(i)
    assert not draw(y).clusters


def test_a_bad_value_divides_a_loop():
    y = tensor(4, name="x", grad=True)
    with np.errstate(all="ignore"):
        for i in range(200):
            y = np.log(y - 1e3) if i == 100 else np.tanh(y + 1.0)
    view = draw(y)
    assert [c.repeats for c in view.clusters.values()] == [100, 99]
    assert [b.label for b in view.nodes if b.bad and b.bad.first] == ["log"]


# ---------------------------------------------------------------------------------------- depth
@pytest.mark.parametrize(
    ("options", "boxes", "open_modules"),
    [
        ({"depth": 0}, "mmmm", []),
        ({"depth": 1}, "omo omo omo o", ["layers.0", "layers.1", "layers.2", "out"]),
        ({"depth": 2}, "ooo ooo ooo o", None),
        ({}, "ooo ooo ooo o", None),
        ({"depth": 0, "expand": ["layers.1"]}, "m omo m m", ["layers.1"]),
        (
            {"depth": 0, "expand": ["layers.1.linear"]},
            "m ooo m m",
            ["layers.1", "layers.1.linear"],
        ),
    ],
)
def test_modules_below_the_depth_are_one_box(options, boxes, open_modules):
    view = draw(
        Tower([8] * 3)(tensor(3, 8, name="x", grad=True)), collapse_repeats=False, **options
    )
    kinds = "".join(b.kind[0] for b in view.nodes if b.kind in ("op", "module"))
    assert kinds == boxes.replace(" ", "")
    if open_modules is not None:
        assert [c.path for c in view.clusters.values()] == open_modules


def test_a_folded_module_says_what_is_in_it():
    view = draw(Tower([8] * 3)(tensor(3, 8, name="x", grad=True)), depth=0, gradients=True)
    (repeat, out) = [b for b in view.nodes if b.kind == "module"]
    assert (repeat.label, repeat.ops, repeat.parameters) == ("×3 (layers.0–2): Block", 9, 216)
    assert (out.inputs, out.shape, out.ops) == (("(3, 8) f32",), (3, 2), 1)
    assert "1 op · 18 params  (3, 8) f32 → (3, 2) f32" in view.summary()
    assert [e for e in view.edges if e.tail == e.head] == []


def test_a_folded_module_shows_the_bad_value_inside():
    tower = Tower([8, 4])
    tower.layers[1].linear.weight.data[0, 0] = np.nan
    view = draw(tower(tensor(3, 8, grad=True)), depth=0)
    assert [b.id for b in view.nodes if b.bad and b.bad.first] == ["module_layers_1"]
