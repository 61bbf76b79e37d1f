"""The explorable page: one file that fetches nothing, holds the graph exactly, and is safe."""

import os
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from graph_pages import HOSTILE, Parts, chain, data_of, page_of, shared, stack

import minigrad
from minigrad import Tensor, nn
from minigrad.graph.page import BUDGET
from minigrad.graph.repeats import MANY

GRAPHS = {
    "shared": lambda: shared().draw(),
    "backward": lambda: shared().draw(view="backward", gradients=True),
    "blocks": lambda: stack(5, collapse_repeats=False, gradients=True),
    "chain": lambda: chain(300).draw(max_nodes=400, collapse_repeats=False),
    "loop": lambda: chain(300).draw(),
    "folded": lambda: stack(5, depth=0),
    "repeats": lambda: stack(5),
}


# ----------------------------------------------------------------------------------- self-contained
@pytest.mark.parametrize("name", GRAPHS)
def test_a_page_asks_for_nothing(name, tmp_path):
    page = page_of(GRAPHS[name](), tmp_path)
    parts = Parts(page)
    assert not re.search(r"\b(https?|wss?|ftp):|@import|url\((?!#)", page)
    assert not [t for t, attributes in parts.tags if attributes.keys() & {"src", "href", "srcset"}]
    policies = [a["content"] for t, a in parts.tags if a.get("http-equiv")]
    assert [policy.split(";")[0] for policy in policies] == ["default-src 'none'"]
    assert "'unsafe" not in policies[0]
    assert "Copyright (c) 2012-2014 Chris Pettitt" in parts.scripts[1]


@pytest.mark.slow
def test_large_graphs_make_pages_below_two_megabytes(tmp_path):
    assert (
        len(
            page_of(chain(10_000).draw(max_nodes=20_000, collapse_repeats=False), tmp_path).encode()
        )
        < 2_000_000
    )
    with pytest.warns(UserWarning, match="max_nodes"):
        view = chain(30_000).draw(gradients=True, collapse_repeats=False)
    page = page_of(view, tmp_path)
    assert len(page.encode()) < 2_000_000
    assert [node["id"] for node in data_of(page)["nodes"]] == [box.id for box in view.nodes]


# ---------------------------------------------------------------------------------------- the graph
@pytest.mark.parametrize("name", GRAPHS)
def test_the_page_holds_the_graph(name, tmp_path):
    view = GRAPHS[name]()
    data = data_of(page_of(view, tmp_path))
    nodes, ids = data["nodes"], [node["id"] for node in data["nodes"]]
    edges = [(ids[tail], ids[head], argument) for tail, head, argument, *_ in data["edges"]]
    found = {n["id"]: (n.get("kind", "op"), n["shape"], n.get("dtype", "")) for n in nodes}
    rows = [(r["id"], r["name"]) for node in nodes for r in node.get("rows", ())]
    whole = [(e.tail, e.head, e.argument) for e in view.whole.edges]
    if view.whole.view == "backward":
        whole = [(head, tail, argument) for tail, head, argument in whole]
    if name not in ("folded", "repeats", "loop"):
        assert ids == [box.id for box in view.nodes]
        assert edges == [(e.tail, e.head, e.argument) for e in view.edges]
    assert sorted(edges) == sorted(whole)
    assert found == {b.id: (b.kind, str(b.shape), b.dtype) for b in view.whole.boxes}
    assert sorted(rows) == sorted((r.id, r.name) for b in view.whole.boxes for r in b.rows)


def test_modules_are_frames_and_a_single_operation_needs_none(tmp_path):
    view = stack(3, collapse_repeats=False)
    data = data_of(page_of(view, tmp_path))
    clusters = data["clusters"]
    paths = [c["text"].partition(":")[0] for c in clusters]
    expected = [f"blocks.{i}{part}" for i in range(3) for part in ("", ".norm", ".linear")]
    assert sorted(path for path in paths if path.startswith("blocks.")) == sorted(expected)
    around = {c["id"]: clusters[c["in"]]["text"] for c in clusters if "in" in c}
    homes = [text for key, text in around.items() if key.endswith("norm")]
    assert homes == [f"blocks.{i}: Block" for i in range(3)]
    relu = Tensor(np.ones(2, "f4"), requires_grad=True)
    nodes = data_of(page_of(nn.Sequential(nn.ReLU())(relu).draw(), tmp_path))["nodes"]
    assert [node["text"] for node in nodes if "kind" not in node] == ["0: relu"]


