"""The example that draws graphs: pages always, SVG and PNG with Graphviz, and what they show."""

import re

import pytest
from graph_pages import data_of
from graph_parsing import needs_graphviz
from scripts import DRAWING, run, undrawn

pytestmark = pytest.mark.slow
for package in ("matplotlib", "sklearn", "tqdm"):
    pytest.importorskip(package)

QUICK = ["two_layers", "first_nan", "vanishing_gradient"]


def drawn(folder, *options, **start):
    done = run("draw_graph.py", *options, "--out", folder / "made", cwd=folder, **start)
    assert done.returncode == 0, done.stderr
    assert [entry.name for entry in folder.iterdir()] == ["made"]
    files = {entry.name: entry for entry in (folder / "made").iterdir()}
    assert files.pop("draw_graph.result.json").stat().st_size
    return done.stdout, files


def nodes(path):
    return data_of(path.read_text("utf-8"))["nodes"]


def test_pages_need_no_graphviz(tmp_path):
    out, files = drawn(tmp_path, "--quick", code=undrawn("draw_graph.py"))
    assert {f"{name}.html" for name in QUICK} == set(files)
    assert [line.split()[0] for line in out.splitlines()[2:5]] == QUICK
    assert "apt install graphviz" in out
    (bad,) = [node for node in nodes(files["first_nan.html"]) if node.get("mark") == "first"]
    assert bad["text"] == "divide"
    assert bad["bad"] == "first NaN: 4608 of 36864"  # one channel of eight
    assert re.search(r"draw_graph\.py:\d+ in forward", bad["source"])
    sizes = [
        float(node["gradient"].removeprefix("|g| "))
        for node in nodes(files["vanishing_gradient.html"])
        if node["text"].endswith(": sigmoid")
    ]
    assert len(sizes) == 8
    assert sizes == sorted(sizes)
    assert sizes[0] < 1e-6 * sizes[-1]


@needs_graphviz
def test_all_networks_in_all_formats(tmp_path):
    out, files = drawn(tmp_path, path=DRAWING)
    names = {*QUICK, "simple_conv_net", "deep_conv_net"}
    assert set(files) == {f"{name}.{form}" for name in names for form in ("html", "svg", "png")}
    assert "no SVG" not in out
    for name in names:
        assert files[f"{name}.png"].read_bytes().startswith(b"\x89PNG")
        assert "</svg>" in files[f"{name}.svg"].read_text("utf-8")
    assert "⚠ first NaN: 4608 of 36864" in files["first_nan.svg"].read_text("utf-8")
    layers = [
        row["name"] for node in nodes(files["deep_conv_net.html"]) for row in node.get("rows", ())
    ]
    assert layers[0] == "conv1.weight"
    assert len(layers) == 16
