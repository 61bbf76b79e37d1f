"""The pages tell the truth: their code runs, their links lead somewhere, CI finds its commands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ESCAPE = "<!-- no test -->"  # on the line above a block: do not run it

BLOCK = re.compile(r"^(?P<escape>[^\n]*\n)?```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:|#)(?P<path>[^)#\s]+)")


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def blocks(text):
    """Yield the Python blocks to run, each after as many empty lines as precede it in the page."""
    for match in BLOCK.finditer(text):
        if (match["escape"] or "").strip() != ESCAPE:
            yield "\n" * text.count("\n", 0, match.start("code")) + match["code"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    namespace = {"__name__": "page"}  # one for the page: a block goes on where the last one ended
    for code in blocks(page.read_text("utf-8")):
        exec(compile(code, page, "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page):
    paths = [match["path"] for match in LINK.finditer(page.read_text("utf-8"))]
    assert [path for path in paths if not (page.parent / path).exists()] == []


@pytest.mark.parametrize("name", ["test", "main"])
def test_ci_finds_its_commands_in_the_readme(name):
    readme = (ROOT / "README.md").read_text("utf-8")
    marked = re.findall(rf"^<!-- ci: {name} -->\n```\w*\n(.+?)\n```$", readme, re.M | re.S)
    assert len(marked) == 1
    assert "python" in marked[0]


def test_blocks_are_found_with_their_lines():
    page = (
        f"a\n```python\nx\n```\n{ESCAPE}\n```python\nno\n```\n```sh\nls\n```\n```python\ny\n```\n"
    )
    assert list(blocks(page)) == ["\n\nx\n", "\n" * 12 + "y\n"]
