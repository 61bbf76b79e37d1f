"""What a box says of its operation, and the form of a picture: titles, limits, samples, grounds."""

import re
import struct
import time
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from graph_networks import Cell as RecurrentCell
from graph_networks import Tower, chain, quiet, raw_rnn, recurrent, tensor
from graph_parsing import by_pydot, needs_graphviz

import minigrad
from minigrad import Tensor, draw, nn
from minigrad import functional as F
from minigrad.graph import backends
from minigrad.graph.theme import COLOURS
from minigrad.nn import models

X = tensor(2, 3, 8, 8, name="x", grad=True)
M = tensor(5, 6, name="m", grad=True)
W, B = tensor(4, 3, 3, 3, grad=True), tensor(4, grad=True)


# ------------------------------------------------------------------------------------------ words
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: X[1:4, ::2], "[1:4, ::2]"),
        (lambda: X[..., None, 2], "[..., None, 2]"),
        (lambda: X[-1], "[-1]"),
        (lambda: M[np.array([1, 0])], "[index]"),
        (lambda: M[M.data > 0], "[mask]"),
        (lambda: M[np.arange(3), 1:], "[index, 1:]"),
        (lambda: np.mean(X, axis=1), "mean axis=1"),
        (lambda: np.sum(X, axis=(0, 2), keepdims=True), "sum axis=(0, 2)"),
        (lambda: np.sum(X), "sum"),
        (lambda: F.conv2d(X, W, B, stride=2, padding=1), "conv2d 3×3 /2 pad 1"),
        (lambda: F.conv2d(X, W, B), "conv2d 3×3"),
        (lambda: F.conv2d(X, W, stride=(2, 1), dilation=2), "conv2d 3×3 /2×1 dilated 2"),
        (lambda: F.max_pool2d(X, 2), "max_pool2d 2×2"),
        (lambda: F.avg_pool2d(X, 3, stride=2), "avg_pool2d 3×3 /2"),
        (lambda: np.concatenate([M, M]), "concatenate"),
        (lambda: np.concatenate([M, M], axis=1), "concatenate axis=1"),
        (lambda: np.einsum("ij,kj->ik", M, M), "einsum ij,kj->ik"),
        (lambda: X.transpose(0, 2, 3, 1), "transpose axes=(0, 2, 3, 1)"),
        (lambda: X.reshape(2, -1), "reshape"),
        (lambda: nn.BatchNorm1d(6)(M), "batch_norm"),
        (lambda: M**2, "power(·, 2)"),
    ],
)
def test_a_box_says_what_differs_from_the_default(make, says):
    view = draw(make())
    last = [box.id for box in view.nodes if box.kind == "op"][-1]
    node = by_pydot(view.source).nodes[last]
    text = "".join(ElementTree.fromstring(node["label"]).itertext())
    assert text.startswith(f"{says}(")


def test_arrays_that_index_are_inputs_with_a_box():
    embed = tensor(20, 4, grad=True)
    ids = np.array([[3, 1], [2, 2]])
    view = draw(np.tanh(embed[ids]), params={"embed": embed})
    (box,) = [b for b in view.nodes if b.kind == "input"]
    assert (box.label, box.shape, box.dtype, box.requires_grad) == ("index", (2, 2), "i64", False)
    assert next((e.tail, e.head) for e in view.edges) == (box.id, "op1_getitem")
    both = draw(embed[ids] + embed[ids] * 2.0)
    assert sum(b.label == "index" for b in both.nodes) == 1  # one array, read twice


def test_operations_of_a_recorded_gradient_look_different():
    x = tensor(3, name="x", grad=True)
    y = np.sum(np.tanh(x) ** 2)
    (g,) = minigrad.gradients(y, [x], create_graph=True)
    view = draw(np.sum(g * g))
    recorded = [box for box in view.nodes if box.recorded]
    assert {b.label for b in view.nodes if b.kind == "op" and not b.recorded} >= {"tanh", "sum"}
    assert recorded
    nodes = by_pydot(view.source).nodes
    assert {nodes[b.id]["shape"] for b in recorded} == {"note"}
    assert {view.clusters[b.cluster].kind for b in recorded} == {"gradient"}
    assert "<B>∂ multiply" in view.source
    assert minigrad.autograd.local.mode.module is None


