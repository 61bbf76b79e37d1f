"""Large graphs stay small pictures: depth, repeats, limits, references, and time."""

import sys
import time
import warnings

import numpy as np
import pytest
from graph_parsing import by_pydot, needs_graphviz

from minigrad import Tensor, draw, nn
from minigrad import functional as F

RNG = np.random.default_rng(0)


def tensor(*shape, name=None, grad=False):
    return Tensor(RNG.normal(size=shape).astype("f4"), grad, name=name)


class Block(nn.Module):
    def __init__(self, n):
        self.linear = nn.Linear(n, n)

    def forward(self, x):
        return x + self.linear(F.relu(x))


class Tower(nn.Module):
    def __init__(self, widths):
        self.layers = [Block(n) for n in widths]
        self.out = nn.Linear(widths[-1], 2)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x) if layer.linear.weight.shape[0] == x.shape[1] else layer(x[:, :4])
        return self.out(x)


class Cell(nn.Module):
    def __init__(self):
        self.input, self.hidden = nn.Linear(3, 5), nn.Linear(5, 5, bias=False)

    def forward(self, x, h):
        return np.tanh(self.input(x) + self.hidden(h))


def recurrent(cell, steps):
    h = Tensor(np.zeros((2, 5), "f4"), name="h0")
    for _ in range(steps):
        h = cell(tensor(2, 3), h)
    return h.sum()


def chain(n, name="x"):
    y = tensor(4, name=name, grad=True)
    for _ in range(n):
        y = y + 1.0
    return y


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return draw(*args, **options)


def labels(view):
    return [cluster.label for cluster in view.clusters.values()]


# -------------------------------------------------------------------------------------- repeats
def test_equal_blocks_in_a_row_are_drawn_once():
    y = Tower([8] * 12)(tensor(3, 8, name="x", grad=True))
    view = draw(y, gradients=True)
    assert labels(view)[0] == "×12 (layers.0–11): Block · 72 params each"
    assert [b.label for b in view.nodes] == ["x", "relu", "linear", "add", "linear", "output"]
    (linear,) = [b for b in view.nodes if b.cluster == "cluster_layers_0_linear"]
    whole = [b for b in view.whole.boxes if b.label == "linear" and b.name != "out"][:-1]
    rms = [b.gradient.low for b in whole]
    assert linear.gradient == (min(rms), max(rms))
    assert (linear.ops, view.graph.ops) == (12, 37)
    back = {(e.tail[:3], e.head[:3], e.uses) for e in view.edges if e.repeat}
    assert back == {("op3", "op1", 11), ("op3", "op3", 11)}
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
    assert (repeat.label, repeat.ops, repeat.parameters) == ("×3 (layers.0–2): Block", 9, 72)
    assert (out.inputs, out.shape, out.ops) == (("(3, 8) f32",), (3, 2), 1)
    assert "1 op · 18 params  (3, 8) f32 → (3, 2) f32" in view.summary()
    assert [e for e in view.edges if e.tail == e.head] == []


def test_a_folded_module_shows_the_bad_value_inside():
    tower = Tower([8, 4])
    tower.layers[1].linear.weight.data[0, 0] = np.nan
    view = draw(tower(tensor(3, 8, grad=True)), depth=0)
    assert [b.id for b in view.nodes if b.bad and b.bad.first] == ["module_layers_1"]


# --------------------------------------------------------------------------------------- limits
@pytest.mark.parametrize(("uses", "limit", "copies"), [(8, 8, 1), (9, 8, 9), (3, 2, 3), (3, 3, 1)])
def test_an_input_read_often_is_drawn_at_each_use(uses, limit, copies):
    x, w = tensor(3, grad=True), tensor(3, name="w", grad=True)
    y = x
    for _ in range(uses):
        y = y + w
    view = draw(y, max_fanout=limit)
    assert sum(b.label == "w" for b in view.nodes) == copies
    readers = [e.head for e in view.edges if e.tail.startswith("input_w")]
    assert len(readers) == len(set(readers)) == uses


