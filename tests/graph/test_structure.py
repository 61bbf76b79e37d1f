"""A picture has the nodes, edges, rows and clusters of what was recorded, read back from DOT."""

import dataclasses
import json
import re

import numpy as np
import pytest
from graph_parsing import READERS, Log, by_pydot

import minigrad
from minigrad import Tensor, draw, nn
from minigrad import functional as F

RNG = np.random.default_rng(0)


def tensor(*shape, name=None, grad=False):
    return Tensor(RNG.normal(size=shape).astype("f4"), grad, name=name)


class Block(nn.Module):
    def __init__(self, n, m):
        self.linear, self.norm, self.act = nn.Linear(n, m), nn.BatchNorm1d(m), nn.ReLU()

    def forward(self, x):
        return self.act(self.norm(self.linear(x)))


class Net(nn.Module):
    def __init__(self):
        self.layers = [Block(6, 8), Block(8, 8)]
        self.heads = {"a": nn.Linear(8, 3), "b": nn.Linear(8, 3)}

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.heads["a"](x) * 0.5 - self.heads["b"](x)


class Images(nn.Module):
    def __init__(self):
        self.conv, self.norm, self.pool = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.MaxPool2d(2)
        self.out = nn.Linear(12, 4)

    def forward(self, x):
        x = self.pool(F.relu(self.norm(self.conv(x))))
        return self.out(x.reshape(x.shape[0], -1))


def shared(x):
    return x * x + x.sum()


def diamond(x):
    y = np.tanh(x)
    a, b = y[:2], y[2:]
    return np.where(a > 0, a, b) @ np.concatenate([a, b]).reshape(4, 3).T - y.mean()


def several(x):
    y = np.exp(x)
    return y.sum(), np.stack([x, y], axis=0), y


FUNCTIONS = {"shared": shared, "diamond": diamond, "several": several}


def drawn(picture):
    """Return the edges between inputs and operations, by number and name."""
    return sorted(
        (short(tail), short(head), i)
        for tail, head, i in picture.edges
        if not head.startswith("output")
    )


def short(name):
    return re.sub(r"^(op\d+|constant)_\w+$", r"\1", name)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_edges_of_a_function_equal_the_log(reader, name):
    x = tensor(4, 3, name="x", grad=True)
    with Log(input_x=x)() as log:
        outputs = FUNCTIONS[name](x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    picture = reader(draw(outputs).source)
    assert drawn(picture) == sorted(log.edges(*outputs))
    assert sum(head.startswith("output") for _, head, _ in picture.edges) == len(outputs)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("model", "shape"), [(Net, (5, 6)), (Images, (2, 1, 6, 6))])
@pytest.mark.parametrize("swept", [False, True])
def test_edges_rows_and_clusters_of_a_network(reader, model, shape, swept):
    net, x = model(), tensor(*shape, name="x")
    parameters = {f"param_{n.replace('.', '_')}": p for n, p in net.named_parameters()}
    with Log(input_x=x, **parameters)() as log:
        y = net(x)
    if swept:
        y.sum().backward()
    expected = log.edges(y)
    picture = reader(draw(y, collapse_repeats=False, max_fanout=100).source)
    rows = [(tail, head, i) for tail, head, i in expected if tail.startswith("param")]
    assert drawn(picture) == sorted(set(expected) - set(rows))
    assert sorted((p, short(op)) for p, op in picture.rows) == sorted(r[:2] for r in rows)
    assert {row for row, _ in picture.rows} == parameters.keys()

    paths = {f"cluster_{p.replace('.', '_')}": p for p, _ in net.named_modules() if p}
    assert picture.clusters.keys() == paths.keys()
    for name, path in paths.items():
        outer = [p for p in paths.values() if path.startswith(f"{p}.")]
        parent = picture.clusters[name]
        assert (paths[parent] if parent else None) == max(outer, key=len, default=None)


@pytest.mark.parametrize("reader", READERS)
def test_x_times_x_has_two_edges_and_the_sum_a_third(reader):
    x = tensor(3, name="x", grad=True)
    edges = [e for e in reader(draw(x * x + x.sum()).source).edges if e[0] == "input_x"]
    assert sorted(edges) == [
        ("input_x", "op1_multiply", 0),
        ("input_x", "op1_multiply", 1),
        ("input_x", "op2_sum", 0),
    ]


def test_modules_that_did_not_run_themselves_stand_around_those_that_did():
    class Outer(nn.Module):
        def __init__(self):
            self.block = Block(6, 6)

        def forward(self, x):
            return self.block.norm(self.block.linear(x))

    view = draw(Outer()(tensor(2, 6)))
    found = {c.path: c.parent for c in view.clusters.values()}
    assert found == {
        "block": None, "block.linear": "cluster_block", "block.norm": "cluster_block",
    }  # fmt: skip


def test_calls_of_one_module_are_clusters_of_their_own():
    net = nn.Linear(3, 3)
    x = tensor(2, 3)
    view = draw(net(np.tanh(net(x))), collapse_repeats=False)
    labels = [c.label for c in view.clusters.values()]
    assert labels == [f"Linear · call {i} of 2 · 12 params" for i in (1, 2)]
    assert [box.cluster for box in view.nodes if box.label == "linear"] == list(view.clusters)
    assert [row.uses for box in view.nodes for row in box.rows] == [2] * 4
    assert view.graph.parameters == 2


