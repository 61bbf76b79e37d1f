"""The book's layers without a state: minigrad computes the same numbers."""

import numpy as np
import pytest
from book import assert_close, case

import minigrad.functional as F
from minigrad import Tensor


@pytest.mark.parametrize("name", ["relu", "sigmoid"])
def test_activation(name):
    book = case(name)
    x = Tensor(book["x"], requires_grad=True)
    y = getattr(F, name)(x)
    y.backward(book["g"])
    assert_close(y, book["y"])
    assert_close(x.grad, book["dx"])


def test_affine():
    book = case("affine")
    x, w, b = (Tensor(book[k], requires_grad=True) for k in "xWb")
    y = F.linear(x, w, b)
    y.backward(book["g"])
    assert_close(y, book["y"])
    for tensor, key in ((x, "dx"), (w, "dW"), (b, "db")):
        assert_close(tensor.grad, book[key])


@pytest.mark.parametrize("targets", ["labels", "onehot"])
def test_softmax_with_loss(targets):
    book = case(f"softmax_loss_{targets}")
    x = Tensor(book["x"], requires_grad=True)
    loss = F.cross_entropy(x, book["t"])
    loss.backward()
    assert_close(x.grad, book["dx"])
    p = F.softmax(book["x"])
    labels = book["t"] if targets == "labels" else book["t"].argmax(axis=1)
    at_target = p[np.arange(len(labels)), labels]
    assert_close(-np.log(at_target + 1e-7).mean(), book["y"])  # the book's formula; ours is exact:
    assert loss.item() == pytest.approx(-np.log(at_target).mean(), rel=1e-12)
    if targets == "labels":
        assert_close(p, book["softmax"])
