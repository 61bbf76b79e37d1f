"""The numbers that the book's own code computed, read from tests/data: minigrad gives the same."""

import json
from pathlib import Path

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, nn, optim

DATA = Path(__file__).parent / "data"
OPTIMIZERS = np.load(DATA / "optimizers.npz")
VALLEY = np.load(DATA / "valley.npz")
LAYERS = np.load(DATA / "layers.npz")
NETWORKS = np.load(DATA / "networks.npz")
SETTINGS = json.loads((DATA / "hyperparameters.json").read_text("utf-8"))
PARAMETERS = "Wbs"


def case(name):
    """Return the arrays of one case by their short name."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): LAYERS[key] for key in LAYERS if key.startswith(prefix)}


def assert_close(actual, expected, rtol=1e-12):
    """Compare to a tolerance relative to the largest of the expected values."""
    actual = actual.data if isinstance(actual, Tensor) else actual
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
    assert np.abs(actual - expected).max() <= rtol * np.abs(expected).max()


# ------------------------------------------------------------------------------ update rules: ==
@pytest.mark.parametrize("rule", SETTINGS)
def test_rule_by_step(rule):
    params = [Tensor(OPTIMIZERS[f"start/{k}"], requires_grad=True) for k in PARAMETERS]
    optimizer = getattr(optim, rule)(params, **SETTINGS[rule])
    for t in range(60):
        for p, k in zip(params, PARAMETERS, strict=True):
            p.grad = OPTIMIZERS[f"grad/{k}"][t]
        optimizer.step()
        for p, k in zip(params, PARAMETERS, strict=True):
            np.testing.assert_array_equal(p.data, OPTIMIZERS[f"{rule}/{k}"][t], strict=True)


@pytest.mark.parametrize("defaults", [False, True], ids=["settings", "defaults"])
@pytest.mark.parametrize("rule", SETTINGS)
def test_rule_by_update(rule, defaults):
    optimizer = getattr(optim, rule)(**({} if defaults else SETTINGS[rule]))
    params = {k: OPTIMIZERS[f"start/{k}"].copy() for k in PARAMETERS}
    arrays = dict(params)
    for t in range(60):
        optimizer.update(params, {k: OPTIMIZERS[f"grad/{k}"][t] for k in PARAMETERS})
        for k in PARAMETERS:
            np.testing.assert_array_equal(params[k], OPTIMIZERS[f"{rule}/{k}"][t], strict=True)
            assert params[k] is arrays[k]  # in place: the layers keep these very arrays


@pytest.mark.parametrize(
    ("rule", "lr"), [("SGD", 0.95), ("Momentum", 0.1), ("AdaGrad", 1.5), ("Adam", 0.3)]
)
@pytest.mark.parametrize("call", ["step", "update"])
def test_path_through_the_valley(rule, lr, call):
    x, y = (Tensor(v, requires_grad=True) for v in np.array([-7.0, 2.0]))
    optimizer = getattr(optim, rule)([x, y] if call == "step" else None, lr=lr)
    points = [(x.item(), y.item())]
    for _ in range(30):
        slopes = x.data / 10.0, 2.0 * y.data
        if call == "step":
            x.grad, y.grad = slopes
            optimizer.step()
        else:
            optimizer.update({"x": x.data, "y": y.data}, dict(zip("xy", slopes, strict=True)))
        points.append((x.item(), y.item()))
    np.testing.assert_array_equal(np.array(points), VALLEY[rule])


# ---------------------------------------------------------------------------------------- layers
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


def losses(model, x, t, decay):
    """Return our loss and the book's, which adds 1e-7 to each probability."""
    with minigrad.no_grad():
        logits = model(x)
        penalty = float(F.l2_penalty(model.parameters(), decay))
        p = F.softmax(logits).data[np.arange(len(t)), t]
        return F.cross_entropy(logits, t).item() + penalty, -np.log(p + 1e-7).mean() + penalty


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
