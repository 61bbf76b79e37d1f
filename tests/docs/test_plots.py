"""The plots of the documentation can be drawn again, in both themes."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
def test_they_are_drawn(tmp_path):
    subprocess.run([sys.executable, DOCS / "plots.py", tmp_path], check=True, capture_output=True)
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == [
        "activations_dark.svg",
        "activations_light.svg",
        "schedules_dark.svg",
        "schedules_light.svg",
        "speed_dark.svg",
        "speed_light.svg",
        "valley_dark.svg",
        "valley_light.svg",
    ]
    for name in drawn:
        assert (DOCS / "images" / name).exists()
        assert (tmp_path / name).read_text("utf-8").count("<path") > 20
