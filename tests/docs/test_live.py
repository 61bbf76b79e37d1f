"""The graphs to explore are written for the site, and name no folder of the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
def test_the_pages_are_written(tmp_path):
    subprocess.run([sys.executable, DOCS / "live.py", tmp_path], check=True, capture_output=True)
    shown = (DOCS / "live.md").read_text("utf-8")
    pages = sorted(tmp_path.iterdir())
    assert [page.stem for page in pages] == ["nan", "resnet20", "vanishing"]
    for page in pages:
        text = page.read_text("utf-8")
        assert "docs/live.py" in text
        assert str(DOCS.parent) not in text
        assert f'src="live/{page.name}"' in shown


def test_the_film_is_small():
    film = DOCS / "images" / "find_the_nan.gif"
    assert film.read_bytes().startswith(b"GIF89a")
    assert film.stat().st_size < 400_000
