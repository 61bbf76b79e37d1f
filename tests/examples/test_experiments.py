"""The experiments of the book show, in their quick form, what the book shows, by a number."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from book import VALLEY
from scripts import run

pytestmark = pytest.mark.slow
FIELDS = {"experiment", "section", "data", "shows", "result", "seconds", "command"}
MAGIC = {".png": b"\x89PNG", ".gif": b"GIF89a"}


@pytest.fixture
def experiment(tmp_path):
    """Return a function that runs an example from elsewhere, in its quick form.

    It gives the table it prints, `{first cell: the other cells}`, and all of its output.
    """

    def call(name, pictures, *arguments):
        elsewhere, out = tmp_path / "elsewhere", tmp_path / "results" / "made"
        elsewhere.mkdir(exist_ok=True)
        done = run(f"{name}.py", "--quick", "--out", out, *arguments, cwd=elsewhere)
        assert done.returncode == 0, done.stderr
        assert list(elsewhere.iterdir()) == []
        for picture in pictures.split():
            assert str(out / picture) in done.stdout
            magic = MAGIC[Path(picture).suffix]
            assert (out / picture).read_bytes().startswith(magic)
        found = json.loads((out / f"{name}.result.json").read_text("utf-8"))
        assert found.keys() == FIELDS
        assert f"\nresult: {found['result']}\n" in done.stdout
        assert found["experiment"] == name
        section = r"(volume \d, )?\d(\.\d)*( (to|and) \d(\.\d)+)?"
        assert re.fullmatch(section, found["section"])
        assert found["command"].startswith(f"python examples/{name}.py")
        assert "--quick" in found["command"]
        assert str(out) not in found["command"]
        lines = done.stdout.split("---\n", 1)[1].splitlines()
        cells = [re.split(r"\s{2,}", line) for line in lines if "  " in line]
        return {row[0]: row[1:] for row in cells}, done.stdout

    return call


def numbers(cells):
    """Return cells as numbers, percentages as they stand."""
    return [float(cell.removesuffix("%")) for cell in cells]


def test_gradient_descent_arrives_diverges_or_stands_still(experiment):
    rows, _ = experiment("gradient_descent", "gradient_descent.png")
    ends = {rate: np.linalg.norm(numbers(cells)) for rate, cells in rows.items()}
    assert ends["0.1"] == pytest.approx(5 * 0.8**10, rel=1e-4)
    assert ends["10"] == pytest.approx(5 * 19.0**10, rel=1e-4)
    assert ends["1e-10"] == pytest.approx(5)


def test_the_paths_through_the_valley_are_the_books_to_the_last_bit(experiment):
    rows, out = experiment("optimizer_paths", "optimizer_paths.png optimizer_paths.gif")
    paths = json.loads(Path(re.search(r"picture: (.*)/", out)[1], "paths.json").read_text())
    assert paths.keys() == set(VALLEY)
    for rule, path in paths.items():
        np.testing.assert_array_equal(np.array(path), VALLEY[rule], strict=True)
    height = {rule: numbers(cells)[3] for rule, cells in rows.items()}
    assert sorted(height, key=height.get) == ["AdaGrad", "SGD", "Momentum", "Adam"]
    length = {rule: numbers(cells)[4] for rule, cells in rows.items()}
    assert sorted(length, key=length.get) == ["AdaGrad", "Adam", "Momentum", "SGD"]


def test_activations_saturate_collapse_explode_or_stay_spread(experiment):
    rows, _ = experiment("activations", "activations.png")
    std = {name: numbers(cells) for name, cells in rows.items()}
    assert len(std) == 12
    assert min(std["sigmoid, std 1"]) > 0.4  # 0.5 would be zeros and ones
    assert min(std["tanh, std 1"]) > 0.9
    assert std["sigmoid, std 0.01"][-1] < 0.02
    assert std["tanh, std 0.01"][-1] < 1e-4
    assert std["relu, std 1"][-1] > 1e4
    assert std["relu, std 0.01"][-1] < 1e-5
    for healthy in ("sigmoid, Xavier", "tanh, Xavier", "relu, He"):
        assert 0.1 < min(std[healthy]) <= max(std[healthy]) < 2.5 * min(std[healthy])
    assert std["relu, Xavier"][-1] < 0.5 * std["relu, Xavier"][0]


def test_with_small_initial_weights_nothing_is_learnt(experiment):
    rows, _ = experiment("initial_weights", "initial_weights.png")
    loss = {name: numbers(cells)[0] for name, cells in rows.items()}
    accuracy = {name: numbers(cells)[1] for name, cells in rows.items()}
    assert loss["std 0.01"] > 2.29
    assert loss["He"] < 0.5 * loss["Xavier"] < 0.5 * 1.8
    assert accuracy["std 0.01"] < 20 < 85 < accuracy["He"]


def test_batch_normalisation_learns_at_nearly_every_scale(experiment):
    _, out = experiment("batch_normalization", "batch_normalization.png")
    found = re.search(r"with batch normalisation (\d+) of (\d+) scales, without (\d+)", out)
    with_it, scales, without = map(int, found.groups())
    assert with_it >= scales - 1
    assert without <= scales // 3


@pytest.mark.parametrize("name", ["weight decay", "dropout"])
def test_overfitting_is_held_back(experiment, name):
    stem = name.replace(" ", "_")
    rows, _ = experiment(stem, f"{stem}.png")
    (plain, remedied) = map(numbers, rows.values())
    train, _, gap = plain
    assert train > 95
    assert gap > 10
    assert remedied[2] < 0.75 * gap
    assert remedied[1] > 40  # it learns all the same


def test_backpropagation_agrees_with_differences_in_every_layer(experiment):
    rows, _ = experiment("gradient_check", "gradient_check.png")
    assert len(rows) == 4 + 10 + 6
    assert {name.split()[0] for name in rows} == {"TwoLayerNet", "MultiLayerNet", "SimpleConvNet"}
    assert max(float(cells[-1]) for cells in rows.values()) < 2e-10


def test_the_first_network_learns_to_read(experiment):
    rows, out = experiment("train_twolayer", "twolayer.png")
    (loss, accuracy), (_, held_out) = (numbers(rows[part]) for part in ("training", "test"))
    assert loss < 0.3
    assert accuracy > held_out - 2 > 88
    assert f"result: test accuracy {held_out:.2f}% after 900 steps" in out


def test_filters_become_smooth(experiment):
    rows, out = experiment("visualize_filters", "filters.png feature_maps.png")
    before, after = (numbers(rows[name])[1] for name in ("before training", "after"))
    assert abs(before) < 0.15
    assert after > 0.3
    assert float(re.search(r"test accuracy: (.*)%", out)[1]) > 85


def test_one_process_or_several_share_the_batches(experiment):
    rows, _ = experiment("train_mpi", "")
    accuracy, _, rate = numbers(cell.replace(",", "") for cell in rows["1"])
    assert accuracy > 50
    assert rate > 0


def test_half_precision_costs_no_accuracy(experiment):
    rows, out = experiment("half_precision", "half_precision.png")
    (single, bytes4, _), (half, bytes2, _) = (numbers(rows[f"float{n}"]) for n in (32, 16))
    assert single > 80
    assert abs(single - half) < 0.5
    assert bytes2 == pytest.approx(bytes4 / 2, rel=0.02)
    changed, n = map(int, re.search(r"(\d+) of (\d+) images are read differ", out).groups())
    assert changed <= n // 100


def test_half_precision_takes_weights_and_names_wrong_ones(tmp_path):
    np.savez(tmp_path / "weights.npz", weight=np.zeros(3))
    wrong = tmp_path / "weights.npz"
    done = run("half_precision.py", "--weights", wrong, cwd=tmp_path)
    assert done.returncode == 1
    assert "missing conv1.weight" in done.stderr
    assert "Traceback" not in done.stderr


def test_augmentation_teaches_to_read_moved_digits(experiment):
    rows, _ = experiment("data_augmentation", "data_augmentation.png")
    train, test, moved = numbers(rows["as they are"])
    assert train > 99
    train, test_changed, moved_changed = numbers(rows["moved"])
    assert test_changed > test - 5
    assert moved_changed > moved + 15


def test_a_search_finds_a_good_rate_gives_up_on_bad_ones_and_goes_on(experiment):
    pytest.importorskip("optuna")
    pictures = "best_trials.png trials.png"
    _, out = experiment("hyperparameter_search", pictures, "--trials", "8")
    assert "random: 0 trials found, 8 added" in out
    rows, out = experiment("hyperparameter_search", pictures, "--trials", "11")
    for kind in ("random", "Bayesian"):
        assert f"{kind}: 8 trials found, 3 added" in out
        trials, given_up, best, median, lr, _ = numbers(rows[kind])
        assert trials == 11
        assert 0 < given_up < 11
        assert best > 30 > median
        assert lr > 1e-3


def test_lenet_learns_faster_with_relu_and_alexnet_is_as_large_as_it_was(experiment):
    rows, out = experiment("history_of_cnns", "lenet.png")
    loss = {name: numbers(rows[f"LeNet-5, {name}"])[0] for name in ("sigmoid", "tanh", "relu")}
    assert loss["relu"] < 0.5 < 2 < loss["sigmoid"]
    assert re.search(r"^total +60,965,224 ", out, re.MULTILINE)


def test_gates_keep_gradients_that_an_rnn_loses(experiment):
    rows, _ = experiment("characters", "characters.png")
    loss = {name: numbers(cells)[1] for name, cells in rows.items()}
    back = {name: numbers(cells)[2] for name, cells in rows.items()}
    assert rows.keys() == {"RNN", "GRU", "LSTM"}
    assert max(loss.values()) < 3.2  # guessing is 4.5, by how often each letter stands 3.2
    assert 10 * back["RNN"] < min(back["GRU"], back["LSTM"])


def test_words_that_are_used_alike_have_vectors_side_by_side(experiment):
    rows, out = experiment("word2vec", "word2vec.png")
    found = re.search(r"^result: (\d+) is the median rank .* of (\d+)$", out, re.MULTILINE)
    rank, words = map(int, found.groups())
    assert len(rows) > 15
    assert rank < words / 10  # by chance it is half of them


def test_dates_of_many_forms_are_turned_into_one(experiment):
    rows, out = experiment("dates", "dates.png")
    assert len(rows) == 3
    assert float(re.search(r"([\d.]+)% of 2,000 held-out dates are right", out)[1]) > 90


def test_a_small_gpt_learns_a_chapter(experiment):
    rows, out = experiment("gpt", "gpt.png")
    assert int(rows["training"][0].replace(",", "")) > 20_000
    assert float(rows["training"][1]) < float(rows["held out"][1]) < 3
    assert len(out.split("---\n", 1)[1]) > 400  # its sample among it


def test_shortcuts_let_a_deep_network_learn(experiment):
    rows, _ = experiment("resnet", "resnet.png")
    accuracy = {name: numbers(cells)[1] for name, cells in rows.items()}
    assert accuracy["without"] < 30 < 60 < accuracy["with shortcuts"]


def test_places_on_a_plane_tell_digits_apart(experiment):
    rows, out = experiment("vae", "vae.png")
    assert numbers(rows["after"])[0] < 0.55 * numbers(rows["before training"])[0]
    assert float(re.search(r"same digit for ([\d.]+)%", out)[1]) > 50  # 10 by chance