def test_long_names_are_shortened_in_the_picture_and_whole_in_the_tooltip():
    name = "層" * 30 + "x" * 170
    view = draw(Tensor(np.ones(3, "f4"), requires_grad=True, name=name) * 2.0)
    (node,) = [n for n in by_pydot(view.source).nodes.values() if n["shape"] == "ellipse"]
    assert "…" in node["label"]
    assert name not in node["label"]
    assert name in node["tooltip"]


# ------------------------------------------------------------------------------------------- form
def residual_net():
    return draw(Tower([8] * 12)(tensor(3, 8, name="x", grad=True)), gradients=True)


def deep():
    net = models.DeepConvNet()
    return draw(net.loss(tensor(2, 1, 28, 28), np.arange(2)), params=net)


def recorded_gradient():
    x = tensor(4, grad=True)
    return minigrad.gradients(np.sum(np.tanh(x) ** 2 * np.sin(x)), [x], create_graph=True)


PICTURES = {
    "recurrent": lambda: draw(recurrent(RecurrentCell(), 50)),
    "loop": lambda: draw(raw_rnn(110)[0], params=raw_rnn(110)[1]),
    "residual": residual_net,
    "deep": deep,
    "open": lambda: draw(Tower([8] * 4)(tensor(3, 8)), collapse_repeats=False),
    "double": lambda: draw(recorded_gradient()),
}


@needs_graphviz
@pytest.mark.parametrize("name", PICTURES)
def test_no_edge_runs_across_a_title(name):
    svg = PICTURES[name]().svg()
    assert "cluster" in svg
    assert backends.crossed_titles(svg) == set()


def test_a_fold_has_one_edge_to_the_next():
    view = residual_net()
    onward = [edge for edge in view.edges if edge.repeat]
    assert [edge.uses for edge in onward] == [11]
    assert view.source.count("next ×11") == 1


@needs_graphviz
def test_the_ground_changes_with_the_text():
    root = ElementTree.fromstring(residual_net().svg())
    svg = "{http://www.w3.org/2000/svg}"
    ground = next(root.iter(f"{svg}polygon"))
    assert ground.get("fill").upper().replace("WHITE", "#FFFFFF") == COLOURS["plain"][0]
    style = root.find(f"{svg}style").text
    assert f'[fill="{ground.get("fill")}"]{{fill:{COLOURS["plain"][1]}}}' in style


def test_frames_have_relative_names_and_the_path_in_the_tooltip():
    source = draw(Tower([8, 4])(tensor(3, 8)), collapse_repeats=False).source
    assert ">linear: Linear</TD>" in source
    assert 'tooltip="layers.0.linear: Linear · 72 params"' in source


# ------------------------------------------------------------------------------------------ limits
def pixels(png):
    return struct.unpack(">II", png[16:24])


@needs_graphviz
def test_110_steps_with_raw_weights_are_one_page():
    h, params = raw_rnn(110, tensor(4, 110, 3, name="x", grad=True))
    start = time.perf_counter()
    wide, high = pixels(draw(h.sum(), params=params).pipe("png"))
    assert time.perf_counter() - start < 4
    assert wide * high <= 2e6
    assert high < 3 * wide


@needs_graphviz
def test_a_picture_too_large_gets_a_lower_resolution():
    y = tensor(4, name="x", grad=True)
    for _ in range(500):
        y = np.tanh(y * 1.01)
    view = quiet(y, max_nodes=2000, collapse_repeats=False)
    wide, high = pixels(view.pipe("png"))
    assert wide * high <= backends.PIXELS * 1.02
    assert high < 32_767


@needs_graphviz
def test_what_takes_too_long_is_folded(monkeypatch):
    view = quiet(chain(400), max_nodes=2000, collapse_repeats=False)
    render = backends.render

    def slow(source, *options):
        if len(source) > 40_000:
            raise TimeoutError("too long")
        return render(source, *options)

    monkeypatch.setattr(backends, "render", slow)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "×400" in view.svg()


@needs_graphviz
@pytest.mark.parametrize("name", ["層" * 12, "한국어이름" * 3, "ｆｕｌｌ"])
def test_boxes_hold_wide_letters_in_any_font(name):
    y = np.tanh(tensor(3, grad=True))
    y.name = name
    root = ElementTree.fromstring(draw(y).svg())
    box = root.find(".//{*}g[@id='op1_tanh']")
    across = [float(x) for x in re.findall(r"(-?[\d.]+),", box.find(".//{*}path").get("d"))]
    text = box.find(".//{*}text")
    assert max(across) - min(across) > float(text.get("font-size")) * len(name)
    assert text.get("font-family").endswith("sans-serif")
