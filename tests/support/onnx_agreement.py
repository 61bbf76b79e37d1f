"""Whether an exported file computes what the model does."""

import numpy as np
import onnxruntime as runtime
from layers import values as values

from minigrad import Tensor, nn
from minigrad.onnx import export


def agree(model, inputs, path, *, dynamic=True, sizes=(1, 4)):
    """Export, and compare with onnxruntime at two sizes of the batch."""
    proto = export(model, inputs, path, dynamic=dynamic)
    inputs = inputs if isinstance(inputs, list | tuple) else [inputs]
    session = runtime.InferenceSession(path)
    names = [one.name for one in session.get_inputs()]
    if isinstance(model, nn.Module):
        model.eval()
    for size in sizes if dynamic else [len(inputs[0])]:
        rows = [array[np.arange(size) % len(array)] for array in inputs]
        expected = model(*map(Tensor, rows))
        (found,) = session.run(None, dict(zip(names, rows, strict=True)))
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        limit = 1e-5 * np.abs(expected.data).max()
        assert np.abs(found - expected.data).max() <= limit
    return proto