def test_an_operation_read_often_gets_references():
    x = tensor(3, name="x", grad=True)
    h = np.tanh(x)
    h.name = "enc"
    view = draw(sum(h * float(i) for i in range(12)), max_fanout=8)
    references = [b for b in view.nodes if b.kind == "reference"]
    assert len(references) == 11
    assert {(b.label, b.target) for b in references} == {("→ enc", "op1_tanh")}
    picture = by_pydot(view.source)
    assert "dashed" in picture.nodes[references[0].id]["style"]
    assert sum(tail == "op1_tanh" for tail, _, _ in picture.edges) == 1


def test_what_is_too_large_is_hidden_with_one_warning():
    y = chain(3000)
    with pytest.warns(UserWarning, match=r"3,002 nodes, more than max_nodes=1,000") as caught:
        view = draw(y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert len(view.nodes) < 50
    hidden = [b for b in view.nodes if b.kind == "hidden"]
    shown = [b for b in view.nodes if b.kind == "op"]
    assert sum(b.ops for b in hidden) + len(shown) == 3000
    assert any(f"… {b.ops:,} ops hidden …" == b.label for b in hidden)


def test_first_repeats_then_depth_then_operations_give_way():
    y = Tower([8] * 300)(tensor(3, 8, name="x", grad=True))
    assert len(quiet(y, max_nodes=100, collapse_repeats=False).nodes) == 6
    layers = [Block(8) if i % 2 else nn.Linear(8, 8) for i in range(40)]
    mixed = nn.Sequential(*layers)(tensor(3, 8, name="x", grad=True))
    assert {b.kind for b in quiet(mixed, max_nodes=70).nodes} >= {"module"}
    assert "hidden" not in {b.kind for b in quiet(mixed, max_nodes=70).nodes}
    assert "hidden" in {b.kind for b in quiet(mixed, max_nodes=30).nodes}


def test_outputs_parameters_and_bad_sites_are_kept():
    w = tensor(4, grad=True)
    y = chain(700) * w
    with np.errstate(all="ignore"):
        z = np.log(y - 1e6)
    for _ in range(700):
        z = z + 1.0
    view = quiet([z, y], params={"w": w}, max_nodes=200)
    kept = [b for b in view.nodes if b.kind == "op"]
    assert [b.label for b in kept if b.rows] == ["multiply"]
    assert [b.label for b in kept if b.bad and b.bad.first] == ["log"]
    assert sum(b.kind == "output" for b in view.nodes) == 2
    ends = {e.tail for e in view.edges if e.head.startswith("output")}
    assert ends == {"op701_multiply", "op1403_add"}


def test_a_chain_of_10000_needs_no_recursion():
    assert sys.getrecursionlimit() <= 1000 or sys.getrecursionlimit() < 10_000
    view = quiet(chain(10_000), max_nodes=20_000)
    assert len(view.nodes) == 10_002
    assert len(view.edges) == 10_001
    for text in (view.source, view.summary(), view.to_mermaid()):
        assert "op10000_add" in text or "add" in text


def test_shared_nodes_are_linear_in_size():
    y = tensor(3, name="x", grad=True) * 1e-3
    for _ in range(15):
        y = y + y * y
    view = draw(y)
    assert len(view.nodes) == 15 * 2 + 3
    assert len(view.edges) == 15 * 4 + 2


def test_deeply_nested_modules_need_no_recursion():
    class Nest(nn.Module):
        def __init__(self, inner):
            self.inner = inner

        def forward(self, x):
            return self.inner(x)

    net = nn.Linear(2, 2)
    for _ in range(150):
        net = Nest(net)
    view = draw(net(tensor(2, 2)), params=net)
    assert len(view.clusters) == 150
    assert view.summary()
    assert view.source
    assert view.to_mermaid()


def fastest(function, times=3):
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


def test_time_grows_with_the_size_and_no_faster():
    small, large, cell = chain(1000), chain(8000), Cell()
    assert fastest(lambda: quiet(large)) < 24 * fastest(lambda: quiet(small)) + 0.05
    few, many = recurrent(cell, 250), recurrent(cell, 2000)
    assert fastest(lambda: quiet(many)) < 24 * fastest(lambda: quiet(few)) + 0.05


@needs_graphviz
@pytest.mark.parametrize("options", [{}, {"collapse_repeats": False}], ids=["folded", "unfolded"])
def test_200_recurrent_steps_render_in_two_seconds(options):
    view = quiet(recurrent(Cell(), 200), **options)
    start = time.perf_counter()
    view.svg()
    assert time.perf_counter() - start < 2
