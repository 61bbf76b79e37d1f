"""The networks: their sizes, the book's numbers and names of weights, their options."""

import re

import numpy as np
import pytest
from book import NETWORKS, losses

import minigrad
import minigrad.functional as F
from minigrad import Tensor, nn, optim
from minigrad.nn import models

# ------------------------------------------------------------------------------------------ sizes
NETS = {
    "TwoLayerNet": (models.TwoLayerNet, (784,), 39_760),
    "MultiLayerNet": (lambda: models.MultiLayerNet(784, [100] * 4, 10), (784,), 109_810),
    "MultiLayerNet with batch norm": (
        lambda: models.MultiLayerNet(784, [100] * 4, 10, batch_norm=True), (784,), 110_610,
    ),
    "SimpleConvNet": (models.SimpleConvNet, (1, 28, 28), 433_890),
    "DeepConvNet": (models.DeepConvNet, (1, 28, 28), 123_552),
    "LeNet5": (models.LeNet5, (1, 28, 28), 61_706),
}  # fmt: skip


@pytest.mark.parametrize(("make", "shape", "parameters"), NETS.values(), ids=NETS)
def test_parameters_are_as_many_as_the_docstring_says(make, shape, parameters):
    model = make()
    assert sum(p.size for p in model.parameters()) == parameters
    assert f"{parameters:,}" in type(model).__doc__
    assert model(np.zeros((2, *shape), np.float32)).shape == (2, 10)


IMAGE = (1, 28, 28)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (models.TwoLayerNet, 784),
        (models.SimpleConvNet, IMAGE),
        (models.DeepConvNet, IMAGE),
        (models.LeNet5, IMAGE),
        pytest.param(models.AlexNet, (3, 227, 227), marks=pytest.mark.slow),
    ],
)
def test_the_docstring_has_the_layers(kind, shape):
    row = re.compile(r"^ *(\w+) +(\d+(?:, \d+)*) +([\d,]+)$", re.MULTILINE)
    written = {
        path: (tuple(map(int, output.split(", "))), int(parameters.replace(",", "")))
        for path, output, parameters in row.findall(kind.__doc__)
    }
    found = {r.path: (r.output, r.parameters) for r in kind().summary(shape).rows}
    assert written == {path: found[path] for path in written}
    left_out = {path.rstrip("0123456789") for path in found.keys() - written.keys()}
    assert left_out <= {"relu", "sigmoid", "norm", "dropout"}


def test_images_of_other_sizes():
    for kind in (models.SimpleConvNet, models.DeepConvNet):
        assert kind((3, 12, 17), classes=4)(np.zeros((2, 3, 12, 17), np.float32)).shape == (2, 4)
    lenet = models.LeNet5((1, 32, 36))
    assert lenet(np.zeros((2, 1, 32, 36), np.float32)).shape == (2, 10)
    alexnet = models.AlexNet((3, 67, 67), classes=3)
    assert alexnet(np.zeros((1, 3, 67, 67), np.float32)).shape == (1, 3)


# -------------------------------------------------------------------------- the book's numbers
def test_simple_conv_net_trains_as_the_books():
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    name = "simple_conv_Adam"
    model = models.SimpleConvNet((1, 8, 8), 5, 3, hidden=20, dtype=np.float64)
    keys = [f"{kind}{i}" for i in (1, 2, 3) for kind in "Wb"]
    model.load_state_dict({key: NETWORKS[f"{name}/w/{key}"] for key in keys})
    by_path = dict(model.named_parameters())
    params = {key: by_path[path] for key, path in model.book_names().items()}
    assert list(params) == keys
    optimizer = optim.Adam(model.parameters(), lr=0.001)
    book = NETWORKS[f"{name}/loss_after_update"]
    for step, rows in enumerate(NETWORKS[f"{name}/rows"]):
        x, t = Tensor(digits.images[rows][:, None] / 16), digits.target[rows]
        optimizer.zero_grad()
        model.loss(x, t).backward()
        if step == 0:
            for key, p in params.items():
                expected = NETWORKS[f"{name}/grad0/{key}"]
                np.testing.assert_allclose(p.grad.data, expected, rtol=0, atol=1e-10)
        optimizer.step()
        ours, books_formula = losses(model, x, t, 0.0)
        assert books_formula == pytest.approx(book[step], rel=1e-9)
        assert ours == pytest.approx(book[step], rel=2e-6)
    for key, p in params.items():
        expected = NETWORKS[f"{name}/final/{key}"]
        np.testing.assert_allclose(p.data, expected, rtol=0, atol=1e-8)


