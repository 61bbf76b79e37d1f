"""A history is read as it was saved, is never half a file, and is plotted."""

import csv
import json
import sys

import numpy as np
import pytest

from minigrad.training import History, smooth

LOSSES = [1.5, 1.25, 1.125, 0.1 + 0.2, 1 / 3, 0.25]
EPOCHS = [
    {"epoch": 1, "step": 2, "loss": 1.4, "accuracy": 0.5, "lr": 0.1, "seconds": 0.01},
    {"epoch": 2, "step": 4, "loss": 0.7, "accuracy": 2 / 3, "validation_loss": 0.9, "lr": 1e-3},
    {"epoch": 3, "step": 6, "loss": 0.3, "accuracy": 1.0, "validation_accuracy": 0.875},
]


# ------------------------------------------------------------------------------------ the history
def histories():
    interrupted = History([*LOSSES, 0.5, 1e-300], EPOCHS)
    return [History(), History([0.25], []), History(LOSSES, EPOCHS), interrupted]


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
    assert [line[2] for line in lines] == ["", "1", "", "2", "", "3"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("run.json", '{"losses": [1.0, 0.5', "run.json is no complete history"),
        ("run.json", '{"losses": [1.0]}', "run.json is no complete history .*epochs"),
        pytest.param("run.json", "[" * 200_000, "no complete history .*Recursion", id="deep"),
        ("run.json", "\udcff", "no complete history .*Unicode"),
        ("run.csv", 'step,step_loss\n1,"0.5"5\n', "no complete history"),
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
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
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
    assert held_out.get_xydata().tolist() == [[4, 0.9]]
    assert (loss.get_xlabel(), loss.get_ylabel(), loss.get_yscale()) == ("step", "loss", "log")
    names = ["training accuracy", "validation accuracy"]
    assert [line.get_label() for line in metrics.lines] == names
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
    v = np.random.default_rng(0).normal(size=n)
    half = (n // 40 if window is None else window) // 2
    expected = [np.mean(v[max(i - half, 0) : i + min(half, i) + 1]) for i in range(n)]
    np.testing.assert_allclose(smooth(v, window), expected, rtol=1e-10, atol=1e-12)
