"""The engine stays an afternoon: its lines are counted, and so are those that the pages name."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "minigrad" / "autograd"
MOST_CODE = 950
# Not counted: messages are read last, or never, and a method of an array is a line that forwards.
NOT_COUNTED = {"messages.py", "refusals.py", "methods.py"}


def docstrings(tree):
    """Return the numbers of the lines that docstrings take."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    first = [node.body[0] for node in ast.walk(tree) if isinstance(node, kinds) and node.body]
    texts = [
        n for n in first if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)
        and isinstance(n.value.value, str)
    ]  # fmt: skip
    return {line for text in texts for line in range(text.lineno, text.end_lineno + 1)}


def code_lines(source):
    """Count the lines that are no blanks, comments or docstrings."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped | {tokenize.ENDMARKER}:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings(ast.parse(source)))


def test_lines_of_code_are_counted():
    source = '"""Doc\n\nmore."""\n\n# a comment\nx = (\n    1\n)\n\n\ndef f():\n    """Doc."""\n'
    assert code_lines(source) == 4


def test_the_engine_is_an_afternoon():
    paths = [path for path in ENGINE.glob("*.py") if path.name not in NOT_COUNTED]
    assert sum(code_lines(path.read_text("utf-8")) for path in paths) <= MOST_CODE


@pytest.mark.parametrize("function", ["recording.record", "sweep.sweep"])
def test_the_two_ideas_fit_one_screen(function):
    module, name = function.split(".")
    source = (ENGINE / f"{module}.py").read_text("utf-8")
    (node,) = [n for n in ast.parse(source).body if getattr(n, "name", "") == name]
    assert code_lines(ast.get_source_segment(source, node)) <= 40


READING_ORDER = re.compile(r"^\| \d+ \| \[`(\w+)\.py`\]\([^)]*\) \| (\d+) \|", re.MULTILINE)


@pytest.mark.parametrize("page", ["README.md", "docs/how_it_works.md"])
def test_pages_name_the_files_in_reading_order_with_their_lines(page):
    rows = READING_ORDER.findall((ROOT / page).read_text("utf-8"))
    files = {path.stem: len(path.read_text("utf-8").splitlines()) for path in ENGINE.glob("*.py")}
    del files["__init__"]
    assert {name: int(lines) for name, lines in rows} == files
    introduction = (ENGINE / "__init__.py").read_text("utf-8").partition("reading order:")[2]
    named = [name for name, _ in rows]
    assert named == [*re.findall(r"\w+", introduction)[: len(named) - 2], "messages", "refusals"]