BOOK_SHAPES = {  # of the arrays in the files of weights that the book publishes
    models.SimpleConvNet: [
        (30, 1, 5, 5), (4320, 100), (100, 10),
    ],
    models.DeepConvNet: [
        (16, 1, 3, 3), (16, 16, 3, 3), (32, 16, 3, 3), (32, 32, 3, 3), (64, 32, 3, 3),
        (64, 64, 3, 3), (1024, 50), (50, 10),
    ],
}  # fmt: skip


def published(kind, rng):
    params = {}
    for i, shape in enumerate(BOOK_SHAPES[kind], 1):
        params[f"W{i}"] = rng.normal(size=shape)
        params[f"b{i}"] = rng.normal(size=shape[0] if len(shape) == 4 else shape[1])
    return params


@pytest.mark.parametrize("kind", BOOK_SHAPES)
def test_the_books_weights_are_loaded(kind):
    model, params = kind(), published(kind, np.random.default_rng(0))
    model.load_state_dict(params)
    state = model.state_dict()
    assert len(state) == len(params)
    for key, path in model.book_names().items():
        np.testing.assert_array_equal(state[path], params[key].astype(np.float32))
    other = kind()
    other.load_state_dict(state)  # its own names are welcome as well
    x = np.random.default_rng(1).random((2, 1, 28, 28), np.float32)
    np.testing.assert_array_equal(model.eval()(x).data, other.eval()(x).data)


def test_names_of_batch_normalisation_and_its_running_values_stay():
    model = models.MultiLayerNet(4, [3, 2], 2, batch_norm=True, dropout=0.1)
    assert model.book_names() == {
        "W1": "linear1.weight", "b1": "linear1.bias", "gamma1": "norm1.weight",
        "beta1": "norm1.bias", "W2": "linear2.weight", "b2": "linear2.bias",
        "gamma2": "norm2.weight", "beta2": "norm2.bias", "W3": "linear3.weight",
        "b3": "linear3.bias",
    }  # fmt: skip
    model(np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32))
    before = model.norm1.running_mean.copy()
    assert before.any()
    shapes = dict(zip(model.book_names(), (p.shape for p in model.parameters()), strict=True))
    model.load_state_dict({key: np.full(shape, 7.0) for key, shape in shapes.items()})
    np.testing.assert_array_equal(model.norm1.running_mean, before)
    assert {float(p.data.mean()) for p in model.parameters()} == {7.0}


def test_all_that_is_wrong_with_the_books_weights_is_said_at_once():
    model, params = (
        models.SimpleConvNet(),
        published(models.SimpleConvNet, np.random.default_rng(0)),
    )
    before = model.state_dict()
    del params["b1"]
    params["W2"] = params["W2"].T
    params["W9"] = np.ones(3)
    with pytest.raises(ValueError, match="missing conv1.bias; unexpected W9; linear1.weight is .* "
                       r"\(100, 4320\), expected float32 \(4320, 100\)"):  # fmt: skip
        model.load_state_dict(params)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    params = published(models.SimpleConvNet, np.random.default_rng(0))
    model.load_state_dict({"W1": params["W1"]}, strict=False)
    np.testing.assert_array_equal(model.conv1.weight.data, params["W1"].astype(np.float32))


# ---------------------------------------------------------------------------------------- options
def test_weights_begin_as_the_book_has_them():
    rng = np.random.default_rng(0)
    spreads = {
        models.TwoLayerNet(rng=rng): [0.01, 0.01],
        models.SimpleConvNet(rng=rng): [0.01, 0.01, 0.01],
        models.DeepConvNet(rng=rng): np.sqrt(
            2 / np.array([9, 16 * 9, 16 * 9, 32 * 9, 32 * 9, 64 * 9, 64 * 16, 50])
        ),
        models.MultiLayerNet(784, [100, 50], 10, rng=rng): np.sqrt(2 / np.array([784, 100, 50])),
        models.MultiLayerNet(784, [100], 10, init="sigmoid", rng=rng): [784**-0.5, 0.1],
        models.MultiLayerNet(784, [100], 10, init=0.3, rng=rng): [0.3, 0.3],
    }
    for model, stds in spreads.items():
        weights = [p.data for p in model.parameters() if p.ndim > 1]
        for w, std in zip(weights, stds, strict=True):
            assert w.std() == pytest.approx(std, rel=5 / np.sqrt(2 * w.size))
        assert not any(p.data.any() for p in model.parameters() if p.ndim == 1)


