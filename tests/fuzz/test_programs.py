"""Random programs agree with PyTorch; a planted fault is seen by them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad.autograd import rules

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent))
programs = pytest.importorskip("random_programs")


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_programs_agree_with_pytorch(first):
    found = {seed: programs.run(seed).mismatch for seed in range(first, first + 50)}
    assert {seed: problem for seed, problem in found.items() if problem} == {}


@pytest.mark.slow
def test_many_programs_agree_with_pytorch():
    found = {seed: programs.run(seed).mismatch for seed in range(10_000, 12_000)}
    assert {seed: problem for seed, problem in found.items() if problem} == {}


def test_a_seed_is_a_program():
    assert programs.run(7) == programs.run(7)
    assert len({str(programs.run(seed).kinds) for seed in range(20)}) > 15


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        (np.tanh, lambda g, y, _x: g * (1 - y)),
        (np.multiply, lambda g, _y, _a, b: g * (b + 1e-6)),
        (np.squeeze, lambda g, _y, _x, axis=None: np.reshape(g, _x.shape) * 2),
    ],
    ids=["tanh", "multiply", "squeeze"],
)
def test_a_planted_fault_is_seen(function, wrong, monkeypatch):
    entry = rules[function]
    monkeypatch.setattr(entry, "pullbacks", (wrong, *entry.pullbacks[1:]))
    assert any(programs.run(seed).mismatch for seed in range(100))
