"""The Trainer refuses data and settings that would spoil a run, and says what to do."""

import numpy as np
import pytest

from minigrad import Tensor, nn, optim
from minigrad import functional as F
from minigrad.data import DataLoader
from minigrad.training import Trainer

rng = np.random.default_rng(0)
X = rng.normal(size=(23, 4))
T = rng.integers(3, size=23)


def network():
    return nn.Linear(4, 3, rng=0)


def trainer(lr=0.1, **options):
    model = network()
    return Trainer(model, optim.SGD(model.parameters(), lr), **{"progress": False, **options})


def changed(run):
    return not np.array_equal(run.model.weight.data, network().weight.data)


def with_value(array, value, at):
    array = np.array(array, float)
    array[at] = value
    return array


BAD = with_value(X, np.nan, (4, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda r: r.fit((BAD, T), epochs=1),
            r"fit: array 0 \(shape \(23, 4\)\) holds 1 .*\[4, 2\]",
        ),
        (
            lambda r: r.fit((with_value(BAD, -np.inf, 9), T), epochs=1),
            r"holds 5 values .* \[4, 2\]",
        ),
        (lambda r: r.fit(DataLoader(BAD, T, batch_size=5), epochs=1), "fit: array 0 .* nan at"),
        (lambda r: r.fit((X, T), (BAD, T), epochs=1), "fit, validation: array 0"),
        (lambda r: r.evaluate((X, with_value(T, np.inf, 3))), r"evaluate: array 1 .* inf at \[3\]"),
    ],
)
def test_data_that_is_not_finite_is_refused_before_the_first_step(call, message):
    run = trainer()
    with pytest.raises(ValueError, match=message):
        call(run)
    assert not changed(run)
    assert run.history.losses == []


@pytest.mark.parametrize(
    "batches",
    [
        [(X, T), (BAD, T)],
        [(X, T), (Tensor(BAD), T)],
        DataLoader(
            with_value(np.concatenate([X, X]), 9.0, (27, 2)),
            np.concatenate([T, T]),
            batch_size=23,
            transform=lambda x, t: (np.where(x == 9, np.nan, x), t),
        ),
    ],
)
def test_batches_that_are_not_finite_are_refused_as_they_come(batches):
    run = trainer()
    with pytest.raises(ValueError, match="fit: epoch 1, batch 2: array 0 .* nan at .*4, 2"):
        run.fit(batches, epochs=1)
    assert len(run.history.losses) == 1


def test_a_loss_that_is_not_finite_stops_the_run_before_it_spreads():
    run = trainer(lr=1e30, loss=lambda y, t: F.mse_loss(y, F.one_hot(t, 3)))
    with (
        np.errstate(all="ignore"),
        pytest.raises(
            FloatingPointError,
            match=r"fit: epoch 1, batch 2: the loss is inf: .* a lower learning rate .*1e\+30\)",
        ),
    ):
        run.fit((X.astype("f4"), T), epochs=3, batch_size=10)
    assert len(run.history.losses) == 1
    assert changed(run)
    assert np.isfinite(run.model.weight.data).all()
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="evaluate, batch 1"):
        run.evaluate((X.astype("f4"), T))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X[:0], T[:0]), "DataLoader: the data set is empty"),
        ([], "fit: epoch 1: the data set is empty: it gave no batch"),
        (iter([(X, T)]), r"fit: epoch 2: the data set is empty: .* \(an iterator gives .* once"),
    ],
)
def test_an_empty_data_set_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        trainer().fit(data, epochs=2)


def loader():
    return DataLoader(X, T, batch_size=5)


def other_schedule():
    return optim.StepDecay(optim.SGD(), every=2)


def normalised(*shape):
    """Return a network with batch normalisation after a layer that gives this shape."""
    norm = nn.BatchNorm2d(2) if len(shape) > 1 else nn.BatchNorm1d(6)
    return nn.Sequential(
        nn.Linear(4, 6, rng=0), lambda y: y.reshape(-1, *shape), norm, nn.Flatten(),
        nn.Dropout(0.1, rng=0), nn.Linear(6, 3, rng=0),
    )  # fmt: skip


@pytest.mark.parametrize("data", [(X, T), DataLoader(X, T, batch_size=11, shuffle=True)])
def test_a_last_batch_of_one_is_refused_before_the_first_step(data):
    model = normalised(6)
    before = model.state_dict()
    run = Trainer(model, optim.SGD(model.parameters()), progress=False)
    size = 11 if isinstance(data, tuple) else None
    with pytest.raises(
        ValueError,
        match=r"^fit: 23 examples in batches of 11 leave one .* (?s:.)*"
        r"one value for each channel .*drop_last=True",
    ) as caught:
        run.fit(data, epochs=1, batch_size=size)
    assert "shape (1, 6)" in str(caught.value)
    assert run.history.losses == []
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    run.fit(DataLoader(X, T, batch_size=11, drop_last=True), epochs=1)
    assert len(run.history.losses) == 2


def test_a_last_batch_of_one_image_has_many_values():
    model = normalised(2, 3, 1)
    run = Trainer(model, optim.SGD(model.parameters()), progress=False)
    assert len(run.fit((X, T), epochs=1, batch_size=11).losses) == 3
    one = normalised(6)
    other = [layer for layer in one if not isinstance(layer, nn.BatchNorm1d)]
    model = nn.Sequential(*other)
    Trainer(model, optim.SGD(model.parameters()), progress=False).fit(
        (X, T), epochs=1, batch_size=1
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: Trainer(F.relu, optim.SGD()),
            TypeError,
            "model must be an instance of Module, got <func",
        ),
        (
            lambda: Trainer(network(), optim.SGD),
            TypeError,
            "optimizer must be an instance of Optimizer, got",
        ),
        (lambda: trainer(schedule=other_schedule()), ValueError, "schedule is that of another"),
        (lambda: trainer(metrics={"loss": F.accuracy}), ValueError, r"needs \['loss'\] itself"),
        (lambda: trainer(metrics={"validation_a": F.accuracy}), ValueError, "rename these"),
        (lambda: trainer(metric=F.accuracy), TypeError, "unexpected keyword argument 'metric'"),
        (lambda: trainer().fit(loader(), epochs=0), ValueError, "epochs must be 1 or more, got 0"),
        (
            lambda: trainer().fit(loader(), epochs=1.5),
            TypeError,
            "epochs must be an integer, got 1",
        ),
        (lambda: trainer().fit(loader()), TypeError, "epochs"),
        (
            lambda: trainer().fit(X, T, epochs=1),
            TypeError,
            r"fit: expected .* \(x, t\), got ndarray",
        ),
        (lambda: trainer().fit((X, T), epochs=1, batch_size=0), ValueError, "batch_size must be 1"),
        (
            lambda: trainer().fit(loader(), epochs=1, batch_size=9),
            ValueError,
            "batch_size=9 is for data given as a tuple of arrays; DataLoader makes its own",
        ),
        (
            lambda: trainer().evaluate([X]),
            TypeError,
            r"batch 1: expected a tuple of arrays \(x, t\)",
        ),
        (lambda: trainer().evaluate((X,)), TypeError, r"batch 1: expected a tuple of arrays"),
        (
            lambda: trainer(loss=F.accuracy).evaluate((X, T)),
            TypeError,
            "evaluate, batch 1: the loss must be a Tensor of one value, got 0",
        ),
        (
            lambda: trainer(loss=lambda y, t: y).fit(loader(), epochs=1),
            TypeError,
            "fit: epoch 1, batch 1: the loss must be a Tensor of one value, got Tensor",
        ),
    ],
)
def test_a_mistake_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