def test_two_networks_keep_their_frames_and_one_needs_none():
    a, b, x = Net(), Net(), tensor(5, 6)
    kinds = [c.kind for c in draw(a(x) + b(x)).clusters.values() if c.parent is None]
    assert kinds == ["Net", "Net"]
    top = [c.path for c in draw(a(x), collapse_repeats=False).clusters.values() if not c.parent]
    assert top == ["layers.0", "layers.1", "heads.a", "heads.b"]


def test_parameters_that_nothing_reads_are_shown():
    net = Net()
    net.spare = nn.Linear(2, 2)
    view = draw(net(tensor(5, 6)).sum(), params=net, gradients=True)
    unused = {box.name: box for box in view.nodes if box.kind == "parameter"}
    assert unused.keys() == {"spare.weight", "spare.bias"}
    assert {box.gradient.text for box in unused.values()} == {"grad None"}
    rows = [row.name for box in view.whole.boxes for row in box.rows]
    assert {*rows, *unused} == {name for name, _ in net.named_parameters()}


def test_a_dict_names_parameters():
    x, w, b = tensor(2, 3, name="x"), tensor(3, 4, grad=True), tensor(4, grad=True)
    view = draw(x @ w + b, params={"W1": w, "b1": b})
    assert [(r.name, r.argument) for box in view.nodes for r in box.rows] == [("W1", 1), ("b1", 1)]
    assert [box.id for box in view.nodes if box.kind == "input"] == ["input_x"]


def test_frozen_parameters_are_dotted_rows():
    net = Net()
    net.layers[1].linear.weight.requires_grad = False
    view = draw(net(tensor(5, 6)), params=net)
    frozen = {row.name for box in view.nodes for row in box.rows if not row.requires_grad}
    assert frozen == {"layers.1.linear.weight"}
    assert view.source.count('STYLE="DOTTED"') == 1  # the row
    assert view.source.count("filled,dotted") == 2  # the input, and the sample in the legend


@pytest.mark.parametrize(
    ("make", "kinds"),
    [
        (lambda x: x, ["input", "output"]),
        (lambda x: x.detach() * 2, ["input", "output"]),
        (lambda x: [x.sum(), x], ["input", "op", "output", "output"]),
        (lambda x: [x, x], ["input", "output", "output"]),
        (lambda x: {"a": x.sum(), "b": x.detach()}, ["input", "op", "input", "output", "output"]),
    ],
    ids=["leaf", "no graph", "leaf among outputs", "leaf twice", "dict"],
)
def test_outputs_of_every_kind(make, kinds):
    view = draw(make(tensor(3, grad=True)))
    picture = by_pydot(view.source)
    assert sorted(box.kind for box in view.nodes) == sorted(kinds)
    assert picture.nodes.keys() == {box.id for box in view.nodes}


def test_what_no_grad_left_out_is_said():
    with minigrad.no_grad():
        y = tensor(3, grad=True) * 2
    assert "nothing was recorded" in draw(y).summary()
    assert "nothing was recorded" not in draw(tensor(3, grad=True) * 2).summary()


def test_the_backward_view_turns_the_edges_and_leaves_out_what_has_no_gradient():
    net, x = Net(), tensor(5, 6, name="x")
    y = net(x)
    forward, backward = draw(y), draw(y, view="backward")
    turned = {(e.head, e.tail, e.argument) for e in backward.edges}
    assert turned == {(e.tail, e.head, e.argument) for e in forward.edges if e.tail != "input_x"}
    assert "input_x" not in by_pydot(backward.source).nodes
    assert next(b.id for b in backward.nodes) == "output_output"


def test_module_draw_runs_the_module_and_leaves_it_as_it_was():
    net = Net()
    before = net.state_dict()
    view = net.draw(RNG.normal(size=(5, 6)).astype("f4"), legend=False)
    assert next(b.id for b in view.nodes) == "input_x"
    assert view.whole.title == "Net"
    assert all(np.array_equal(v, before[k]) for k, v in net.state_dict().items())
    with minigrad.no_grad():
        assert net.draw(tensor(5, 6)).whole.ops == view.whole.ops
    assert [b.label for b in nn.ReLU().draw(np.ones(3, "f4")).nodes][1] == "relu"


def test_tensor_draw_is_draw():
    y = tensor(3, grad=True).sum()
    assert y.draw(legend=False).source == draw(y, legend=False).source


def test_python_numbers_names_and_order_are_written():
    x = tensor(3, 3, name="x", grad=True)
    h = 2 - x**3
    h.name = "h"
    source = draw(h @ x).source
    for text in ("<B>power(·, 3)</B>", "<B>h = subtract(2, ·)</B>", "<B>matmul</B>"):
        assert text in source
    assert source.count("headlabel") == 2  # of the product alone
    assert draw(h + x).source.count("headlabel") == 0


def test_everything_can_be_written_as_json_and_no_array_is_held():
    view = draw(Net()(tensor(5, 6)).sum(), gradients=True)
    text = json.dumps(dataclasses.asdict(view.whole))
    assert "layers.0.linear.weight" in text


def test_source_lines_of_debug_mode_are_in_the_tooltip():
    x = tensor(3, grad=True)
    with minigrad.debug():
        y = np.exp(x)
    (box,) = [b for b in draw(y).nodes if b.kind == "op"]
    assert box.source[0] == __file__
    assert f"{__file__}:{box.source[1]} in test_source_lines" in draw(y).source
    assert draw(np.exp(x)).nodes[1].source is None
