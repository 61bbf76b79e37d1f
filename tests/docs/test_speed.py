"""The tables of speed in README.md and docs/performance.md are made from what was measured."""

import importlib.util
import json
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_place = importlib.util.spec_from_file_location("speed", DOCS / "speed.py")
speed = importlib.util.module_from_spec(_place)
_place.loader.exec_module(speed)


@pytest.mark.parametrize("page", speed.PAGES, ids=lambda page: page.name)
def test_tables_are_those_of_the_file(page):
    found = json.loads(speed.FOUND.read_text("utf-8"))
    text = page.read_text("utf-8")
    assert len(speed.MARK.findall(text)) >= 2
    assert speed.filled(text, found) == text


def test_a_cell_has_the_ratio_and_the_others_time():
    times = {"times": {"minigrad": [0.5, 1.0], "torch": [1.0, 0.4996]}}
    found = {"1": {"scalar_op": times}, "2": {}}
    assert speed.own(found, "scalar_op") == "0.5 µs"  # of a thousand operations, in milliseconds
    assert speed.cell(found, "1", "scalar_op", "torch") == "0.50 (1)"
    assert speed.cell(found, "1", "scalar_op", "torch", times=False) == "0.50"
    assert speed.cell(found, "2", "scalar_op", "torch") == "–"
    assert speed.cell(found, "1", "scalar_op", "jax") == "–"
