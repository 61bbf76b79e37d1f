"""Weights from PyTorch: equal layers give equal outputs, and what would not is refused."""

import numpy as np
import pytest

from minigrad import Tensor, nn
from minigrad.torch import from_torch


def ours():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, 2, 1, groups=2), nn.BatchNorm2d(4, eps=1e-5), nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 2, 2), nn.GELU(), nn.AvgPool2d(2, 1, 1), nn.Flatten(),
        nn.Linear(3 * 13 * 13, 5), nn.BatchNorm1d(5, eps=1e-5), nn.Linear(5, 5), nn.LogSoftmax(),
    )  # fmt: skip


def theirs(torch):
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, 2, 1, groups=2), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 2, 2), nn.GELU(), nn.AvgPool2d(2, 1, 1), nn.Flatten(),
        nn.Linear(3 * 13 * 13, 5), nn.BatchNorm1d(5), nn.Linear(5, 5), nn.LogSoftmax(1),
    )  # fmt: skip
    with torch.no_grad():
        for buffer in model.buffers():
            buffer.copy_(buffer + torch.rand(buffer.shape))
        for p in model.parameters():
            p.copy_(torch.randn(p.shape))
    return model.eval()


@pytest.mark.parametrize("file", [False, True])
def test_equal_layers_give_equal_outputs(file, tmp_path):
    torch = pytest.importorskip("torch")
    theirs_, model, x = theirs(torch), ours(), np.random.default_rng(0).random((3, 2, 12, 12), "f")
    state = theirs_.state_dict()
    if file:
        pytest.importorskip("safetensors.torch").save_file(state, tmp_path / "weights.safetensors")
        state = tmp_path / "weights.safetensors"
    model.load_state_dict(from_torch(model, state))
    expected = theirs_(torch.from_numpy(x)).detach().numpy()
    assert np.allclose(model.eval()(Tensor(x)).data, expected, rtol=1e-4, atol=1e-5)


LAYERS = {  # by PyTorch's name: arguments of both, and an input
    "RNN": ((4, 3, 2, "relu"), {}, (5, 2, 4)),
    "GRU": ((4, 3), {"bidirectional": True}, (5, 2, 4)),
    "LSTM": ((4, 3, 2), {"batch_first": True, "bias": False}, (5, 2, 4)),
    "LayerNorm": (((2, 4),), {}, (5, 2, 4)),
    "RMSNorm": ((4, 2.0**-23), {}, (5, 4)),
    "GroupNorm": ((2, 4), {}, (3, 4, 5)),
    "Conv1d": ((4, 6, 3, 2, 1, 1, 2), {}, (3, 4, 9)),
    "Embedding": ((7, 3), {}, None),
    "TransformerEncoderLayer": ((6, 2, 8, 0.0, "gelu"), {}, (5, 2, 6)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_each_layer_of_sequences_takes_the_weights(name):
    torch = pytest.importorskip("torch")
    arguments, keywords, shape = LAYERS[name]
    twin, model = (getattr(one, name)(*arguments, **keywords) for one in (torch.nn, nn))
    with torch.no_grad():
        for p in twin.parameters():
            p.copy_(torch.randn(p.shape))
    model.load_state_dict(from_torch(model, twin.state_dict()))
    x = np.arange(6) if shape is None else np.random.default_rng(0).standard_normal(shape, "f")
    found, expected = model(x if shape is None else Tensor(x)), twin(torch.from_numpy(x))
    first, other = (y[0] if isinstance(y, tuple) else y for y in (found, expected))
    assert np.allclose(first.data, other.detach().numpy(), rtol=1e-4, atol=1e-5)


def state_of(model):
    state = model.state_dict()
    return {k: v.T if k.endswith("weight") and v.ndim == 2 else v for k, v in state.items()}


def test_square_weights_of_linear_layers_are_transposed():
    model = nn.Sequential(nn.Linear(3, 3))
    weight = np.arange(9.0).reshape(3, 3)
    found = from_torch(model, {"0.weight": weight, "0.bias": np.zeros(3)})
    assert np.array_equal(found["0.weight"], weight.T)


def test_names_may_differ():
    model = nn.Sequential(first=nn.Linear(3, 2), second=nn.Linear(2, 1))
    state = {
        "fc1.weight": np.ones((2, 3)), "fc1.bias": np.ones(2), "head.W": np.ones((1, 2)),
        "head.b": np.ones(1),
    }  # fmt: skip
    names = {"fc1": "first", "head.W": "second.weight", "head.b": "second.bias"}
    assert from_torch(model, state, names=names).keys() == model.state_dict().keys()


class Own(nn.Module):
    def __init__(self, shape):
        self.table, self.shift = nn.Parameter(np.ones(shape)), nn.Parameter(np.ones(3))

    def forward(self, x):
        return x @ self.table + self.shift


class Tied(nn.Module):
    def __init__(self):
        self.inner, self.outer = nn.Linear(3, 3), nn.Linear(3, 3)
        self.outer.weight = self.inner.weight


def test_a_second_name_of_a_tied_weight_is_no_harm():
    model = Tied()
    state = {**state_of(model), "outer.weight": model.inner.weight.data.T}
    assert "outer.weight" not in from_torch(model, state)
    state["outer.weight"] = state["outer.weight"] + 1
    with pytest.raises(
        ValueError, match="outer.weight is tied to inner.weight here, but has other"
    ):
        from_torch(model, state)


REFUSED = {
    "the book's dropout": (nn.Sequential(nn.Dropout(0.3)), "0 is the book's dropout"),
    "another eps": (nn.Sequential(nn.BatchNorm1d(3)), "0 has eps=1e-06, PyTorch's has 1e-05"),
    "a rounder eps": (nn.Sequential(nn.RMSNorm(3)), "0 has eps=1e-05, PyTorch's has 1.19209e-07"),
    "square and of no layer": (Own((3, 3)), "table is ambiguous: it may have to be transposed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_compute_something_else_is_refused_unless_accepted(name):
    model, message = REFUSED[name]
    state = model.state_dict()
    with pytest.raises(ValueError, match=f"from_torch: {type(model).__name__}: {message}"):
        from_torch(model, state)
    accepted = from_torch(model, state, accept=["0", "table"])
    assert all(np.array_equal(accepted[k], v) for k, v in state.items())


def test_parameters_of_no_layer_are_copied_where_that_is_clear():
    model = Own((4, 3))
    assert from_torch(model, model.state_dict())["table"].shape == (4, 3)
    with pytest.raises(ValueError, match="table is ambiguous"):
        from_torch(model, state_of(model) | {"table": np.ones((3, 4))})


def test_all_problems_are_in_one_message():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    state = {
        "0.weight": np.ones((3, 3)),
        "0.bias": np.ones(2),
        "1.bias": np.ones(2),
        "x": np.ones(1),
    }
    parts = "0.weight has shape .3, 3.*1.weight is missing.*x is unexpected"
    with pytest.raises(ValueError, match=parts):
        from_torch(model, state)
