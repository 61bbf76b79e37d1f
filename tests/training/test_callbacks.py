"""Callbacks are told of steps, rows and the end; those of the package do as they say."""

import csv

import numpy as np
import pytest

import minigrad
from minigrad import functional as F
from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.training import EMA, BestCheckpoint, CSVLogger, EarlyStopping, TensorBoard, Trainer

rng = np.random.default_rng(0)
X = rng.normal(size=(24, 4))
T = rng.integers(3, size=24)


def trainer(*callbacks, lr=0.1, **options):
    model = nn.Linear(4, 3, rng=0, dtype=np.float64)
    options = {"progress": False, "callbacks": callbacks, **options}
    return Trainer(model, optim.SGD(model.parameters(), lr), **options)


class Spy:
    def __init__(self):
        self.calls = []

    def on_step(self, run):
        self.calls.append(("step", len(run.history.losses)))

    def on_epoch(self, run, row):
        assert row is run.history.epochs[-1]
        self.calls.append(("row", row["step"]))

    def on_end(self, run):
        self.calls.append(("end", run.epoch))


def test_a_callback_has_the_methods_it_needs():
    spy = Spy()
    trainer(spy, object()).fit((X, T), epochs=2, batch_size=12)
    steps = [("step", 1), ("step", 2), ("row", 2), ("step", 3), ("step", 4), ("row", 4)]
    assert spy.calls == [*steps, ("end", 2)]


class Rows:
    """Give rows of a metric that is told beforehand."""

    def __init__(self, *values):
        self.values = iter(values)

    def __call__(self, output, target):
        return next(self.values)


@pytest.mark.parametrize(
    ("metric", "values", "rows"),
    [
        ("error", [3, 2, 2, 1, 1, 1, 0], 6),
        ("error", [3, 2, float("nan"), 2.5, 0], 4),
        ("score", [3, 4, 4, 3, 9], 4),
    ],
)
def test_early_stopping_waits_for_a_better_row(metric, values, rows):
    run = trainer(EarlyStopping(2, metric), metrics={metric: Rows(*values)})
    history = run.fit((X, T), epochs=7, batch_size=24)
    assert len(history.epochs) == rows
    assert run.stop == f"{metric} has not become better than {values[rows - 3]:g} for 2 rows"
    run.metrics = {metric: lambda y, t: -1 if metric == "error" else 99}
    assert len(run.fit((X, T), epochs=1).epochs) == rows + 1  # a new fit is a new start


def test_the_best_weights_are_written(tmp_path):
    path, weights = tmp_path / "best.npz", []
    run = trainer(BestCheckpoint(path, "score"), metrics={"score": Rows(1, 3, 2, 3)})
    for _ in range(4):
        run.fit((X, T), epochs=1, batch_size=24)
        weights.append(run.model.weight.data.copy())
    model = nn.Linear(4, 3, dtype=np.float64)
    model.load_state_dict(minigrad.load(path))
    assert np.array_equal(model.weight.data, weights[1])


def test_the_average_of_weights():
    ema, seen = EMA(0.5), []

    class Look:
        def on_step(self, run):
            seen.append(run.model.weight.data.copy())

    run = trainer(Look(), ema)
    run.fit((X, T), epochs=3, batch_size=8)
    average = seen[0]
    for n, weight in enumerate(seen, 1):
        average = average + (1 - min(0.5, (1 + n) / (10 + n))) * (weight - average)
    assert np.allclose(ema.average["weight"], average, rtol=1e-12)
    with ema.applied(run.model) as model:
        assert np.array_equal(model.weight.data, ema.average["weight"])
    assert np.array_equal(run.model.weight.data, seen[-1])
    with pytest.raises(ValueError, match="decay must be >= 0 and < 1, got 1"):
        EMA(1)


def test_a_line_for_each_row_can_be_followed(tmp_path):
    path, sizes = tmp_path / "logs" / "a.csv", []

    class Look:
        def on_epoch(self, run, row):
            sizes.append(path.read_text().count("\n"))

    history = trainer(CSVLogger(path), Look()).fit((X, T), (X, T), epochs=3)
    assert sizes == [2, 3, 4]
    with path.open() as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert rows == history.epochs
    trainer(CSVLogger(path)).fit((X, T), epochs=1)
    assert path.read_text().count("\n") == 2


class Writer:
    def __init__(self):
        self.scalars = []

    def add_scalar(self, *scalar):
        self.scalars.append(scalar)

    def flush(self):
        pass


