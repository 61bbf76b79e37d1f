"""Pictures in every format: quoting, themes, determinism, backends and what happens without one."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from graph_parsing import READERS, by_pydot, needs_graphviz

from minigrad import Tensor, differentiable, draw, nn
from minigrad import functional as F
from minigrad.graph.theme import COLOURS, palette

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
HOSTILE = [
    '"', "\\", "a\\nb", "<b>", "</TABLE>", "<<x>>", "&", "&amp;", "&#65;", ":", "a\nb", "层", "{|}",
    "]", "-- >", "--", "];", "// c", "#", "%s", "\\N", "$x$", "`*_", "end", "node", "graph", "🙂",
]  # fmt: skip


class Net(nn.Module):
    def __init__(self):
        self.fc1, self.fc2 = nn.Linear(6, 8), nn.Linear(8, 4)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


def view_of(**options):
    net = Net()
    x = Tensor(np.ones((5, 6), "f4"), name="x")
    loss = F.cross_entropy(net(x), np.arange(5) % 4)
    loss.name = "loss"
    return draw(loss, **options)


def hostile(name):
    """Put a name wherever a user can put one."""

    class Holder(nn.Module):
        def __init__(self):
            self.parts = {name: nn.Linear(2, 2)}

        def forward(self, x):
            y = self.parts[name](x)
            y.name = name
            return y

    def function(x):
        return x + 1

    function.__name__ = name
    x = Tensor(np.ones((2, 2), "f4"), requires_grad=True, name=name)
    w = Tensor(np.ones((2, 2), "f4"), requires_grad=True)
    y = differentiable(lambda g, _y, _x: g)(function)(Holder()(x) @ w)
    y.name = name
    return draw(y.sum(), params={name: w}, title=name)


def words(label):
    """Return the text of a label, a line break as itself."""
    root = ElementTree.fromstring(f"<r>{label.replace('<BR/>', chr(10))}</r>")
    return "".join(root.itertext())


# -------------------------------------------------------------------------------------- quoting
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("reader", READERS)
def test_hostile_names_come_back_from_dot(name, reader):
    view = hostile(name)
    picture = reader(view.source)
    assert picture.nodes.keys() == {box.id for box in view.nodes}
    assert all(re.fullmatch(r"\w+", key, re.ASCII) for key in picture.nodes)
    texts = [words(node["label"]) for node in picture.nodes.values()]
    assert texts[0].startswith(f"{name}(2, 2)") or f"{name}\n" in texts[0]
    assert any(t.startswith(f"{name} = linear") for t in texts)
    assert any(t.startswith(f"{name} = {name.lstrip('_')}") for t in texts)
    assert any(f"{name}  (2, 2) f32" in t for t in texts)  # the row


@needs_graphviz
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_seen_in_the_svg(name):
    root = ElementTree.fromstring(hostile(name).svg())
    texts = ["".join(t.itertext()) for t in root.iter(f"{SVG}text")]
    lines = name.split("\n")
    assert any(f"{lines[-1]}: Linear" in t for t in texts)
    assert all(any(t.startswith(line) for t in texts) for line in lines)
    tips = [a.get(f"{XLINK}title") or "" for a in root.iter(f"{SVG}a")]
    assert any(f"{name} = linear: (2, 2) f32, 16 B" in tip for tip in tips)
    assert root.find(f"{SVG}title").text == name.replace("\n", " ")


def test_characters_that_xml_forbids_are_replaced():
    view = hostile("a\x00\x1b\ud800b")
    assert not re.search(r"[\x00\x1b\ud800]", view.source)
    assert "a\ufffd" in view.source
    view.source.encode()


# ----------------------------------------------------------------------------------- determinism
SCRIPT = """
import numpy as np, minigrad
from minigrad import nn, Tensor, functional as F
minigrad.manual_seed(0)
net = nn.models.DeepConvNet()
x = Tensor(np.ones((2, 1, 28, 28), "f4"), name="x")
view = minigrad.draw(net.loss(x, np.array([1, 2])), params=net, gradients=True)
print(view.source, view.summary(), view.to_mermaid())
"""


def test_two_processes_with_different_hash_seeds_draw_the_same():
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert b"op1_conv2d" in outputs[0]


# ------------------------------------------------------------------------------------------ looks
def test_shapes_and_colours_follow_the_visual_language():
    view = view_of()
    nodes = by_pydot(view.source).nodes
    shapes = {box.kind: nodes[box.id]["shape"] for box in view.nodes}
    assert shapes == {
        "input": "ellipse", "op": "box", "constant": "ellipse", "output": "doubleoctagon",
    }  # fmt: skip
    assert nodes["output_loss"]["color"] == "#00795A"
    assert nodes["output_loss"]["fillcolor"] == "#D6EFE2"
    assert "dotted" in nodes["input_x"]["style"]
    assert nodes["op1_linear"]["label"].count('COLOR="#0072B2" BGCOLOR="#CFE5F6"') == 2
    assert "#D55E00" not in view.source
    assert 'bgcolor="#FFFFFF"' in view.source


@pytest.mark.parametrize(("fore", "back"), [
    ("text", "plain"), ("text", "op"), ("text", "parameter"), ("text", "output"), ("text", "bad"),
    ("text", "op_4"), ("text", "parameter_4"), ("text", "folder"), ("muted", "plain"),
])  # fmt: skip
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(theme, fore, back):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return linear[0] * 0.2126 + linear[1] * 0.7152 + linear[2] * 0.0722

    colours = palette(theme)
    light, dark = sorted([luminance(colours[fore]), luminance(colours[back])], reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG AA


def test_the_legend_lists_what_is_there_and_nothing_else():
    plain = draw(Tensor([1.0], requires_grad=True) * 2.0).source
    assert "legend [" in plain
    for absent in ("parameter", "folder", "non-finite", "no gradient", "RMS"):
        assert absent not in plain[plain.index("legend [") :]
    assert "RMS of the gradient" in view_of(gradients=True).source
    assert "legend [" not in view_of(legend=False).source


def test_the_header_counts_operations_parameters_and_bytes():
    view = view_of()
    facts = "4 ops, 4 parameters (92 values, 368 B), "
    assert view.graph.facts.startswith(facts)
    assert facts in view.source
    assert f"{view.whole.title}\nforward · {facts}" in view.summary()
    assert view.whole.title.startswith("loss = ")


@needs_graphviz
def test_svg_has_a_role_a_description_ids_and_a_dark_side():
    view = view_of()
    root = ElementTree.fromstring(view.svg())
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == view.graph.title
    assert view.graph.facts in root.find(f"{SVG}desc").text
    ids = {g.get("id"): g.get("class") for g in root.iter(f"{SVG}g")}
    assert {box.id for box in view.nodes} | view.clusters.keys() <= ids.keys()
    assert "op" in ids["op1_linear"].split()
    style = root.find(f"{SVG}style").text
    assert "prefers-color-scheme:dark" in style
    used = {e.get(a) for e in root.iter() for a in ("fill", "stroke")} - {None}
    known = {light.lower() for light, _ in COLOURS.values()}
    assert used <= known | {"none", "transparent"}
    assert all(f'="{colour}"]' in style for colour in used & known)
    assert ElementTree.fromstring(view_of(theme="dark").svg()).find(f"{SVG}style") is None


def test_a_light_colour_stands_for_one_dark_colour():
    pairs = {}
    for light, dark in COLOURS.values():
        assert pairs.setdefault(light, dark) == dark


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"direction": "LR"}, 'rankdir="LR"'),
        ({"title": "My net"}, "<B>My net</B>"),
        ({"show": ["shape", "bytes"]}, "weight  (6, 8) 192 B<"),
        ({"show": []}, "<TD CELLPADDING=\"0\"><B>linear</B></TD></TR><TR><TD PORT"),
        ({"theme": "dark"}, 'bgcolor="#1E1E1E"'),
    ],
)  # fmt: skip
def test_options_show(options, text):
    assert text in view_of(**options).source


@pytest.mark.parametrize(
    ("error", "options", "message"),
    [
        (ValueError, {"view": "side"}, "view must be one of forward, backward: 'side'"),
        (ValueError, {"direction": "up"}, "direction must be one of TB, LR, BT, RL"),
        (ValueError, {"theme": "blue"}, "theme must be one of auto, light, dark"),
        (ValueError, {"show": ["size"]}, "show must be a collection among shape, dtype, bytes"),
        (ValueError, {"show": "shape"}, "show must be a collection among"),
        (ValueError, {"depth": -1}, "depth must be 0 or more, got -1"),
        (ValueError, {"max_nodes": 0}, "max_nodes must be 1 or more, got 0"),
        (TypeError, {"max_fanout": 1.5}, "max_fanout must be an integer, got 1.5"),
        (ValueError, {"expand": ["fc9"]}, r"expand names \['fc9'\], .* \['fc1', 'fc2'\]"),
        (TypeError, {"expand": "fc1"}, r"write \['fc1'\]"),
        (TypeError, {"params": 3}, "params must be a Module or a dict of Tensors, got 3"),
    ],
)
def test_options_that_are_none(error, options, message):
    with pytest.raises(error, match=f"draw: .*{message}"):
        view_of(**options)


@pytest.mark.parametrize("outputs", [3, [1.0], np.ones(3), [], {"a": 1}, None])
def test_outputs_that_are_none(outputs):
    with pytest.raises(TypeError, match="draw: expected a Tensor, or a sequence or dict"):
        draw(outputs)


# ------------------------------------------------------------------------------------------- text
@needs_graphviz
@pytest.mark.parametrize("format", ["svg", "png"])
def test_a_picture_without_a_title(format, tmp_path):
    view_of(title="").render(tmp_path / f"picture.{format}")
    assert (tmp_path / f"picture.{format}").stat().st_size > 1000


def test_the_outline_is_indented_by_module():
    text = view_of(show=["shape"]).summary()
    assert text.splitlines()[3:] == [
        "[input] x  (5, 6)",
        "fc1: Linear · 56 params",
        "  linear  (5, 8)",
        "      weight  (6, 8)",
        "      bias  (8,)",
        "relu  (5, 8)",
        "fc2: Linear · 36 params",
        "  linear  (5, 4)",
        "      weight  (8, 4)",
        "      bias  (4,)",
        "[constant] targets  (5,)",
        text.splitlines()[-2],
        text.splitlines()[-1],
    ]


def test_mermaid_has_the_nodes_edges_and_modules():
    view = view_of()
    text = view.to_mermaid()
    nodes = re.findall(r'^ +(\w+)(?:\(\[|\{\{|[\(\[])".*"[\])}]+:::\w+$', text, re.MULTILINE)
    assert sorted(nodes) == sorted(box.id for box in view.nodes)
    edges = re.findall(r"^  (\w+) --> (\w+)$", text, re.MULTILINE)
    assert edges == [(e.tail, e.head) for e in view.edges]
    modules = re.findall(r"^ +subgraph (\w+)\[", text, re.MULTILINE)
    assert modules == list(view.clusters)
    assert text.count("\n  end\n") == len(modules)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_stay_inside_their_quotes_in_mermaid(name):
    for line in hostile(name).to_mermaid().splitlines():
        assert line.count('"') in (0, 2)
        quoted = re.findall(r'"(.*)"', line)
        assert all("<" not in re.sub(r"<br/>", "", q) for q in quoted)
