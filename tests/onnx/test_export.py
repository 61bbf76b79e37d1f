"""Exported files say what the model says: every network, random ones, operations."""

import numpy as np
import pytest
from onnx_networks import network, randomise

import minigrad
from minigrad import Tensor, nn
from minigrad import functional as F

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
from onnx_agreement import agree, values  # noqa: E402

from minigrad.onnx import OPSET, export  # noqa: E402

MODELS = {
    "TwoLayerNet": lambda: (nn.models.TwoLayerNet(rng=0), (784,)),
    "MultiLayerNet": lambda: (
        nn.models.MultiLayerNet(784, [50, 40], 10, batch_norm=True, dropout=0.3, rng=0),
        (784,),
    ),
    "SimpleConvNet": lambda: (nn.models.SimpleConvNet(rng=0), (1, 28, 28)),
    "DeepConvNet": lambda: (nn.models.DeepConvNet(rng=0), (1, 28, 28)),
    "LeNet5": lambda: (nn.models.LeNet5(rng=0), (1, 28, 28)),
    "AlexNet": lambda: (nn.models.AlexNet((3, 67, 67), 10, rng=0), (3, 67, 67)),
}


def test_every_network_is_in_the_table():
    networks = {name for name, value in vars(nn.models).items() if isinstance(value, type)}
    assert networks - {"Network"} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_network(name, tmp_path):
    model, shape = MODELS[name]()
    agree(randomise(model, np.random.default_rng(1)), values((2, *shape)), tmp_path / "m.onnx")


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_random_networks(first, tmp_path):
    for seed in range(first, first + 20):
        model, x = network(seed)
        try:
            agree(model, x, tmp_path / "m.onnx")
        except Exception as error:
            error.add_note(f"seed {seed}: {model}")
            raise


W = values((6, 3), 7)
MASK = np.tril(np.ones((6, 6), bool))
OPERATIONS = {
    "arithmetic": lambda x: (2 * x - 1) / (np.abs(x) + 1.5) + (-x) ** 3 + x**2 - (1 - x),
    "a power of x": lambda x: 1.5**x + np.square(x) + np.reciprocal(x * x + 1),
    "roots": lambda x: np.sqrt(np.abs(x)) + np.cbrt(x) + np.hypot(x, 2 * x),
    "exponentials": lambda x: np.exp(x) + np.exp2(x) + np.expm1(x) + np.logaddexp(x, x * 2),
    "logarithms": lambda x: np.log(x * x + 1) + np.log2(x * x + 2) + np.log10(3 + x * x)
    + np.log1p(x * x),
    "circles": lambda x: np.sin(x) + np.cos(x) + np.arctan(x) + np.degrees(x) + np.radians(x),
    "arcs": lambda x: np.arcsin(np.tanh(x) / 2) + np.arccos(np.tanh(x) / 2) + np.arctanh(
        np.tanh(x) / 2) + np.arcsinh(x) + np.arccosh(1.5 + x * x),
    "hyperbolas": lambda x: np.sinh(x) + np.cosh(x) + np.tan(x / 4),
    "steps": lambda x: np.floor(x) + np.ceil(2 * x) + np.trunc(3 * x) + np.rint(x) + np.sign(x)
    + np.round(x, 1),
    "remainders": lambda x: np.remainder(x, 0.7) + np.fmod(x, 0.7) + x // 0.7,
    "choices": lambda x: np.maximum(x, 0.1) + np.minimum(x, x * x) + np.clip(x, -0.5, 0.7),
    "where": lambda x: np.where(MASK[:1], x, -1e9 + 0 * x),
    "sums": lambda x: x.sum(axis=1, keepdims=True) + np.mean(x) + np.max(x, axis=0) - np.min(x),
    "products": lambda x: np.prod(x, axis=1) + np.var(x, axis=1, ddof=1) + np.std(x, axis=1),
    "sums so far": lambda x: np.cumsum(x, axis=1) + np.linalg.norm(x, axis=1, keepdims=True),
    "logsumexp": lambda x: F.logsumexp(100 * x, axis=1),
    "matrices": lambda x: (x @ W) @ W.T + np.einsum("ni,ij->nj", x, W @ W.T),
    "axes": lambda x: np.transpose(x.reshape(-1, 2, 3), (0, 2, 1))[:, :, None] * np.ones(2, "f"),
    "moved axes": lambda x: np.swapaxes(np.moveaxis(x.reshape(x.shape[0], 2, 3), 2, 1), 1, 2),
    "joined": lambda x: np.concatenate([x, x[:, ::-1], np.stack([x, x], 1).reshape(-1, 12)], 1),
    "zeros beside": lambda x: np.concatenate([x, np.zeros((x.shape[0], 2), np.float32)], axis=1),
    "the batch as a number": lambda x: x.sum(axis=0, keepdims=True) / x.shape[0] + x * 0,
    "rolled": lambda x: np.roll(x, (1, -2), axis=(1, 1)) + np.flip(x, 1),
    "padded": lambda x: np.pad(x, [(0, 0), (1, 2)], constant_values=3)
    + np.pad(x[:, :5], [(0, 0), (2, 2)], mode="reflect"),
    "tiled": lambda x: np.tile(x, (1, 2)) + np.repeat(x, 2, axis=1),
    "triangles": lambda x: np.tril(np.einsum("ni,nj->nij", x, x), -1)
    + np.triu(x[:, None] * W[:, :1], 1),
    "slices": lambda x: x[:, 1:-1:2] + x[:, :2] + x[:, -1:] + x[:, 0, None] + x[..., [4, 2]],
    "diagonals": lambda x: np.diagonal((x[:, None] * x[:, :, None]), 1, 1, 2),
    "last of the batch": lambda x: x[-1:] + x[x.shape[0] - 1],
    "masked": lambda x: x[:, np.array([True, False, True, True, False, True])],
    "half of the batch": lambda x: np.broadcast_to(x[: x.shape[0]], (2, *x.shape)),
    "integers beside": lambda x: x * np.arange(6) + np.array([True] * 6),
}  # fmt: skip


