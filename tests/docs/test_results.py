"""The page of results: its table is made from what the examples write, and has all of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "results.md"
HEADER = "| section | what it shows | the book | here | seconds | command |"
LINE = "| --- | --- | --- | --- | ---: | --- |"
RUNS = [
    ("more", "volume 2, 6.1", None, "more", 7.0, ""),
    ("late", "10.2", "digits", "a|b", 3.4, " --seed 1"),
    ("dropout", "8", "digits", "d", 1.0, ""),
    ("dropout", "8", "mnist", "m", 1.0, ""),
    ("two", "6.1.2 to 6.1.7", "digits", "on digits", 9.6, ""),
    ("two", "6.1.2 to 6.1.7", "mnist", "on MNIST", 61.2, " --data m"),
    ("first", "4.4.1 and 12", None, "nothing", 1.0, ""),
]
ROWS = [
    "| 4.4.1 and 12 | why |  | nothing | 1 | [first.py](../examples/first.py) |",
    "| 6.1.2 to 6.1.7 | why |  | MNIST: on MNIST | 61 | [two.py](../examples/two.py) `--data m` |",
    "|  |  |  | digits: on digits | 10 | [two.py](../examples/two.py) |",
    "| 8 | why | a figure: the gap closes | MNIST: m | 1 | [dropout.py](../examples/dropout.py) |",
    "|  |  |  | digits: d | 1 | [dropout.py](../examples/dropout.py) |",
    r"| 10.2 | why |  | digits: a\|b | 3 | [late.py](../examples/late.py) `--seed 1` |",
    "| volume 2, 6.1 | why |  | more | 7 | [more.py](../examples/more.py) |",
]


def make(*arguments):
    command = [sys.executable, "-W", "error", ROOT / "docs" / "results.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def page_with(*rows):
    return "\n".join(["# Title", "", HEADER, LINE, *rows, "", "More text.", ""])


def test_results_become_rows_in_the_order_of_the_book(tmp_path):
    for number, (name, section, data, result, seconds, options) in enumerate(RUNS):
        found = {"experiment": name, "section": section, "data": data, "shows": "why"}
        found |= {"result": result, "seconds": seconds}
        found |= {"command": f"python examples/{name}.py{options}"}
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / f"{name}.result.json").write_text(json.dumps(found), "utf-8")
    page = tmp_path / "page.md"
    page.write_text(page_with("| an | old | row | 1 | `a` |"), "utf-8")
    for _ in range(2):  # the second time it finds the table that it made
        done = make(tmp_path, page)
        assert done.returncode == 0, done.stderr
        assert "7 rows" in done.stdout
        assert page.read_text("utf-8") == page_with(*ROWS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected the folder of the results"),
        (["."], r"expected files *.result.json, which the examples write, found none"),
    ],
)
def test_a_mistake_is_named(arguments, message, tmp_path):
    before = PAGE.read_text("utf-8")
    done = make(*(tmp_path / argument for argument in arguments))
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert PAGE.read_text("utf-8") == before


def test_a_page_without_the_table_stays_as_it_is(tmp_path):
    found = {"experiment": "a", "section": "1", "data": None, "shows": "", "result": ""}
    found |= {"seconds": 1, "command": "python examples/a.py"}
    (tmp_path / "a.result.json").write_text(json.dumps(found), "utf-8")
    page = tmp_path / "page.md"
    page.write_text("no table", "utf-8")
    done = make(tmp_path, page)
    assert done.returncode == 1
    assert f"page.md: expected a table with the header {HEADER}" in done.stderr
    assert page.read_text("utf-8") == "no table"


def test_the_page_has_every_experiment_in_its_full_form():
    text = PAGE.read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    commands = [row.split(" | ")[-1].strip(" |") for row in rows]
    assert len(set(commands)) == len(commands)
    assert not any("--quick" in command for command in commands)
    experiments = {
        f"[{path.name}](../examples/{path.name})": path.read_text("utf-8")
        for path in (ROOT / "examples").glob("*.py")
        if "__main__" in path.read_text("utf-8")
    }
    assert {command.split()[0] for command in commands} == set(experiments)
    on_mnist = {command.split()[0] for command in commands if "--data mnist" in command}
    assert on_mnist == {link for link, source in experiments.items() if "data=None" not in source}
