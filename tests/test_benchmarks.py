"""The benchmarks: what is timed computes the same numbers in every library."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

HERE = Path(__file__).parent / "benchmarks"
sys.path.append(str(HERE))

import programs  # noqa: E402
import workloads  # noqa: E402


def peer(name):
    if name not in ("minigrad", "numpy"):
        pytest.importorskip(name)
    return import_module(f"peer_{name}")


def steps_of(name, network, rule):
    """The losses of some steps, and the weights after them, which both update in place."""
    chosen = peer(name)

    def build(layers, weights, *rest):
        step = chosen.network(layers, weights, *rest)
        return [step() for _ in range(5)], getattr(step, "weights", weights)

    return workloads.network(SimpleNamespace(network=build), network, rule, 0.01)


@pytest.mark.parametrize("rule", ["SGD", "Adam"])
@pytest.mark.parametrize("network", ["mlp", "mlp_bn"])
def test_networks_by_hand_take_minigrads_steps(network, rule):
    losses, weights = steps_of("minigrad", network, rule)
    losses_by_hand, weights_by_hand = steps_of("numpy", network, rule)
    assert losses[-1] < losses[0] - 0.1
    np.testing.assert_allclose(losses_by_hand, losses, rtol=1e-4)
    for by_hand, ours in zip(weights_by_hand, weights, strict=True):
        np.testing.assert_allclose(by_hand, ours, atol=2e-3 if rule == "Adam" else 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in programs.PROGRAMS if n != "gpt_written"])
@pytest.mark.parametrize("other", ["torch", "jax"])
def test_programs_have_minigrads_losses(other, name):
    lr = 1e-3 if name == "gpt" else 0.1
    losses = []
    for chosen in peer("minigrad"), peer(other):
        step = programs.program(chosen, name, lr)
        losses.append([step() for _ in range(4)])
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(*losses, rtol=1e-4)


@pytest.mark.slow
def test_attention_written_out_has_the_same_losses():
    ours = [programs.program(peer("minigrad"), name, 1e-3) for name in ("gpt", "gpt_written")]
    np.testing.assert_allclose(*([step() for _ in range(3)] for step in ours), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("other", ["torch", "jax"])
@pytest.mark.parametrize("name", programs.OPERATIONS)
def test_operations_have_minigrads_gradients(name, other):
    ours, theirs = (programs.operation(peer(n), name, "4k")() for n in ("minigrad", other))
    for our, their in zip(ours, theirs, strict=True):
        their = np.asarray(their)
        scale = max(1, abs(their).max())
        np.testing.assert_allclose(our.numpy(), their, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.slow
def test_they_run(tmp_path):
    command = [sys.executable, HERE / "run.py", "--quick", "--json", tmp_path / "found.json"]
    command += ["--only", "mlp", "simple_conv", "--peers", "minigrad", "numpy", "--memory"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert "numpy simple_conv: NotImplementedError: no conv by hand" in done.stderr
    assert "| mlp " in done.stdout