def test_tensorboard_gets_steps_and_rows(tmp_path):
    writer = Writer()
    history = trainer(TensorBoard(writer, every=2)).fit((X, T), (X, T), epochs=1, batch_size=6)
    names = [name for name, _, _ in writer.scalars]
    assert names[:4] == ["step/loss", "step/loss", "training/epoch", "training/step"]
    assert ("step/loss", history.losses[3], 4) in writer.scalars
    assert ("validation/loss", history["validation_loss"][0], 4) in writer.scalars
    pytest.importorskip("tensorboardX")
    trainer(TensorBoard(tmp_path / "runs")).fit((X, T), epochs=1)
    assert [*(tmp_path / "runs").glob("events*")]


@pytest.mark.parametrize("kind", [EarlyStopping, lambda: BestCheckpoint("x.npz")])
def test_a_column_that_is_missing_is_named(kind):
    with pytest.raises(ValueError, match="'validation_loss' is no column of the history: epoch, "):
        trainer(kind()).fit((X, T), epochs=1)


# ------------------------------------------------------------------------ the Trainer's own options
@pytest.mark.parametrize("sizes", [(8, 8, 8), (10, 10, 4)])
def test_accumulated_batches_are_as_one(sizes):
    ends = np.cumsum(sizes)
    batches = [(X[e - n : e], T[e - n : e]) for e, n in zip(ends, sizes, strict=True)]
    one, several = trainer(), trainer(accumulate=3)
    expected = one.fit([(X, T)], epochs=4)
    history = several.fit(batches, epochs=4)
    assert np.allclose(history.losses, expected.losses, rtol=1e-12)
    assert np.allclose(several.model.weight.data, one.model.weight.data, rtol=1e-12)
    assert [row["step"] for row in history.epochs] == [1, 2, 3, 4]
    rest = trainer(accumulate=2).fit(batches, epochs=1)
    assert len(rest.losses) == 2


def test_rows_within_epochs():
    history = trainer().fit((X, T), (X, T), epochs=2, batch_size=6, validate_every=3)
    assert [(row["epoch"], row["step"]) for row in history.epochs] == [
        (1, 3), (1, 4), (2, 6), (2, 8),
    ]  # fmt: skip
    assert history["loss"][0] == pytest.approx(np.mean(history.losses[:3]), rel=1e-12)
    assert history["loss"][1] == pytest.approx(history.losses[3], rel=1e-12)
    assert not np.isnan(history["validation_loss"]).any()


def test_seconds_and_a_callback_end_a_fit():
    run = trainer()
    run.fit((X, T), max_seconds=0.05)
    assert 0 < sum(run.history["seconds"]) < 5
    assert run.epoch > 1

    class Enough:
        def on_step(self, run):
            run.stop = "enough" if len(run.history.losses) == 5 else None

    run = trainer(Enough())
    assert len(run.fit((X, T), epochs=9, batch_size=8).losses) == 5
    assert (run.stop, run.history.epochs[-1]["step"]) == ("enough", 5)


def test_predictions_are_those_of_evaluation():
    model = nn.Sequential(nn.Linear(4, 5, rng=0), nn.Dropout(0.5), nn.BatchNorm1d(5))
    run = Trainer(model, optim.SGD(model.parameters()), F.mse_loss, progress=False)
    x = X.astype(np.float32)
    model(x)  # so that the running values are known
    found = run.predict(x, batch_size=7)
    assert model.training
    assert np.allclose(found, model.eval()(x).data, rtol=1e-5)
    for data in ((x,), minigrad.Tensor(x), DataLoader(x, batch_size=5)):
        assert np.allclose(run.predict(data), found, rtol=1e-5)

    class Two(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.ones(1))

        def forward(self, a, b):
            return a + b * self.weight, a

    model = Two()
    run = Trainer(model, optim.SGD(model.parameters()), progress=False)
    total, first = run.predict((X, X), batch_size=7)
    assert np.array_equal(total, 2 * X)
    assert np.array_equal(first, X)


def test_mapped_and_streamed_data_are_checked_batch_by_batch(tmp_path):
    x = X.copy()
    x[20, 1] = np.nan
    np.save(tmp_path / "x.npy", x)
    mapped = DataLoader(np.load(tmp_path / "x.npy", mmap_mode="r"), T, batch_size=8)
    stream = DataLoader(zip(x, T, strict=True), batch_size=8)
    for loader in (mapped, stream):
        run = trainer()
        with pytest.raises(ValueError, match=r"epoch 1, batch 3: array 0 .* nan at \[4, 1\]"):
            run.fit(loader, epochs=1)
        assert len(run.history.losses) == 2


def test_a_fit_without_an_end_is_refused():
    with pytest.raises(TypeError, match="say how long to train: epochs=, steps= or max_seconds="):
        trainer().fit((X, T))
