"""The main example runs from any folder, writes into --out alone, and shows what it should."""

import json
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from graph_parsing import needs_graphviz
from scripts import DRAWING, run, undrawn

from minigrad.training import History

pytestmark = pytest.mark.slow
for package in ("matplotlib", "sklearn", "tqdm"):
    pytest.importorskip(package)

RULES = ["SGD", "Momentum", "AdaGrad", "Adam"]
TEXTS = {"graph.dot", "graph.mmd", "graph.txt"}  # of the graph, where nothing can draw it
FILES = {
    "loss.png", "graph.html", "compare_optimizers.result.json",
    *(f"{rule.lower()}.json" for rule in RULES),
}  # fmt: skip


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    out = tmp_path_factory.mktemp("results") / "made"
    done = run("", "--quick", "--out", out, cwd=folder, code=undrawn("compare_optimizers.py"))
    assert done.returncode == 0, done.stderr
    return done, out, folder


def test_the_optimizers_are_compared_in_a_table(compared):
    header, line, *rows = compared[0].stdout.splitlines()[:6]
    assert header.split("  ")[0] == "rule"
    assert set(line) == {"-"}
    assert {len(text) for text in (header, line, *rows)} == {len(header)}
    table = {cells[0]: cells[1:] for cells in map(str.split, rows)}
    assert list(table) == RULES
    loss = {rule: float(cells[0]) for rule, cells in table.items()}
    assert max(loss["Adam"], loss["Momentum"], loss["AdaGrad"]) < 0.3 * loss["SGD"] < 0.3
    for cells in table.values():
        train, test = (float(cell.removesuffix("%")) for cell in cells[1:3])
        assert 80 < test <= train + 2 <= 102


def test_a_log_begins_with_the_table(compared):
    assert compared[0].stderr == ""
    assert compared[0].stdout.startswith("rule ")


def test_it_writes_what_it_says_and_nothing_elsewhere(compared):
    done, out, folder = compared
    assert {path.name for path in out.iterdir()} == FILES | TEXTS
    assert list(folder.iterdir()) == []
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert all(name in done.stdout for name in FILES | TEXTS)
    for rule in RULES:
        history = History.load(out / f"{rule.lower()}.json")
        assert (len(history.losses), len(history.epochs)) == (240, 20)
    (hint,) = [line for line in done.stdout.splitlines() if "no graph.svg" in line]
    assert 'install Graphviz, or run python -m pip install -e ".[graph]"' in hint


def test_its_result_is_that_of_the_table(compared):
    done, out, _ = compared
    found = json.loads((out / "compare_optimizers.result.json").read_text("utf-8"))
    rows = [line.split() for line in done.stdout.splitlines()[2:6]]
    ends = "; ".join(f"{rule}: {loss}, {test}" for rule, loss, _, test, _ in rows)
    assert found["result"] == f"loss and test accuracy, {ends}"
    assert f"result: {found['result']}\n" in done.stdout
    assert found["experiment"] == "compare_optimizers"
    assert found["section"] == "6.1.8"
    assert found["data"] == "digits"
    assert found["command"] == "python examples/compare_optimizers.py --quick"
    assert sum(float(row[-1]) for row in rows) - 0.2 < found["seconds"] < 60


def test_every_rule_starts_from_the_same_weights(compared):
    firsts = {History.load(compared[1] / f"{rule.lower()}.json").losses[0] for rule in RULES}
    assert len(firsts) == 1


def test_the_graph_is_the_trained_networks(compared):
    outline = (compared[1] / "graph.txt").read_text("utf-8").splitlines()
    expected = ["[input] images  (128, 64) f32"]
    for i, (n, m) in enumerate(pairwise([64, 100, 100, 100, 100, 10]), 1):
        expected += [f"linear{i}: Linear · {n * m + m:,} params", f"linear  (128, {m}) f32"]
        expected += [f"weight  ({n}, {m}) f32", f"bias  ({m},) f32"]
        expected += [f"relu{i}: ReLU", f"relu  (128, {m}) f32"] if i < 5 else []
    expected += ["[constant] targets  (128,) i64"]
    assert [line.strip() for line in outline[3:-2]] == expected
    assert outline[-1].startswith("[output] loss = 0.0")  # 2.3 before training
    for name in TEXTS:
        text = (compared[1] / name).read_text("utf-8")
        assert all(f"linear{i}: Linear" in text for i in range(1, 6))


def test_there_is_always_a_page_of_the_graph(compared):
    page = (compared[1] / "graph.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert all(f"linear{i}: Linear" in page for i in range(1, 6))
    assert f"open {compared[1] / 'graph.html'} with a browser" in compared[0].stdout


@needs_graphviz
def test_the_same_seed_gives_the_same_run_and_graphviz_draws_the_graph(compared, tmp_path):
    done = run("compare_optimizers.py", "--quick", cwd=tmp_path, path=DRAWING)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name for path in out.iterdir()} == FILES | {"graph.svg", "graph.png"}
    assert "graph: graph.html, graph.svg, graph.png in out: open out/graph.html" in done.stdout
    assert "no graph.svg" not in done.stdout
    assert (out / "graph.png").read_bytes().startswith(b"\x89PNG")
    words = [text.strip() for text in ElementTree.parse(out / "graph.svg").getroot().itertext()]
    assert {f"linear{i}: Linear" for i in range(1, 6)} <= set(words)
    assert words.count("linear") == 5  # an operation in each of the modules
    ours, before = (History.load(folder / "adam.json") for folder in (out, compared[1]))
    assert ours.losses == before.losses
