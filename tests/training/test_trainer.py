"""The Trainer does what a loop by hand does, and evaluates without a trace."""

import math

import numpy as np
import pytest

from minigrad import functional as F
from minigrad import is_grad_enabled, manual_seed, nn, optim
from minigrad.data import DataLoader, train_validation_split
from minigrad.training import Trainer

rng = np.random.default_rng(0)
X = rng.normal(size=(23, 4))
T = rng.integers(3, size=23)


def network(seed=0, dropout=0.0):
    norm = nn.BatchNorm1d(5, dtype=np.float64)
    norm.running_var[:] = 1  # so that it may be evaluated before it is trained
    return nn.Sequential(
        nn.Linear(4, 5, rng=seed, dtype=np.float64),
        norm,
        nn.ReLU(),
        nn.Dropout(dropout, rng=seed),
        nn.Linear(5, 3, rng=seed, dtype=np.float64),
    )


def trainer(model=None, rule=optim.SGD, lr=0.1, **options):
    model = model or network()
    return Trainer(model, rule(model.parameters(), lr), **{"progress": False, **options})


def values(model):
    return {name: array.copy() for name, array in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


# --------------------------------------------------------------------------------------- the loop
@pytest.mark.parametrize("max_grad_norm", [None, 0.05])
@pytest.mark.parametrize("decay", [False, True])
def test_fit_is_the_loop_that_one_would_write(decay, max_grad_norm):
    def parts():
        model = network(dropout=0.3)
        optimizer = optim.Adam(model.parameters(), 0.01)
        schedule = optim.ExponentialDecay(optimizer, 0.9) if decay else None
        return model, optimizer, schedule, DataLoader(X, T, batch_size=5, shuffle=True, rng=3)

    model, optimizer, schedule, loader = parts()
    losses = []
    for _ in range(3):
        for x, t in loader:
            model.zero_grad()
            loss = F.cross_entropy(model(x), t)
            loss.backward()
            if max_grad_norm:
                assert optim.clip_grad_norm(model.parameters(), max_grad_norm) > max_grad_norm
            optimizer.step()
            if schedule:
                schedule.step()
            losses.append(loss.item())

    again, optimizer, schedule, loader = parts()
    options = {"schedule": schedule, "max_grad_norm": max_grad_norm, "progress": False}
    history = Trainer(again, optimizer, **options).fit(loader, epochs=3)
    assert history.losses == losses
    assert same(values(again), values(model))
    assert history["lr"] == [0.01 * (0.9**k if decay else 1) for k in (5, 10, 15)]


def test_an_epochs_row_has_the_mean_over_examples_not_batches():
    loader = [(X[:20], T[:20]), (X[20:], T[20:])]
    parts = [trainer(network(), lr=0.0).fit([batch], epochs=1).epochs[0] for batch in loader]
    both = trainer(network(), lr=0.0).fit(loader, epochs=1).epochs[0]
    for name in ("loss", "accuracy"):
        expected = (20 * parts[0][name] + 3 * parts[1][name]) / 23
        assert both[name] == pytest.approx(expected, rel=1e-12)
    assert both["step"] == 2
    assert list(both) == ["epoch", "step", "loss", "accuracy", "lr", "seconds"]


def test_arrays_are_shuffled_batches_of_100_unless_told():
    x, t = np.arange(250.0).reshape(250, 1), np.zeros((250, 1))
    seen = []

    class Spy(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.zeros((1, 1)))

        def forward(self, x):
            seen.append(x)
            return x @ self.weight

    model = Spy()
    run = Trainer(model, optim.SGD(model.parameters()), F.mse_loss, progress=False)
    run.fit((x, t), (x, t), epochs=1)
    assert [len(batch) for batch in seen] == [100, 100, 50] * 2
    first, held_out = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert not np.array_equal(first, x)
    np.testing.assert_array_equal(np.sort(first, axis=0), x)
    np.testing.assert_array_equal(held_out, x)
    seen.clear()
    run.evaluate((x, t), batch_size=200)
    assert [len(batch) for batch in seen] == [200, 50]


def test_a_model_takes_all_arrays_but_the_last():
    class Sum(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.ones(1))

        def forward(self, a, b):
            return self.weight * (a + b)

    model = Sum()
    run = Trainer(model, optim.SGD(model.parameters()), F.mse_loss, progress=False)
    a, b = rng.normal(size=(2, 6))
    measured = run.evaluate((a, b, a), batch_size=4)
    assert measured == {"loss": pytest.approx(np.mean(b**2), rel=1e-12)}


def test_the_same_seed_gives_the_same_run_also_for_a_loader_made_before():
    loader = DataLoader(X, T, batch_size=7, shuffle=True)

    def losses(seed):
        manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 3))
        return trainer(model).fit(loader, epochs=3).losses

    assert losses(1) == losses(1) != losses(2)


