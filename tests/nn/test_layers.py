"""Layers, containers and initial weights: what they compute, how they begin, what they refuse."""

import math

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, nn

X = np.random.default_rng(0).normal(size=(6, 4))
LABELS = np.array([0, 1, 2, 3, 0, 1])

LAYERS = {
    "Linear": lambda: nn.Linear(4, 3),
    "Linear without bias": lambda: nn.Linear(4, 3, bias=False),
    "BatchNorm1d": lambda: nn.BatchNorm1d(4),
    "Dropout": lambda: nn.Dropout(0.4, rng=0),
    "Flatten": nn.Flatten,
    "Identity": nn.Identity,
    "ReLU": nn.ReLU,
    "LeakyReLU": lambda: nn.LeakyReLU(0.2),
    "Sigmoid": nn.Sigmoid,
    "Tanh": nn.Tanh,
    "GELU": nn.GELU,
    "GELU tanh": lambda: nn.GELU("tanh"),
    "Softplus": nn.Softplus,
    "Softmax": nn.Softmax,
    "LogSoftmax": lambda: nn.LogSoftmax(axis=0),
    "Sequential": lambda: nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.1)),
}


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_every_type_stays(make, dtype, training):
    layer = make().astype(dtype)
    x = Tensor(X.astype(dtype), requires_grad=True)
    layer(x)  # so that there is something to evaluate with
    y = layer.train(training)(x)
    y.backward(np.ones(y.shape))
    assert y.dtype == x.grad.dtype == dtype
    assert all(p.grad.dtype == dtype for p in layer.parameters())
    assert all(value.dtype == dtype for value in layer.state_dict().values())


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (nn.ReLU(), F.relu),
        (nn.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2)),
        (nn.Sigmoid(), F.sigmoid),
        (nn.Tanh(), F.tanh),
        (nn.GELU(), F.gelu),
        (nn.GELU("tanh"), lambda x: F.gelu(x, "tanh")),
        (nn.Softplus(), F.softplus),
        (nn.Softmax(), F.softmax),
        (nn.Softmax(axis=0), lambda x: F.softmax(x, 0)),
        (nn.LogSoftmax(), F.log_softmax),
        (nn.Identity(), lambda x: x),
        (nn.CrossEntropyLoss(), F.cross_entropy),
        (nn.BCEWithLogitsLoss(), F.binary_cross_entropy_with_logits),
        (nn.MSELoss(), F.mse_loss),
        (nn.SumSquaredError(), F.sum_squared_error),
    ],
    ids=lambda value: repr(value) if isinstance(value, nn.Module) else "",
)
def test_a_module_is_its_function(layer, function):
    x = Tensor(X, requires_grad=True)
    loss = type(layer).__name__.endswith(("Loss", "Error"))
    arguments = (x, F.one_hot(LABELS, 4, np.float64)) if loss else (x,)
    np.testing.assert_array_equal(layer(*arguments).data, function(*arguments).data)


# ---------------------------------------------------------------------------------------- linear
def test_linear_is_x_w_plus_b():
    layer = nn.Linear(4, 3, dtype=np.float64)
    assert [(n, p.shape, p.name) for n, p in layer.named_parameters()] == [
        ("weight", (4, 3), "weight"),
        ("bias", (3,), "bias"),
    ]
    layer.bias.data = np.arange(3.0)
    np.testing.assert_allclose(layer(X).data, X @ layer.weight.data + [0, 1, 2], rtol=1e-15)
    assert nn.Linear(4, 3, False).bias is None


def test_flatten_keeps_the_batch():
    shapes = {(2, 3, 4, 5): (2, 60), (7,): (7, 1), (0, 3, 2): (0, 6), (3, 4): (3, 4)}
    assert {s: nn.Flatten()(Tensor(np.ones(s))).shape for s in shapes} == shapes


