"""What researchers call of NumPy: its own results and types, gradients of both orders."""

import numpy as np
import pytest
from numpy_rows import complex_rows, rows

from minigrad import Tensor, gradients
from minigrad.testing import check_gradients

ALL = rows + complex_rows
each = pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)


def listed(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def test_names_are_unique():
    names = [row.name for row in ALL]
    assert len(names) == len(set(names))


@each
def test_result_and_type_are_those_of_numpy(row):
    expected, found = row.function(*row.inputs), row.function(*map(Tensor, row.inputs))
    for e, y in zip(listed(expected), listed(found), strict=True):
        e = np.asarray(e)
        if row.name.startswith("complex cond"):
            e = e.real  # which NumPy 2.0 gives as a complex number
        assert isinstance(y, Tensor)
        assert (y.shape, y.dtype) == (e.shape, e.dtype)
        np.testing.assert_allclose(y.data, e, rtol=1e-10, atol=1e-12)


@each
def test_gradients_of_both_orders_agree_with_differences(row):
    check_gradients(row.function, *row.inputs, rtol=2e-5, atol=1e-6)


NARROW = {np.dtype(np.float64): np.float32, np.dtype(np.complex128): np.complex64}


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in ALL
        if not any(word in row.name for word in ("dtype", "float_power", "blocks"))
    ],
    ids=lambda row: row.name,
)
def test_single_precision_stays_single(row):
    xs = [Tensor(x.astype(NARROW[x.dtype]), requires_grad=True) for x in row.inputs]
    ys = [y for y in listed(row.function(*xs)) if y.requires_grad]
    assert {y.dtype for y in ys} <= {np.dtype(np.float32), np.dtype(np.complex64)}
    found = gradients(ys, xs, [np.ones(y.shape) for y in ys], create_graph=True)
    for g, x in zip(found, xs, strict=True):
        assert g is None or g.dtype == x.dtype
