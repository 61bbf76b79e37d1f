"""Digits come in the form asked for; where scikit-learn is missing, it is named."""

import sys
from collections import Counter

import numpy as np
import pytest

from minigrad.data import load_digits, load_mnist

sklearn_datasets = pytest.importorskip("sklearn.datasets")


@pytest.mark.parametrize(
    ("options", "shape", "dtype", "white"),
    [
        ({}, (64,), "float32", 1),
        ({"flatten": False}, (1, 8, 8), "float32", 1),
        ({"normalize": False}, (64,), "uint8", 16),
        ({"normalize": False, "flatten": False}, (1, 8, 8), "uint8", 16),
    ],
)
def test_digits_come_in_the_form_asked_for(options, shape, dtype, white):
    (x_train, t_train), (x_test, t_test) = load_digits(**options)
    assert (x_train.shape, x_test.shape) == ((1438, *shape), (359, *shape))
    assert (t_train.shape, t_test.shape) == ((1438,), (359,))
    assert (x_train.dtype, x_test.dtype, t_train.dtype) == (dtype, dtype, "int64")
    assert (x_train.min(), x_train.max()) == (0, white)


def test_digits_are_scikit_learns_each_once_with_its_label():
    original = sklearn_datasets.load_digits()
    (x_train, t_train), (x_test, t_test) = load_digits()
    expected = Counter(
        (pixels.tobytes(), label)
        for pixels, label in zip(original.data.astype("f4") / 16, original.target, strict=True)
    )
    found = Counter(
        (pixels.tobytes(), label)
        for x, t in [(x_train, t_train), (x_test, t_test)]
        for pixels, label in zip(x, t, strict=True)
    )
    assert found == expected
    assert np.bincount(t_test, minlength=10).min() >= 25
    np.testing.assert_array_equal(load_digits()[1][0], x_test)  # the same split every time


def test_one_hot_rows_are_the_labels():
    (_, labels), _ = load_digits()
    (_, rows), _ = load_digits(one_hot_label=True)
    assert (rows.shape, rows.dtype) == ((1438, 10), "float32")
    assert rows.sum() == 1438
    np.testing.assert_array_equal(rows.argmax(1), labels)


@pytest.mark.parametrize("load", [load_digits, load_mnist])
def test_a_missing_scikit_learn_is_named(load, monkeypatch, tmp_path):
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "sklearn", None)
    message = rf'{load.__name__}.* needs scikit-learn.*pip install -e "\.\[examples\]"'
    with pytest.raises(ModuleNotFoundError, match=message):
        load()
