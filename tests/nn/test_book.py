"""The book's layers with a state and its networks: minigrad computes the same numbers."""

import numpy as np
import pytest
from book import NETWORKS, SETTINGS, assert_close, case, losses

import minigrad.functional as F
from minigrad import Tensor, nn, optim


# ---------------------------------------------------------------------------------------- layers
def test_batch_normalization():
    book = case("batchnorm")
    layer = nn.BatchNorm1d(5, dtype=np.float64)
    layer.weight.data, layer.bias.data = book["gamma"], book["beta"]
    for batch, expected in zip(book["x"], book["y"], strict=True):
        x = Tensor(batch, requires_grad=True)
        y = layer(x)
        assert_close(y, expected)
    y.backward(book["g"])
    assert_close(x.grad, book["dx"])
    assert_close(layer.weight.grad, book["dgamma"])
    assert_close(layer.bias.grad, book["dbeta"])
    assert_close(layer.running_mean, book["running_mean"])
    assert_close(layer.running_var, book["running_var"])
    assert_close(layer.eval()(Tensor(book["x"][0])), book["y_eval"])


class Given(np.random.Generator):
    """A generator that draws what it was given."""

    def __init__(self, values):
        super().__init__(np.random.PCG64(0))
        self.values = values

    def random(self, size=None, dtype=np.float64, out=None):
        assert size == self.values.shape
        return self.values.astype(dtype)


def test_dropout():
    book = case("dropout_0.3")
    layer = nn.Dropout(0.3, rng=Given(np.where(book["mask"], 0.9, 0.1)))
    x = Tensor(book["x"], requires_grad=True)
    y = layer(x)
    y.backward(book["g"])
    assert_close(y, book["y"])
    assert_close(x.grad, book["dx"])
    assert_close(layer.eval()(x), book["y_eval"])


# -------------------------------------------------------------------------------------- networks
MLPS = [*SETTINGS, "weight_decay", "batchnorm_loss_in_train_mode"]


def network(name):
    """Return the book's network 64-20-15-10 of that name and its parameters by the book's names."""
    layers, names = [], []
    for i in (1, 2, 3):
        sizes = NETWORKS[f"mlp_{name}/w/W{i}"].shape
        layers.append(nn.Linear(*sizes, dtype=np.float64))
        names += [f"W{i}", f"b{i}"]
        if i < 3 and "batchnorm" in name:
            layers.append(nn.BatchNorm1d(sizes[1], dtype=np.float64))
            names += [f"gamma{i}", f"beta{i}"]
        if i < 3:
            layers.append(nn.Sigmoid() if name == "weight_decay" else nn.ReLU())
    model = nn.Sequential(*layers)
    params = dict(zip(names, model.parameters(), strict=True))
    for key, p in params.items():
        p.data = NETWORKS[f"mlp_{name}/w/{key}"]
    return model, params


@pytest.mark.parametrize("name", MLPS)
def test_network_trains_as_the_books(name):
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    decay = 0.1 if name == "weight_decay" else 0.0
    model, params = network(name)
    rule = getattr(optim, name if name in SETTINGS else "SGD")
    optimizer = rule(params.values(), lr=0.001 if name == "Adam" else 0.01, weight_decay=decay)
    book = NETWORKS[f"mlp_{name}/loss_after_update"]
    for step, rows in enumerate(NETWORKS[f"mlp_{name}/rows"]):
        x, t = Tensor(digits.data[rows] / 16), digits.target[rows]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        if step == 0:  # the book's first gradients have the weight decay in them
            first = F.cross_entropy(model(x), t) + F.l2_penalty(params.values(), decay)
            first.backward()
            for key, p in params.items():
                expected = NETWORKS[f"mlp_{name}/grad0/{key}"]
                np.testing.assert_allclose(p.grad.data, expected, rtol=0, atol=1e-10)
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ours, books_formula = losses(model, x, t, decay)
        assert books_formula == pytest.approx(book[step], rel=1e-9)
        assert ours == pytest.approx(book[step], rel=2e-6)
    assert ours == pytest.approx(book[-1], rel=1e-6)  # after 30 steps
    for key, p in params.items():
        expected = NETWORKS[f"mlp_{name}/final/{key}"]
        np.testing.assert_allclose(p.data, expected, rtol=0, atol=1e-8)
