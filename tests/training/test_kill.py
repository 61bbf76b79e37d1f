"""A run killed at random moments and started again ends in the bits of one never stopped."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from states import same

import minigrad

SCRIPT = Path(__file__).parents[1] / "support" / "long_run.py"
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
KILLS = 50


def start(folder):
    command = [sys.executable, "-W", "error", SCRIPT, folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=ONE_THREAD)
    assert process.stdout.readline().strip() == b"begun"
    return process


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_run_killed_at_50_moments_ends_in_the_same_bits(tmp_path):
    folder, chance = tmp_path / "whole", random.Random(0)
    folder.mkdir()
    with start(folder) as process:
        began = time.monotonic()
        assert process.wait() == 0
    took = time.monotonic() - began
    expected = minigrad.load(folder / "result.npz")
    kills = runs = caught_writing = 0
    while kills < KILLS:
        runs += 1
        folder = tmp_path / f"run{runs}"
        folder.mkdir()
        while not (folder / "result.npz").exists():
            with start(folder) as process:
                time.sleep(chance.uniform(0, took / 2) if kills < KILLS else 2 * took)
                process.kill()
                code = process.wait()
            kills += code == -signal.SIGKILL
            assert code in (0, -signal.SIGKILL)
            caught_writing += any((folder / "checkpoints").glob(".*.part"))
        assert same(minigrad.load(folder / "result.npz"), expected)
        assert (folder / "log.csv").read_text().count("\n") == 1 + len(
            expected["history"]["epochs"]
        )
    print(f"{kills} kills in {runs} runs of {took:.2f} s, {caught_writing} while writing")
    assert caught_writing
