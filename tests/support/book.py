"""The numbers that the book's own code computed, read from tests/golden."""

import json
from pathlib import Path

import numpy as np

import minigrad
import minigrad.functional as F
from minigrad import Tensor

GOLDEN = Path(__file__).parents[1] / "golden"
OPTIMIZERS = np.load(GOLDEN / "optimizers.npz")
VALLEY = np.load(GOLDEN / "valley.npz")
LAYERS = np.load(GOLDEN / "layers.npz")
NETWORKS = np.load(GOLDEN / "networks.npz")
SETTINGS = json.loads((GOLDEN / "hyperparameters.json").read_text("utf-8"))
CONVOLUTIONS = sorted({key.split("/")[0] for key in LAYERS if key.startswith("conv_")})


def case(name):
    """Return the arrays of one case by their short name."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): LAYERS[key] for key in LAYERS if key.startswith(prefix)}


def window_of(name):
    """Read the window off a case's name, such as conv_k3_s2_p0_2x2x9x9."""
    _, k, s, p, _ = name.split("_")
    return {"stride": int(s[1:]), "padding": int(p[1:])}, int(k[1:])


def assert_close(actual, expected, rtol=1e-12):
    """Compare to a tolerance relative to the largest of the expected values."""
    actual = actual.data if isinstance(actual, Tensor) else actual
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
    assert np.abs(actual - expected).max() <= rtol * np.abs(expected).max()


def losses(model, x, t, decay):
    """Return our loss and the book's, which adds 1e-7 to each probability."""
    with minigrad.no_grad():
        logits = model(x)
        penalty = F.l2_penalty(model.parameters(), decay).item()
        p = F.softmax(logits).data[np.arange(len(t)), t]
        return F.cross_entropy(logits, t).item() + penalty, -np.log(p + 1e-7).mean() + penalty
