"""Ranks of MPI train as one process does, end together, and go on after one was killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from states import same

import minigrad
from minigrad import distributed, nn
from minigrad.data import DataLoader

SCRIPT = Path(__file__).parent / "support" / "mpi_run.py"
MPIEXEC = Path(sys.executable).parent / "mpiexec"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def launched(n, mode, folder):
    """Run ranks, and return the exit status, the output and the seconds it took."""
    pytest.importorskip("mpi4py")
    if not MPIEXEC.exists():
        pytest.skip("there is no mpiexec beside this Python")
    command = [MPIEXEC, "-n", str(n), sys.executable, "-W", "error", SCRIPT, mode, folder]
    began = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=100)
    return run.returncode, run.stdout + run.stderr, time.monotonic() - began


def test_one_process_needs_no_mpi():
    assert (distributed.rank(), distributed.size(), distributed.world()) == (0, 1, None)
    layer = nn.Linear(2, 2)
    distributed.broadcast(layer)
    assert distributed.average_gradients(layer.parameters(), 3.0) == [3.0]
    assert layer.weight.grad is None
    loader = distributed.shard(DataLoader(np.arange(5), batch_size=2))
    assert [batch.tolist() for (batch,) in loader] == [[0, 1], [2, 3], [4]]
    model = nn.Sequential(nn.BatchNorm1d(2))
    x = np.array([[1.0, 2.0], [3.0, 5.0]], np.float32)
    expected = model(x).data
    assert np.array_equal(distributed.synchronise_batch_norm(model)(x).data, expected)
    with pytest.raises(TypeError, match="shard: expected a DataLoader, .* got list"):
        distributed.shard([x])


@pytest.mark.parametrize("mode", ["parts", "draws"])
def test_two_ranks(mode, tmp_path):
    code, output, _ = launched(2, mode, tmp_path)
    assert (code, output.count("done")) == (0, 2), output


@pytest.mark.slow
def test_equal_batches_give_equal_weights_on_1_2_and_4_ranks(tmp_path):
    for n in (1, 2, 4):
        code, output, _ = launched(n, "train", tmp_path)
        assert code == 0, output
    one, *others = [minigrad.load(tmp_path / f"{n}.npz") for n in (1, 2, 4)]
    largest = max(np.abs(array).max() for array in one["weights"].values())
    for other in others:
        for name, array in one["weights"].items():
            assert np.abs(array - other["weights"][name]).max() <= 1e-10 * largest
        assert np.allclose(one["losses"], other["losses"], rtol=1e-12)
        for row, its in zip(one["rows"], other["rows"], strict=True):
            assert its == pytest.approx(row, rel=1e-12)


@pytest.mark.slow
def test_a_rank_that_is_killed_ends_the_job_and_the_next_goes_on_in_the_same_bits(tmp_path):
    code, output, seconds = launched(2, "killed", tmp_path)
    assert code != 0
    assert "KILLED BY SIGNAL: 9" in output or "Signal 9" in output.title(), output
    assert seconds < 10 + 5  # of which to start
    code, output, _ = launched(2, "killed", tmp_path)
    assert code == 0, output
    code, output, _ = launched(2, "whole", tmp_path)
    assert code == 0, output
    assert same(minigrad.load(tmp_path / "killed.npz"), minigrad.load(tmp_path / "whole.npz"))


def test_an_exception_on_one_rank_ends_the_job_with_its_message(tmp_path):
    code, output, seconds = launched(2, "error", tmp_path)
    assert code != 0
    assert "rank 1 of 2 ends the job" in output
    assert "RuntimeError: what went wrong" in output
    assert seconds < 15
