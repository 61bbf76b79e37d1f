"""The Trainer does what a loop by hand does, and refuses what would spoil it; histories last."""

import csv
import io
import json
import math
import sys

import numpy as np
import pytest

from minigrad import Tensor, is_grad_enabled, manual_seed, nn, optim, training
from minigrad import functional as F
from minigrad.data import DataLoader, train_validation_split
from minigrad.training import History, Trainer, smooth

rng = np.random.default_rng(0)
X = rng.normal(size=(23, 4))
T = rng.integers(3, size=23)


def network(seed=0, dropout=0.0):
    return nn.Sequential(
        nn.Linear(4, 5, rng=seed, dtype=np.float64),
        nn.BatchNorm1d(5, dtype=np.float64),
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


# ---------------------------------------------------------------------------------- what it refuses
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
    before = values(run.model)
    with pytest.raises(ValueError, match=message):
        call(run)
    assert same(values(run.model), before)
    assert run.history.losses == []


@pytest.mark.parametrize(
    "batches",
    [
        [(X, T), (BAD, T)],
        [(X, T), (Tensor(BAD), T)],
        DataLoader(
            *(np.concatenate([a, a]) for a in (X, T)),
            batch_size=23,
            transform=lambda x, t, seen=[]: (seen.append(1), (BAD if len(seen) > 1 else x, t))[1],
        ),
    ],
)
def test_batches_that_are_not_finite_are_refused_as_they_come(batches):
    run = trainer()
    with pytest.raises(ValueError, match="fit: epoch 1, batch 2: array 0 .* nan at .*4, 2"):
        run.fit(batches, epochs=1)
    assert len(run.history.losses) == 1


def test_a_loss_that_is_not_finite_stops_the_run_before_it_spreads():
    model = nn.Linear(4, 3, rng=0)
    run = trainer(model, lr=1e30, loss=lambda y, t: F.mse_loss(y, F.one_hot(t, 3)))
    before = values(model)
    with (
        np.errstate(all="ignore"),
        pytest.raises(
            FloatingPointError,
            match=r"fit: epoch 1, batch 2: the loss is inf: .* a lower learning rate .*1e\+30\)",
        ),
    ):
        run.fit((X.astype("f4"), T), epochs=3, batch_size=10)
    assert len(run.history.losses) == 1
    assert not same(values(model), before)
    assert all(np.isfinite(array).all() for array in values(model).values())
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


# ------------------------------------------------------------------------------------ the history
def histories():
    run = trainer()
    run.fit((X, T), epochs=2, batch_size=10)
    run.fit((X, T), (X, T), epochs=1, batch_size=10)
    interrupted = History([*run.history.losses, 0.5, 1e-300], list(run.history.epochs))
    return [History(), History([0.25], []), run.history, interrupted]


@pytest.mark.parametrize("suffix", [".json", ".csv", ".JSON"])
@pytest.mark.parametrize("history", histories(), ids=repr)
def test_a_history_is_read_as_it_was_saved(history, suffix, tmp_path):
    path = tmp_path / "made" / f"run{suffix}"
    history.save(path)
    again = History.load(path)
    assert again == history
    assert [list(map(type, row.values())) for row in again.epochs] == [
        list(map(type, row.values())) for row in history.epochs
    ]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_files_are_what_other_programs_read(tmp_path):
    history = histories()[2]
    history.save(tmp_path / "run.json")
    history.save(tmp_path / "run.csv")
    read = json.loads((tmp_path / "run.json").read_text())
    assert read == {"losses": history.losses, "epochs": history.epochs}
    header, *lines = csv.reader((tmp_path / "run.csv").read_text().splitlines())
    assert header[:5] == ["step", "step_loss", "epoch", "loss", "accuracy"]
    assert [float(line[1]) for line in lines] == history.losses
    assert [line[2] for line in lines] == ["", "", "1", "", "", "2", "", "", "3"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("run.json", '{"losses": [1.0, 0.5', "run.json is no complete history"),
        ("run.json", '{"losses": [1.0]}', "run.json is no complete history .*epochs"),
        ("run.json", "[]", "no complete history"),
        ("run.json", '{"losses": [1.0], "epochs": [1]}', "no complete history"),
        ("run.csv", "", "run.csv is no complete history"),
        ("run.csv", "a,b\n1,2\n", "no complete history"),
        ("run.csv", "step,step_loss,epoch\n1,0.5,\n2,0.25\n", "no complete .*after step 1"),
        ("run.csv", "step,step_loss\n1,0.5\n3,0.25\n", "no complete .*after step 1"),
        ("run.csv", "step,step_loss\n1,x\n", "no complete history"),
        ("run.txt", "", "expected a name that ends with .json or .csv, got run.txt"),
    ],
)
def test_another_file_is_refused_by_name(name, text, message, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        History.load(tmp_path / name)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    History([1.0]).save(path)

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        History([2.0]).save(path)
    assert History.load(path).losses == [1.0]
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
    with pytest.raises(ValueError, match=r"ends with .json or .csv, got run.xlsx"):
        History([2.0]).save(tmp_path / "run.xlsx")


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="no 'acc', only epoch, step, loss, accuracy"):
        histories()[2]["acc"]
    with pytest.raises(KeyError, match="no epoch yet"):
        History()["loss"]


