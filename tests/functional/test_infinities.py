"""Infinite gradients, and more rows than float16 can count."""

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, gradients


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("shape", [(), (2, 2)])
def test_an_infinite_gradient_stops_where_relu_is_0(dtype, shape):
    x = Tensor(np.array([-1, 4, 0, -2], dtype)[: 2 if shape else 4], requires_grad=True)
    x = x[0] if shape == () else np.broadcast_to(x, shape)
    with np.errstate(divide="ignore"):
        for create_graph in (False, True):
            y = np.sqrt(F.relu(x))
            (g,) = gradients(np.sum(y), [x], create_graph=create_graph)
            assert g.dtype == dtype
            assert g.tolist() == (0 if shape == () else [[0, 0.25], [0, 0.25]])


@pytest.mark.parametrize("rows", [1000, 65_600, 200_000])
def test_cross_entropy_of_more_rows_than_float16_counts(rows):
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(rows, 3)), rng.integers(0, 3, rows)
    exact = Tensor(x.astype(np.float16).astype(np.float64), requires_grad=True)
    half = Tensor(x.astype(np.float16), requires_grad=True)
    for targets in (labels, np.eye(3)[labels]):
        loss, reference = F.cross_entropy(half, targets), F.cross_entropy(exact, targets)
        assert loss.dtype == np.float16
        assert loss.item() == pytest.approx(reference.item(), rel=1e-3)
        (expected,) = gradients(reference, [exact])
        for create_graph in (False, True):
            (g,) = gradients(loss, [half], create_graph=create_graph, retain_graph=True)
            np.testing.assert_allclose(g.data, expected.data, rtol=4e-3, atol=2.0**-23)