def test_the_library_s_generator_splits_where_it_is_asked_to():
    def held_out(seed):
        manual_seed(seed)
        return train_validation_split(np.arange(50), rng=None)[1][0].tolist()

    assert held_out(1) == held_out(1) != held_out(2)


def test_a_second_fit_goes_on():
    run = trainer()
    first = run.fit((X, T), epochs=2, batch_size=10)
    assert run.fit((X, T), (X, T), epochs=1, batch_size=10) is first
    assert [row["epoch"] for row in first.epochs] == [1, 2, 3]
    assert [row["step"] for row in first.epochs] == [3, 6, 9]
    assert len(first.losses) == 9
    column = first["validation_loss"]
    assert [math.isnan(v) for v in column] == [True, True, False]
    assert column[2] == run.evaluate((X, T), batch_size=10)["loss"]


# ------------------------------------------------------------------------------------- evaluation
def test_evaluate_weighs_every_example_the_same():
    run = trainer(network(dropout=0.5))
    run.fit((X, T), epochs=2, batch_size=10)
    whole = run.evaluate((X, T), batch_size=23)
    parts = run.evaluate(DataLoader(X, T, batch_size=10))  # 10, 10 and 3
    assert parts == pytest.approx(whole, rel=1e-12)
    run.model.eval()
    logits = run.model(X)
    assert whole["loss"] == pytest.approx(F.cross_entropy(logits, T).item(), rel=1e-12)
    assert whole["accuracy"] == pytest.approx(np.mean(logits.data.argmax(1) == T), rel=1e-12)


def test_evaluate_changes_nothing_and_gives_each_module_its_mode_again():
    model = network(dropout=0.5)
    model[1].eval()
    modes = [module.training for module in model.modules()]
    seen = []

    def loss(output, target):
        seen.append((is_grad_enabled(), output.requires_grad, model[3].training))
        return F.cross_entropy(output, target)

    run, before = trainer(model, loss=loss), values(model)
    run.evaluate((X, T))
    assert seen == [(False, False, False)]
    assert same(values(model), before)
    with pytest.raises(ValueError, match="labels must lie in"):
        run.evaluate((X, T + 5))
    assert [module.training for module in model.modules()] == modes
    assert is_grad_enabled()
    assert run.history.epochs == run.history.losses == []


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (F.cross_entropy, ["loss", "accuracy"]),
        (nn.CrossEntropyLoss(), ["loss", "accuracy"]),
        (lambda y, t: F.sum_squared_error(y, F.one_hot(t, 3)), ["loss"]),
    ],
)
def test_the_accuracy_is_measured_by_default_where_it_has_a_meaning(loss, names):
    assert list(trainer(loss=loss).evaluate((X, T))) == names


def test_metrics_are_functions_of_output_and_target():
    metrics = {"largest": lambda y, t: np.max(y), "examples": lambda y, t: len(t)}
    measured = trainer(metrics=metrics).evaluate((X, T), batch_size=20)
    assert measured["examples"] == pytest.approx((20 * 20 + 3 * 3) / 23)
    assert type(measured["largest"]) is float