def test_repr_is_short():
    assert (
        repr(History([0.5], [{"epoch": 1, "loss": 0.5}]))
        == "<History of 1 steps, epoch 1, loss 0.5>"
    )


# -------------------------------------------------------------------------------------- the plots
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_plot_is_saved_in_the_format_of_its_name(suffix, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "made" / f"run{suffix}"
    histories()[2].plot(path)
    beginning = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert path.read_bytes().startswith(beginning)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_plot_shows_the_losses_and_the_metrics():
    pytest.importorskip("matplotlib")
    history = histories()[2]
    loss, metrics = history.plot(window=3).axes
    raw, smoothed, held_out = loss.lines
    np.testing.assert_array_equal(raw.get_ydata(), history.losses)
    np.testing.assert_array_equal(smoothed.get_ydata(), smooth(history.losses, 3))
    assert held_out.get_xydata().tolist() == [[9, history.epochs[-1]["validation_loss"]]]
    assert (loss.get_xlabel(), loss.get_ylabel(), loss.get_yscale()) == ("step", "loss", "log")
    assert [line.get_label() for line in metrics.lines] == ["accuracy", "validation accuracy"]
    np.testing.assert_array_equal(metrics.lines[0].get_ydata(), history["accuracy"])
    assert metrics.get_xlabel() == "epoch"


def test_runs_share_axes():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.subplots()
    for name in ("a", "b"):
        assert History([1.0, 0.0]).plot(axes, label=name) is axes
    assert axes.get_legend_handles_labels()[1] == ["a", "b"]
    assert axes.get_yscale() == "linear"  # there is no logarithm of 0


def test_a_plot_of_nothing_or_without_matplotlib_says_so(monkeypatch):
    with pytest.raises(ValueError, match="the history is empty: call fit first"):
        History().plot()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r'matplotlib.*pip install -e "\.\[examples\]"'):
        History([1.0]).plot()


@pytest.mark.parametrize(
    ("n", "window"), [(1, None), (5, 3), (6, 4), (9, 100), (200, None), (4, 0)]
)
def test_smooth_is_a_mean_of_neighbours(n, window):
    v = rng.normal(size=n)
    half = (n // 40 if window is None else window) // 2
    expected = [np.mean(v[max(i - half, 0) : i + min(half, i) + 1]) for i in range(n)]
    np.testing.assert_allclose(smooth(v, window), expected, rtol=1e-10, atol=1e-12)


# ------------------------------------------------------------------------------------ the progress
class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_are_few_and_say_where_we_are(capsys):
    run = trainer(progress="Adam")
    run.fit((X, T), (X, T), epochs=40)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 10
    last = run.history.epochs[-1]
    assert lines[-1] == (
        f"Adam epoch 40/40  loss {last['loss']:.4f}  accuracy {last['accuracy']:.4f}  "
        f"validation loss {last['validation_loss']:.4f}  "
        f"validation accuracy {last['validation_accuracy']:.4f}"
    )
    trainer(progress=True).fit((X, T), epochs=2)
    assert [line[:11] for line in capsys.readouterr().err.splitlines()] == [
        "epoch 1/2  ",
        "epoch 2/2  ",
    ]
    trainer(progress=False).fit((X, T), epochs=2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(monkeypatch):
    pytest.importorskip("tqdm")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    trainer(progress="Adam").fit(DataLoader(X, T, batch_size=5), epochs=2)
    last = screen.getvalue().split("\r")[-1]
    assert last.startswith("Adam: 100%")
    assert "10/10" in last
    assert last.endswith("\n")


def test_a_bar_is_closed_by_an_error(monkeypatch):
    pytest.importorskip("tqdm")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with pytest.raises(ValueError, match="empty"):
        trainer(progress=True).fit([], epochs=1)
    assert screen.getvalue().endswith("\n")


def test_a_terminal_without_tqdm_gets_lines(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    trainer(progress=True).fit((X, T), epochs=1)
    assert screen.getvalue().startswith("epoch 1/1  loss ")


def test_the_public_names_are_those():
    assert training.__all__ == ["History", "Trainer", "smooth"]
