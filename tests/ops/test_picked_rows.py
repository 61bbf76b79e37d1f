"""Rows picked by an index: their gradients are added back, as often as a row was picked."""

import numpy as np
import pytest

from minigrad import Tensor

KEYS = {
    "each once": np.array([2, 0, 1]),
    "repeated": np.array([[1, 1, -1], [-4, 0, 1]]),
    "small type": np.array([3, 3, -1], np.int8),
    "unsigned": np.array([3, 3, 1], np.uint64),
    "list": [3, 3, -2],
    "none": np.array([], int),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("row", [(), (1,), (2,), (3,), (3, 100), (0,)], ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64])
def test_picked_rows_are_added_back(key, row, dtype):
    rng = np.random.default_rng(0)
    w = Tensor(rng.normal(size=(4, *row)).astype(dtype), requires_grad=True)
    y = w[key]
    np.testing.assert_array_equal(y.data, w.data[key])
    g = rng.integers(-9, 9, y.shape).astype(dtype)
    for upstream in (g, g[..., ::-1] if row else g, np.broadcast_to(dtype(2), y.shape)):
        w.grad = None
        y.backward(upstream, retain_graph=True)
        expected = np.zeros(w.shape, dtype)
        np.add.at(expected, key, upstream)
        assert w.grad.dtype == dtype
        np.testing.assert_array_equal(w.grad.data, expected)