# --------------------------------------------------------------------------------- initial weights
@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("he", math.sqrt(2 / 300)),
        ("relu", math.sqrt(2 / 300)),
        ("xavier", math.sqrt(1 / 300)),
        ("sigmoid", math.sqrt(1 / 300)),
        (0.01, 0.01),
        (np.float32(0.5), 0.5),
        (0, 0),
        (nn.init.normal(2), 2),
        (lambda shape, fan_in, rng: rng.normal(0, 3 / fan_in, shape), 0.01),
    ],
)
def test_weights_begin_with_their_spread(init, std):
    layer = nn.Linear(300, 200, init=init, rng=0)
    w = layer.weight.data
    assert (w.shape, w.dtype) == ((300, 200), np.float32)
    assert w.std() == pytest.approx(std, rel=0.02)
    assert w.mean() == pytest.approx(0, abs=5 * std / math.sqrt(w.size))
    assert not layer.bias.data.any()


def test_he_is_the_default():
    default, he = nn.Linear(4, 3, rng=5), nn.Linear(4, 3, rng=5, init="he")
    np.testing.assert_array_equal(default.weight.data, he.weight.data)


def test_rng_makes_runs_repeat():
    def model(rng):
        return nn.Sequential(nn.Linear(4, 50, rng=rng), nn.Dropout(0.5, rng=rng))

    def outputs(model):
        return np.stack([model(X).data for _ in range(2)])

    one, other = outputs(model(3)), outputs(model(3))
    np.testing.assert_array_equal(one, other)
    assert (one[0] != one[1]).any()  # the same seed, not the same mask every time
    assert (one != outputs(model(4))).any()
    shared = [outputs(model(np.random.default_rng(3))) for _ in range(2)]
    np.testing.assert_array_equal(*shared)
    own = []
    for _ in range(2):
        minigrad.manual_seed(3)
        own.append(outputs(model(None)))
    np.testing.assert_array_equal(*own)


# ------------------------------------------------------------------- layers that train differently
def test_dropout_drops_in_training_alone():
    layer = nn.Dropout(0.25, rng=0)
    x = Tensor(np.ones((100, 100)), requires_grad=True)
    kept = layer(x).data
    assert set(np.unique(kept)) == {0.0, 1.0}
    assert kept.mean() == pytest.approx(0.75, abs=0.02)
    np.testing.assert_allclose(layer.eval()(x).data, 0.75)
    np.testing.assert_array_equal(nn.Dropout(0.0)(x).data, x.data)


def test_batch_norm_normalizes_and_remembers():
    layer = nn.BatchNorm1d(4, momentum=0.5, eps=1e-3, dtype=np.float64)
    layer.weight.data, layer.bias.data = np.full(4, 2.0), np.full(4, 3.0)
    y = layer(Tensor(5 * X + 1)).data
    np.testing.assert_allclose(y.mean(axis=0), 3)
    np.testing.assert_allclose(y.std(axis=0), 2, rtol=1e-3)
    np.testing.assert_allclose(layer.running_mean, 0.5 * (5 * X + 1).mean(axis=0))
    np.testing.assert_allclose(layer.running_var, 0.5 * (5 * X).var(axis=0))
    before = layer.eval().state_dict()
    y = layer(Tensor(X)).data
    expected = (X - layer.running_mean) / np.sqrt(layer.running_var + 1e-3) * 2 + 3
    np.testing.assert_allclose(y, expected)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert [name for name, _ in layer.named_buffers()] == ["running_mean", "running_var"]
    assert nn.BatchNorm1d(4)(np.ones((2, 4, 9), "f4")).shape == (2, 4, 9)


# ------------------------------------------------------------------------------------ containers
def test_sequential_calls_one_after_the_other():
    first, last = nn.Linear(4, 3, dtype=np.float64), nn.Linear(3, 2, dtype=np.float64)
    model = nn.Sequential(first, np.tanh, head=last)
    np.testing.assert_array_equal(model(X).data, last(np.tanh(first(X))).data)
    assert (len(model), model[-1], list(model)) == (3, last, [first, np.tanh, last])
    names = [name for name, _ in model.named_parameters()]
    assert names == ["0.weight", "0.bias", "head.weight", "head.bias"]
    model.head = nn.Linear(3, 5, dtype=np.float64)  # replaced where it stands
    model.note = "other attributes are no steps"
    assert model.eval()(X).shape == (6, 5)
    assert nn.Sequential()(3) == 3


