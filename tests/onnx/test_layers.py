"""Exported files say what each layer says."""

import numpy as np
import pytest
from layers import LAYERS, VARIANTS, inputs_of
from onnx_networks import randomise

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_agreement import agree

UNWRITTEN = {"NLLLoss"}  # it picks by labels and their places at once


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - UNWRITTEN))
def test_layer(name, tmp_path):
    model, *given = LAYERS[name]
    agree(randomise(model, np.random.default_rng(1)), inputs_of(given), tmp_path / "m.onnx")


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_of_a_layer(name, tmp_path):
    model, *given = VARIANTS[name]
    agree(randomise(model, np.random.default_rng(1)), inputs_of(given), tmp_path / "m.onnx")