SINGLE_ALONE = {"circles", "arcs", "hyperbolas"}  # onnxruntime has no others of these


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name, dtype, tmp_path):
    if dtype == np.float64 and name in SINGLE_ALONE:
        export(OPERATIONS[name], values((4, 6)).astype(dtype), tmp_path / "m.onnx")
        return
    agree(OPERATIONS[name], values((4, 6)).astype(dtype), tmp_path / "m.onnx")


def test_names_are_kept_and_the_opset_is_stated(tmp_path):
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 3))
    randomise(model, np.random.default_rng(0))
    proto = export(model, values((2, 4)), tmp_path / "m.onnx")
    names = {one.name for one in proto.graph.initializer}
    assert {n for n, _ in model.named_parameters()} <= names
    assert [one.name for one in proto.graph.input] == ["x"]
    assert [one.name for one in proto.graph.output] == ["output"]
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert [(o.domain, o.version) for o in proto.opset_import] == [("", OPSET)]
    assert proto == onnx.load(tmp_path / "m.onnx")
    assert {"0/Gemm", "2/Gemm"} <= {node.name for node in proto.graph.node}


def test_tied_weights_are_written_once(tmp_path):
    layer = nn.Linear(4, 4, rng=0)
    proto = agree(nn.Sequential(layer, nn.ReLU(), layer), values((2, 4)), tmp_path / "m.onnx")
    assert [one.name for one in proto.graph.initializer] == ["0.weight", "0.bias"]


@pytest.mark.parametrize(("of_x", "of_weights"), [("f8", "f4"), ("f4", "f8"), ("f8", "f8")])
def test_what_the_model_promotes_the_file_casts(of_x, of_weights, tmp_path):
    layers = nn.Linear(4, 3, rng=0), nn.BatchNorm1d(3), nn.ReLU(), nn.LayerNorm(3)
    model = randomise(nn.Sequential(*layers).astype(of_weights), np.random.default_rng(0))
    x = values((5, 4)).astype(of_x)
    proto = agree(model, x, tmp_path / "m.onnx")
    assert onnx.numpy_helper.to_array(proto.graph.initializer[0]).dtype == of_weights
    export(
        nn.Conv2d(1, 2, 3, rng=0).astype(of_weights),
        x[:, None, :, None] + x[:, None, None],
        tmp_path / "c.onnx",
    )


def test_several_inputs_and_outputs(tmp_path):
    class Two(nn.Module):
        def forward(self, a, b):
            return {"sum": a + b, "product": a * b}

    a, b = values((3, 2)), values((3, 2), 1)
    export(Two(), [a, b], tmp_path / "m.onnx")
    session = runtime.InferenceSession(tmp_path / "m.onnx")
    found = session.run(["product", "sum"], {"a": a, "b": b})
    assert np.allclose(found, [a * b, a + b])


def test_codes_pick_rows(tmp_path):
    table = nn.Parameter(values((5, 3)))
    agree(lambda codes: table[codes] * 2, np.array([[1, 2], [4, 0]]), tmp_path / "m.onnx")


def test_a_batch_of_one_size(tmp_path):
    proto = agree(nn.Linear(4, 2, rng=0), values((3, 4)), tmp_path / "m.onnx", dynamic=False)
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 3


def test_frozen_and_training_models_stay_as_they_were(tmp_path):
    model = nn.Sequential(nn.Linear(4, 4, rng=0), nn.Dropout(), nn.BatchNorm1d(4))
    model[0].weight.requires_grad = False
    randomise(model, np.random.default_rng(0))
    before = model.state_dict()
    agree_state = [model.training, *(m.training for m in model)]
    export(model, values((2, 4)), tmp_path / "m.onnx")
    assert [model.training, *(m.training for m in model)] == agree_state
    assert not model[0].weight.requires_grad
    assert all(np.array_equal(v, before[k]) for k, v in model.state_dict().items())


def flag(x):
    return x * 2 if x.shape[0] > 3 else x * 2 + 1


@minigrad.differentiable(lambda g, y, _x: g * y)
def my_own(x):
    return np.exp(x)


REFUSED = {
    "no counterpart": (my_own, NotImplementedError, "my_own has no counterpart"),
    "in a module": (nn.Sequential(my_own), NotImplementedError, "my_own in Sequential has no"),
    "a comparison": (lambda x: np.where(x > 0, x, 0 * x), ValueError, "argument 0 of where.*outs"),
    "a value": (lambda x: x * x.detach().data.max(), ValueError, "multiply.*outside the recorded"),
    "an index": (lambda x: x[:, int(x.data.argmax()) % 4], ValueError, "getitem.*outside the"),
    "a branch": (flag, ValueError, "another way with the size of the batch"),
    "1 / N": (lambda x: x * (1 / x.shape[0]), ValueError, "dynamic=False"),
    "no Tensor": (lambda x: 3.0, TypeError, "must return Tensors"),
    "a constant": (lambda x: Tensor([1.0]), ValueError, "does not depend on the inputs"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(name, tmp_path):
    model, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        export(model, values((2, 4)), tmp_path / "m.onnx")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "x", [np.float32(1), np.zeros((0, 2), "f"), np.array(["a"]), np.zeros((2, 2), int)]
)
def test_inputs_that_can_not_be_traced(x, tmp_path):
    with pytest.raises(ValueError, match="export: input 0"):
        export(nn.ReLU(), x, tmp_path / "m.onnx")
