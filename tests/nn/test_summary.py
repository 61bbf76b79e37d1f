"""The summary of a network: every call with its shape, each parameter once, all the products."""

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, nn
from minigrad.nn import models


def columns(summary):
    return [(r.path, r.output, r.parameters, r.multiply_adds) for r in summary.rows]


def test_of_a_network():
    summary = models.SimpleConvNet().summary((1, 28, 28))
    assert columns(summary) == [
        ("conv1", (30, 24, 24), 780, 30 * 24 * 24 * 25),
        ("relu1", (30, 24, 24), 0, 0),
        ("pool1", (30, 12, 12), 0, 0),
        ("flatten", (4320,), 0, 0),
        ("linear1", (100,), 432_100, 432_000),
        ("relu2", (100,), 0, 0),
        ("linear2", (10,), 1010, 1000),
    ]
    assert (summary.parameters, summary.multiply_adds) == (433_890, 865_000)
    assert [r.kind for r in summary.rows][:3] == ["Conv2d", "ReLU", "MaxPool2d"]


@pytest.mark.parametrize(
    ("model", "shape", "parameters", "multiply_adds"),
    [
        (models.DeepConvNet(), (1, 28, 28), 123_552, 8_772_340),
        (models.LeNet5(), (1, 28, 28), 61_706, 416_520),
        (models.TwoLayerNet(), 784, 39_760, 39_700),
        (nn.Linear(3, 2), (7, 3), 8, 7 * 6),
        (nn.Conv2d(4, 6, 3, groups=2), (4, 5, 5), 6 * 2 * 9 + 6, 6 * 9 * 2 * 9),
        (nn.ConvTranspose2d(4, 6, 3, 2), (4, 5, 5), 4 * 6 * 9 + 6, 4 * 25 * 6 * 9),
        (nn.ReLU(), (2, 3), 0, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_totals(model, shape, parameters, multiply_adds):
    summary = model.summary(shape)
    assert (summary.parameters, summary.multiply_adds) == (parameters, multiply_adds)


class Attention(nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v)


def test_attention_multiplies_every_query_with_every_key_and_weighs_every_value():
    assert Attention().summary((3, 2), (5, 2), (5, 7)).multiply_adds == 3 * 5 * (2 + 7)


@pytest.mark.slow
def test_alexnet_has_the_numbers_of_the_literature():
    summary = models.AlexNet().summary((3, 227, 227))
    assert (summary.parameters, summary.multiply_adds) == (60_965_224, 724_406_816)


def test_the_table_is_aligned():
    lines = repr(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()).summary((1, 4, 5))).splitlines()
    assert lines == [
        "layer   kind      output    parameters   multiply-adds",
        "------------------------------------------------------",
        "0       Conv2d    2, 2, 3           20             108",
        "1       Flatten   12                 0               0",
        "------------------------------------------------------",
        "total                               20             108",
    ]


class Block(nn.Module):
    """Own parameters, a list, a layer used twice, functions without a layer, two inputs."""

    def __init__(self):
        self.scale = nn.Parameter(np.ones((3, 3)))
        self.layers = [nn.Linear(3, 3, dtype=np.float64), nn.Tanh()]
        self.spare = nn.Linear(3, 5, dtype=np.float64)
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(3, dtype=np.float64)

    def forward(self, x, y):
        for _ in range(2):
            for layer in self.layers:
                x = layer(x)
        return {"y": self.norm(self.drop(x @ self.scale)), "x": F.linear(y, self.scale)}


def test_calls_are_read_whoever_wrote_the_forward():
    summary = Block().summary((3,), (3,))
    assert columns(summary) == [
        ("", (3,), 9, 9 + 9),
        ("layers.0", (3,), 12, 9),
        ("layers.1", (3,), 0, 0),
        ("layers.0", (3,), 0, 9),
        ("layers.1", (3,), 0, 0),
        ("drop", (3,), 0, 0),
        ("norm", (3,), 6, 0),
    ]
    assert summary.parameters == 9 + 12 + 20 + 6
    assert summary.multiply_adds == 36


def test_tied_weights_count_once():
    one, other = nn.Linear(3, 3), nn.Linear(3, 3, bias=False)
    other.weight = one.weight
    summary = nn.Sequential(one, other).summary(3)
    assert [r.parameters for r in summary.rows] == [12, 0]
    assert (summary.parameters, summary.multiply_adds) == (12, 18)


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_it_was(fails):
    model = Block()
    model.drop.eval()
    before = {name: value.copy() for name, value in model.state_dict().items()}
    attributes = [vars(module).copy() for module in model.modules()]
    minigrad.manual_seed(0)
    if fails:
        with pytest.raises(ValueError, match="matmul|linear"):
            model.summary((4,), (3,))
    else:
        with minigrad.no_grad():  # it records all the same
            assert model.summary((3,), (3,)).multiply_adds == 36
    assert [vars(module) for module in model.modules()] == attributes
    assert (model.training, model.drop.training) == (True, False)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert all(p.grad is None for p in model.parameters())
    drawn = minigrad.random.generator().random()
    minigrad.manual_seed(0)
    assert minigrad.random.generator().random() == drawn  # no random number was used up


def test_frozen_layers_are_counted():
    model = models.TwoLayerNet(4, 3, 2)
    for p in model.parameters():
        p.requires_grad = False
    assert model.summary(4).multiply_adds == 18
    assert isinstance(model(np.ones((1, 4), np.float32)), Tensor)


def test_the_wrong_shape_is_the_layers_own_error():
    with pytest.raises(ValueError, match="conv2d: x must be images") as caught:
        models.SimpleConvNet().summary(784)
    assert "in conv1: Conv2d" in caught.value.__notes__