@pytest.mark.parametrize(("length", "levels"), [(30, 0), (200, 1), (3000, 2)])
def test_a_long_graph_without_modules_is_put_into_stretches(length, levels, tmp_path):
    data = data_of(page_of(chain(length).draw(max_nodes=5000, collapse_repeats=False), tmp_path))
    clusters, inside = data["clusters"], {}
    depth = []
    for item in [*clusters, *data["nodes"]]:
        inside.setdefault(item.get("in"), []).append(item)
        place, n = item.get("in"), 0
        while place is not None:
            place, n = clusters[place].get("in"), n + 1
        depth.append(n)
    assert max(depth) == levels
    assert max(map(len, inside.values())) <= MANY + 2  # beside the input and the output
    places = [node.get("in", -1) for node in data["nodes"] if "kind" not in node]
    assert len(set(places)) == 1 + sum(a != b for a, b in pairwise(places))
    opened = [None, *(i for i, c in enumerate(clusters) if c.get("open"))]
    assert sum(len(inside[i]) for i in opened) <= BUDGET


def test_where_it_went_wrong_is_open(tmp_path):
    data = data_of(
        page_of(chain(1000, nan_at=700).draw(max_nodes=2000, collapse_repeats=False), tmp_path)
    )
    (bad,) = [node for node in data["nodes"] if node.get("mark") == "first"]
    assert (bad["text"], bad["bad"]) == ("log", "first NaN seen: 3 of 3")
    place = bad["in"]
    while place is not None:
        assert data["clusters"][place]["open"]
        place = data["clusters"][place].get("in")
    reached = [edge for edge in data["edges"] if "bad" in edge]
    assert len(reached) == 300  # of the 299 operations after it, and the output


def test_source_lines_and_gradients_are_there(tmp_path):
    with minigrad.debug():
        y = np.tanh(Tensor([0.5], requires_grad=True, name="x") * 2)
    data = data_of(page_of(y.draw(gradients=True), tmp_path))
    node = next(node for node in data["nodes"] if node["text"] == "tanh")
    assert re.fullmatch(r".*test_page\.py:\d+ in test_source.*", node["source"])
    assert (node["gradient"], node["step"]) == ("|g| 1.0e+00", 4)


# -------------------------------------------------------------------------------------------- bytes
def test_two_processes_write_the_same_bytes(tmp_path):
    code = (
        "import sys, numpy as np\nfrom minigrad import Tensor\n"
        "x = Tensor(np.ones((2, 3), 'f4'), requires_grad=True, name='x')\n"
        "for _ in range(60): x = np.tanh(x) * x\n"
        "x.sum().draw(gradients=True).to_html(sys.argv[1])"
    )
    pages = []
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.html"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, path], env=environment, check=True)
        pages.append(path.read_bytes())
    assert pages[0] == pages[1]


def test_hostile_names_stay_names(tmp_path):
    x = Tensor([1.0], requires_grad=True, name=HOSTILE)
    page = page_of((x * 2).draw(title=HOSTILE), tmp_path)
    parts = Parts(page)
    assert [a.get("type") for t, a in parts.tags if t == "script"] == ["application/json", None]
    assert "b" not in [tag for tag, _ in parts.tags]
    data = data_of(page)
    assert data["title"] == data["nodes"][0]["text"] == HOSTILE


@pytest.mark.parametrize(("theme", "schemes"), [("auto", 1), ("light", 0), ("dark", 0)])
def test_a_theme_is_fixed_or_the_readers(theme, schemes, tmp_path):
    page = page_of(shared().draw(theme=theme), tmp_path)
    assert page.count("prefers-color-scheme") == schemes
    root = re.search(r":root\{color-scheme:([a-z ]+);--text:(#\w+)", page)
    text = "#ECECEC" if theme == "dark" else "#1A1A1A"
    assert root.groups() == (theme.replace("auto", "light dark"), text)


def test_a_name_that_is_no_page_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in .html or .htm, got 'graph.svg'"):
        shared().draw().to_html(tmp_path / "graph.svg")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_page(tmp_path, monkeypatch):
    path = tmp_path / "graph.html"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        shared().draw().to_html(path)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]
