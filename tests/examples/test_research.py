"""The research examples run, draw their picture, and end in the number that shows the point."""

import re

import pytest
from scripts import EXAMPLES, run

pytestmark = pytest.mark.slow

ENDS = {  # what is printed last, and between which bounds it must be
    "gaussian_process": (r"to (\d+\.\d+)$", 15, 25),
    "newton": (r"hvp: (\S+) after", 0, 1e-8),
    "physics_informed": (r"from sin x: (\S+)$", 0, 0.05),
    "fourier_filter": (r"then (\S+);", 0, 0.02),
    "pendulum": (r"strength (\S+) and", 1.9, 2.1),
}


def test_every_script_is_here():
    folder = EXAMPLES / "research"
    scripts = {p.stem for p in folder.glob("*.py") if "__main__" in p.read_text("utf-8")}
    assert scripts == set(ENDS)
    text = (folder / "README.md").read_text("utf-8")
    assert all(f"({name}.py)" in text for name in scripts)


@pytest.mark.parametrize("name", ENDS)
def test_script(name, tmp_path):
    pytest.importorskip("scipy")
    done = run(f"research/{name}.py", "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"{name}.png").stat().st_size > 5000
    pattern, low, high = ENDS[name]
    assert low <= float(re.search(pattern, done.stdout, re.MULTILINE)[1]) <= high
