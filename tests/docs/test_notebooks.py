"""The notebooks run from top to bottom, and are kept without outputs."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def name_of(notebook):
    return notebook.stem


def test_there_are_three():
    assert [name_of(n) for n in NOTEBOOKS] == ["find_the_nan", "first_operation", "first_tour"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
def test_outputs_are_stripped(notebook):
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    kept = [(cell.get("outputs"), cell.get("execution_count")) for cell in cells]
    assert [part for part in kept if part not in (([], None), (None, None))] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
def test_notebook_runs(notebook, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(notebook, as_version=4)
    client = nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": tmp_path}})
    client.execute()  # raises at the first cell that fails
    drawn = [
        output["data"]
        for cell in book.cells
        for output in cell.get("outputs", [])
        if "image/svg+xml" in output.get("data", {}) or "text/markdown" in output.get("data", {})
    ]
    assert drawn, "it draws a graph inline"
