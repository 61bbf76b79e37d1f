"""The gallery shows every script, and the scripts stay short."""

import re

from scripts import EXAMPLES

SCRIPTS = sorted(EXAMPLES.glob("*.py"))


def test_the_examples_stay_short():
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in SCRIPTS}
    later = {path.name for path in SCRIPTS if "(the book, volume " in path.read_text("utf-8")}
    assert sum(n for name, n in lengths.items() if name not in later) < 2000
    for path in SCRIPTS:
        if "__main__" in path.read_text("utf-8"):
            assert lengths[path.name] <= 120


def test_the_gallery_shows_every_script_and_every_link_leads_somewhere():
    text = (EXAMPLES / "README.md").read_text("utf-8")
    for path in SCRIPTS:
        source = path.read_text("utf-8")
        if "__main__" in source:
            assert "(the book, " in source.splitlines()[0]
            assert f"python examples/{path.name}`" in text
    links = re.findall(r"\]\((?!http)([^)]+)\)", text)
    assert len(links) > 12
    assert [link for link in links if not (EXAMPLES / link).is_file()] == []
