"""The Trainer shows how far it is: in a few lines, and on a terminal with a bar."""

import io
import sys

import numpy as np
import pytest

from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.training import Trainer

rng = np.random.default_rng(0)
X = rng.normal(size=(23, 4))
T = rng.integers(3, size=23)


def trainer(**options):
    model = nn.Linear(4, 3, rng=0, dtype=np.float64)
    return Trainer(model, optim.SGD(model.parameters(), 0.1), **options)


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


@pytest.mark.parametrize(
    ("options", "places"),
    [
        (
            {"epochs": 2, "validate_every": 3},
            [
                "epoch 1/2, step  3",
                "epoch 1/2, step  5",
                "epoch 2/2, step  6",
                "epoch 2/2, step  9",
                "epoch 2/2, step 10",
            ],
        ),
        (
            {"steps": 12, "validate_every": 6},
            ["epoch 1, step  5", "epoch 2, step  6", "epoch 2, step 10", "epoch 3, step 12"],
        ),
        ({"steps": 3}, ["epoch 1, step 3"]),
    ],
)
def test_lines_say_the_step_where_rows_come_within_an_epoch(options, places, capsys):
    run = trainer()
    run.fit(DataLoader(X, T, batch_size=5), epochs=6)
    capsys.readouterr()
    run.fit(DataLoader(X, T, batch_size=5), **options)  # which counts its own
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  loss")[0] for line in lines] == places


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