def test_a_module_may_stand_twice():
    shared = nn.Linear(4, 4, dtype=np.float64)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    assert len(list(model.parameters())) == 2
    np.testing.assert_array_equal(model(X).data, shared(F.relu(shared(X))).data)


# ---------------------------------------------------------------------------------------- errors
ERRORS = [
    (lambda: nn.Linear(0, 2), "Linear: in_features must be a positive integer, got 0"),
    (lambda: nn.Linear(2, 2.0), "Linear: out_features must be a positive integer, got 2.0"),
    (lambda: nn.BatchNorm1d(-1), "BatchNorm1d: num_features must be a positive integer, got -1"),
    (lambda: nn.Dropout(1), r"Dropout: p must be in \[0, 1\), got 1"),
    (lambda: nn.Linear(2, 2, init="hee"), r"init: 'hee' is unknown: use one of \['he', 'relu'"),
    (lambda: nn.Linear(2, 2, init=-1.0), "init: a standard deviation must be >= 0, got -1.0"),
    (lambda: nn.Linear(2, 2, init=math.nan), "init: a standard deviation must be >= 0, got nan"),
    (
        lambda: nn.Linear(2, 3, init=lambda *_: np.ones(2)),
        r"init: expected weights of shape \(2, 3\), the function gave \(2,\)",
    ),
    (
        lambda: nn.BatchNorm1d(4)(np.ones((2, 3))),
        r"BatchNorm1d: expected \(N, C\) or \(N, C, L\) with C = 4, got shape \(2, 3\)",
    ),
    (lambda: nn.BatchNorm1d(4)(np.ones((2, 4, 1, 1))), r"got shape \(2, 4, 1, 1\)"),
    (lambda: nn.Flatten()(Tensor(1.0)), r"Flatten: expected shape \(N, ...\), got \(\)"),
    (lambda: nn.GELU("fast")(Tensor([1.0])), "gelu: approximate must be"),
    (lambda: nn.Sequential(_a=nn.ReLU()), "Sequential: a module can't be called '_a': rename it"),
    (lambda: nn.Sequential(train=nn.ReLU()), "a module can't be called 'train': rename it"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Sequential(nn.ReLU), r"Sequential: 0 must be a module, such as ReLU\(\)"),
        (lambda: nn.Sequential(a=3), "Sequential: a must be a module, .* or a function, got 3"),
        (lambda: nn.Linear(2, 2, init=None), "init: expected a name, a number or a function"),
        (lambda: nn.Linear(2, 2, dtype=int), "only floating point Tensors have gradients"),
    ],
)
def test_wrong_types_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


# ------------------------------------------------------------------- batch normalisation's limits
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.BatchNorm1d(3), (1, 3)),
        (nn.BatchNorm1d(3), (1, 3, 1)),
        (nn.BatchNorm2d(3), (1, 3, 1, 1)),
    ],
)
def test_one_value_for_each_channel_is_refused_in_training(layer, shape):
    with pytest.raises(ValueError, match="one value for each channel has no variance"):
        layer(np.ones(shape, "f4"))
    assert not layer.running_mean.any()
    layer(np.ones((2, *shape[1:]), "f4"))
    assert layer.eval()(np.ones(shape, "f4")).shape == shape


def test_batch_norm_evaluates_what_it_has_seen_or_was_given():
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    model = nn.Sequential(nn.Identity(), nn.BatchNorm1d(3))
    fresh = nn.Sequential(nn.Identity(), nn.BatchNorm1d(3)).eval()
    with pytest.raises(RuntimeError, match="BatchNorm1d: evaluation before training: the run") as e:
        fresh(x)
    assert e.value.__notes__ == ["in 1: BatchNorm1d"]
    model(x)
    fresh.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(fresh(x).data, model.eval()(x).data)


@pytest.mark.parametrize("training", [True, False])
def test_a_fresh_model_can_be_looked_at(training):
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU()).train(training)
    before = model.state_dict()
    assert model.summary(4).parameters == 4 * 3 + 3 + 6
    assert "norm" in model.draw(np.ones((1, 4), "f4")).source.lower()
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises((ValueError, RuntimeError)):  # and that is all
        model(np.ones((1, 4), "f4"))
