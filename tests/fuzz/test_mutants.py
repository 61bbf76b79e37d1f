"""Mutants are what they say: each parses, differs, and the tests notice a plain one."""

import ast
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
    copies, copy = SimpleQueue(), mutants.copy_tree(tmp_path / "copy")
    copies.put(copy)
    assert not mutants.run_tests(copy, ["tests/optim"], 60, mutants.Chosen(None, []))  # as it was
    before = (copy / "minigrad/optim/rules.py").read_bytes()
    for test, noticed in (
        ("test_groups_have_their_own_options", "those of its folder"),
        ("test_decoupled_weight_decay_shrinks_weights_alone", None),  # no SGD in it
    ):
        reached = {f"tests/optim/test_rules.py::{test}"}
        reach = {(mutant.path, line): reached for line in mutant.lines}
        assert mutants.try_one(mutant, copies, reach) == noticed
    assert (copy / "minigrad/optim/rules.py").read_bytes() == before