def test_layers_stand_in_the_books_order():
    model = models.MultiLayerNet(4, [3, 2], 2, activation="tanh", batch_norm=True, dropout=0.2)
    assert [type(layer) for layer in model] == [
        *[nn.Linear, nn.BatchNorm1d, nn.Tanh, nn.Dropout] * 2, nn.Linear,
    ]  # fmt: skip
    assert [type(layer) for layer in models.MultiLayerNet(4, [3], 2, activation="sigmoid")] == [
        nn.Linear, nn.Sigmoid, nn.Linear,
    ]  # fmt: skip
    end = [type(layer) for layer in models.DeepConvNet()][-5:]
    assert end == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear, nn.Dropout]


def test_a_seed_seeds_the_network_and_not_every_layer_alike():
    one, other = (models.DeepConvNet((1, 8, 8), rng=3) for _ in range(2))
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    net = models.MultiLayerNet(50, [50], 50, init=1.0, rng=3)
    assert (net.linear1.weight.data != net.linear2.weight.data).all()
    x = np.ones((20, 1, 8, 8), np.float32)
    np.testing.assert_array_equal(one(x).data, other(x).data)
    assert (one(x).data != one(x).data).any()  # the masks differ from call to call


def test_weight_decay_is_in_the_loss_and_only_of_weights():
    model = models.MultiLayerNet(4, [3], 2, weight_decay=0.1, batch_norm=True, dtype=np.float64)
    x, t = np.random.default_rng(0).normal(size=(5, 4)), np.array([0, 1, 1, 0, 1])
    plain = F.cross_entropy(model(x), t)
    squares = sum(np.sum(p.data**2) for p in (model.linear1.weight, model.linear2.weight))
    assert model.loss(x, t).item() == pytest.approx(plain.item() + 0.05 * squares, rel=1e-12)
    parameters = list(model.parameters())
    for p, g, h in zip(
        parameters,
        minigrad.gradients(model.loss(x, t), parameters),
        minigrad.gradients(plain, parameters),
        strict=True,
    ):
        np.testing.assert_allclose(g.data, h.data + 0.1 * p.data * (p.ndim > 1), atol=1e-12)
    assert models.TwoLayerNet(4, 3, 2, dtype=np.float64).loss(x, t).item() > 0


def test_the_losss_decay_and_the_optimizers_are_the_same():
    x, t = np.random.default_rng(0).normal(size=(5, 4)), np.array([0, 1, 1, 0, 1])
    weights = []
    for in_loss, in_rule in [(0.1, 0.0), (0.0, 0.1)]:
        model = models.MultiLayerNet(4, [3], 2, weight_decay=in_loss, rng=1, dtype=np.float64)
        optimizer = optim.Adam(model.parameters(), weight_decay=in_rule)
        for _ in range(5):
            optimizer.zero_grad()
            model.loss(x, t).backward()
            optimizer.step()
        weights.append(np.concatenate([p.data.ravel() for p in model.parameters()]))
    np.testing.assert_allclose(*weights, rtol=1e-10)


MISTAKES = {
    "SimpleConvNet: in_shape must be (channels, height, width), got (28, 28)": (
        lambda: models.SimpleConvNet((28, 28))
    ),
    "AlexNet: in_shape must be (channels, height, width), got 227": lambda: models.AlexNet(227),
    "conv2d: the kernel does not fit: along H": lambda: models.LeNet5((1, 8, 8)),
    "hidden must be a list of widths, got 3": lambda: models.MultiLayerNet(4, 3, 2),
    "MultiLayerNet: activation must be one of ['relu', 'sigmoid', 'tanh'], got 'step'": (
        lambda: models.MultiLayerNet(4, [3], 2, activation="step")
    ),
    "weight_decay must be >= 0, got -1": lambda: models.MultiLayerNet(4, [3], 2, weight_decay=-1),
    "Dropout: p must be in [0, 1), got 1": lambda: models.MultiLayerNet(4, [3], 2, dropout=1),
    "Linear: out_features must be a positive integer": lambda: models.TwoLayerNet(hidden=0),
}


@pytest.mark.parametrize(("message", "make"), MISTAKES.items())
def test_a_mistake_is_explained(message, make):
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    assert message in str(caught.value)
