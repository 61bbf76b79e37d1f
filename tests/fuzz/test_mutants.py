"""Mutants are what they say: each parses, differs, and the tests notice a plain one."""

import ast
import shutil
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest

sys.path.insert(0, str(Path(__file__).parent))
mutants = pytest.importorskip("mutants")


def test_every_mutant_is_a_program_that_differs():
    found = list(mutants.all_mutants())
    assert len(found) > 2_000
    assert {m.path.partition("/")[0] for m in found} == set(mutants.FOLDERS)
    for mutant in found[::200]:
        source = (mutants.ROOT / "minigrad" / mutant.path).read_bytes()
        assert source[mutant.start : mutant.end].decode() == mutant.old
        planted = source[: mutant.start] + mutant.new.encode() + source[mutant.end :]
        assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(source))


@pytest.mark.slow
def test_a_mutant_is_noticed_and_taken_out_again(tmp_path):
    (mutant,) = [
        m for m in mutants.all_mutants()
        if m.path == "optim/rules.py" and m.old == "p -= lr * g" and m.new == "pass"
    ]  # fmt: skip
    ignored = shutil.ignore_patterns(".git", "__pycache__", ".venv", "out", ".*_cache")
    copies = SimpleQueue()
    copies.put(Path(shutil.copytree(mutants.ROOT, tmp_path / "copy", ignore=ignored)))
    assert not mutants.run_tests(tmp_path / "copy", ["tests/optim"], 60)  # nothing is planted yet
    before = (tmp_path / "copy/minigrad/optim/rules.py").read_bytes()
    assert mutants.try_one(mutant, copies) == "those near it"
    assert (tmp_path / "copy/minigrad/optim/rules.py").read_bytes() == before
