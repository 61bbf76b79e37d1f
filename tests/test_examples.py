"""The examples run from any folder, write into --out alone, and show what they should."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from minigrad.training import History

for package in ("matplotlib", "sklearn", "tqdm"):
    pytest.importorskip(package)

EXAMPLES = Path(__file__).parents[1] / "examples"
RULES = ["SGD", "Momentum", "AdaGrad", "Adam"]


def run(name, *arguments, cwd, path="", code=None):
    """Run an example (or code that stands for it) in a folder, with PATH as given."""
    command = ["-c", code] if code else [EXAMPLES / name, *arguments]
    own = {k: v for k, v in os.environ.items() if not k.startswith("MINIGRAD_")}
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=cwd,
        env={**own, "PATH": str(path), "MINIGRAD_CACHE": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    out = tmp_path_factory.mktemp("results") / "made"
    done = run("compare_optimizers.py", "--quick", "--out", out, cwd=folder)
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


def test_it_shows_progress(compared):
    lines = compared[0].stderr.splitlines()
    assert [line.split()[0] for line in lines] == [rule for rule in RULES for _ in range(10)]
    assert "epoch 20/20  loss 0." in lines[-1]


def test_it_writes_what_it_says_and_nothing_elsewhere(compared):
    done, out, folder = compared
    names = {"loss.png", "graph.dot", *(f"{rule.lower()}.json" for rule in RULES)}
    assert {path.name for path in out.iterdir()} == names
    assert list(folder.iterdir()) == []
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert all(name in done.stdout for name in names)
    for rule in RULES:
        history = History.load(out / f"{rule.lower()}.json")
        assert (len(history.losses), len(history.epochs)) == (240, 20)
    assert "no picture of it: install Graphviz" in done.stdout


def test_every_rule_starts_from_the_same_weights(compared):
    firsts = {History.load(compared[1] / f"{rule.lower()}.json").losses[0] for rule in RULES}
    assert len(firsts) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pydot lags behind pyparsing
def test_the_graph_is_the_networks(compared):
    (graph,) = pytest.importorskip("pydot").graph_from_dot_file(compared[1] / "graph.dot")
    labels = {
        node.get_name(): node.get_label().strip('"').split(r"\n")
        for node in graph.get_nodes()
        if node.get_label()
    }
    edges = [
        (labels[edge.get_source()], labels[edge.get_destination()]) for edge in graph.get_edges()
    ]
    widths = [64, 100, 100, 100, 100, 10]
    expected, before = [], ["(128, 64)"]
    for i, (n, m) in enumerate(pairwise(widths)):
        linear = ["linear", f"(128, {m})"]
        expected.append((before, linear))
        expected.append(([f"linear{i + 1}.weight", f"({n}, {m})"], linear))
        expected.append(([f"linear{i + 1}.bias", f"({m},)"], linear))
        before = linear
        if i < 4:
            before = ["relu", f"(128, {m})"]
            expected.append((linear, before))
    loss = ["cross_entropy", "()"]
    expected += [(before, loss), (["(128,)"], loss)]
    assert sorted(edges) == sorted(expected)


def test_the_same_seed_gives_the_same_run_and_graphviz_a_picture(compared, tmp_path):
    dot = tmp_path / "bin" / "dot"
    dot.parent.mkdir()
    dot.write_text("#!/bin/sh\necho drawn\n")
    dot.chmod(0o755)
    done = run("compare_optimizers.py", "--quick", cwd=tmp_path, path=dot.parent)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "out"}
    assert (out / "graph.png").read_text() == "drawn\n"
    assert "graph.dot and graph.png" in done.stdout
    assert (out / "graph.dot").read_bytes() == (compared[1] / "graph.dot").read_bytes()
    ours, before = (History.load(folder / "adam.json") for folder in (out, compared[1]))
    assert ours.losses == before.losses


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--epochs", "0"], 2, "--epochs: expected a whole number of 1 or more, got '0'"),
        (["--data", "cats"], 2, "invalid choice: 'cats'"),
        (["--data-dir", "."], 1, "add --data mnist"),
        (["--data", "mnist", "--data-dir", "."], 1, "load_mnist: expected train-images-idx3-ubyte"),
    ],
)
def test_a_mistake_is_named_in_a_line(arguments, status, message, tmp_path):
    done = run("compare_optimizers.py", *arguments, cwd=tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path):
    path = str(EXAMPLES)
    code = f"import sys; sys.path.insert(0, {path!r}); sys.modules['tqdm'] = None; import common"
    done = run("common.py", cwd=tmp_path, code=code)
    assert done.returncode == 1
    assert "tqdm" in done.stderr
    assert 'run python -m pip install -e ".[examples]" in the clone first' in done.stderr
    assert "Traceback" not in done.stderr
