"""The examples with convolutional networks: what they print, draw and save belongs together."""

import re

import numpy as np
import pytest
from scripts import run

from minigrad.data import load_digits
from minigrad.nn import models
from minigrad.training import History

pytestmark = pytest.mark.slow
pytest.importorskip("PIL")
FILES = {"weights.npz", "history.json", "curves.png", "filters.png", "misclassified.png"}
EXAMPLES = {
    "train_convnet.py": (models.SimpleConvNet, 0.8),
    "train_deepnet.py": (models.DeepConvNet, 0.9),
}


@pytest.fixture(
    scope="module",
    params=["train_convnet.py", "train_deepnet.py"],
)
def trained(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("results") / "made"
    folder = tmp_path_factory.mktemp("elsewhere")
    done = run(request.param, "--quick", "--out", out, "--threads", "2", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []
    return *EXAMPLES[request.param], done, out


def test_it_writes_what_it_says(trained):
    *_, done, out = trained
    (result,) = out.glob("train_*.result.json")
    names = FILES | {result.name}
    assert {path.name for path in out.iterdir()} == names
    assert all(name in done.stdout for name in names)
    assert "10 epochs" in done.stdout
    assert "2 threads" in done.stdout
    assert "epoch 10/10  loss " in done.stderr


def test_the_saved_weights_are_those_that_were_measured(trained):
    kind, least, done, out = trained
    model = kind((1, 8, 8)).eval()
    with np.load(out / "weights.npz") as weights:
        model.load_state_dict(weights)
    _, (x, t) = load_digits(flatten=False)
    wrong = int((model(x).data.argmax(axis=1) != t).sum())
    assert f"({wrong} of {len(t)} wrong)" in done.stdout
    assert f"test accuracy {1 - wrong / len(t):.2%}" in done.stdout
    assert 1 - wrong / len(t) > least
    history = History.load(out / "history.json")
    assert history["validation_accuracy"][-1] == pytest.approx(1 - wrong / len(t))
    assert len(history.epochs) == 10


def test_the_table_has_a_row_for_each_epoch(trained):
    *_, done, out = trained
    rows = re.findall(r"^(\d+) +([\d.]+) +([\d.]+)% +[\d.]+ +([\d.]+)%", done.stdout, re.M)
    history = History.load(out / "history.json")
    assert [(int(n), loss, train, test) for n, loss, train, test in rows] == [
        (
            row["epoch"],
            f"{row['loss']:.5f}",
            f"{100 * row['accuracy']:.2f}",
            f"{100 * row['validation_accuracy']:.2f}",
        )
        for row in history.epochs
    ]


def test_the_pictures_are_pictures(trained):
    from PIL import Image

    for name in ("curves.png", "filters.png", "misclassified.png"):
        with Image.open(trained[-1] / name) as picture:
            assert picture.width > picture.height > 200
            assert len(picture.convert("L").getcolors()) > 20  # something is drawn


def test_the_same_seed_gives_the_same_run(tmp_path):
    losses = []
    for name, seed in [("a", "1"), ("b", "1"), ("c", "2")]:
        arguments = ("--quick", "--epochs", "1", "--threads", "1", "--seed", seed, "--out", name)
        done = run("train_convnet.py", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        losses.append(History.load(tmp_path / name / "history.json").losses)
    assert losses[0] == losses[1] != losses[2]
