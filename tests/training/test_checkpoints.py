"""A run goes on from its checkpoints: within an epoch, after an error, never from a damaged one."""

import datetime
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from long_run import EPOCHS, T, X, data, fit, result, trainer
from states import same

import minigrad
from minigrad import nn, optim
from minigrad.training import Trainer
from minigrad.training.checkpoints import Checkpoints


@pytest.fixture(scope="module")
def whole():
    run = trainer()
    fit(run)
    return result(run)


class StopAt:
    """Raise at a step, as if the process had ended there."""

    def __init__(self, step):
        self.step = step

    def on_step(self, run):
        if len(run.history.losses) == self.step:
            raise InterruptedError


def steps_of(folder):
    return [int(path.stem[5:]) for path in Checkpoints(folder).paths()]


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("step", [1, 8, 9, 10, 31, 53])
def test_a_run_goes_on_within_an_epoch_in_the_same_bits(step, prefetch, whole, tmp_path):
    expected = whole
    if prefetch:
        run = trainer()
        fit(run, prefetch=prefetch)
        expected = result(run)
    run = trainer()
    listeners = run._listeners
    run._listeners = lambda event: listeners(event) + [StopAt(step).on_step] * (event == "on_step")
    with pytest.raises(InterruptedError):
        fit(run, tmp_path, prefetch, every=3)
    run = trainer()
    fit(run, tmp_path, prefetch, every=3)
    assert same(result(run), expected)
    fit(again := trainer(), tmp_path, prefetch)
    assert same(result(again), expected)  # and a finished one has nothing to do


def test_one_state_goes_on_in_a_file_and_in_the_same_process(whole, tmp_path):
    run, loader = trainer(), data()
    fit(run, loader=loader, epochs=2)
    run.save(tmp_path / "run.npz")
    fit(run, loader=loader, epochs=EPOCHS - 2)
    assert same(result(run), whole)
    other = trainer()
    other.load(tmp_path / "run.npz")
    fit(other, epochs=EPOCHS - 2)
    assert same(result(other), whole)


def test_a_fit_by_steps_goes_on_within_the_epoch(whole):
    run = trainer()
    loader = data()
    for steps in (4, 9, 1, 40):
        fit(run, loader=loader, epochs=None, steps=steps, validate_every=None)
    assert run.history.losses == whole["history"]["losses"].tolist()
    assert run.epoch == EPOCHS
    assert [row["step"] for row in run.history.epochs] == [4, 9, 13, 14, 18, 27, 36, 45, 54]
    assert [row["epoch"] for row in run.history.epochs] == [1, 1, 2, 2, 2, 3, 4, 5, 6]


def test_batches_of_a_list_are_gone_on_with(tmp_path):
    def run(**options):
        model = nn.Linear(64, 4, rng=0)
        one = Trainer(model, optim.SGD(model.parameters()), progress=False)
        batches = [(X[i : i + 10].reshape(10, -1), T[i : i + 10]) for i in range(0, 50, 10)]
        return one.fit(batches, **options)

    run(steps=7, checkpoints=tmp_path)
    rest = run(steps=12, checkpoints=tmp_path)
    assert rest.losses == run(steps=12).losses


# -------------------------------------------------------------------------------------- which stay
def test_the_newest_and_the_best_stay(tmp_path):
    run = trainer()
    fit(run, tmp_path, every=5, keep=2, best="validation_accuracy")
    assert steps_of(tmp_path) == [54, 50]
    column = np.array(run.history["validation_accuracy"])
    best = run.history.epochs[int(np.argmax(column))]
    held = minigrad.load(tmp_path / "best.npz")
    assert len(held["history"]["losses"]) == best["step"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "lock",
        "best.npz",
        "step-00000050.npz",
        "step-00000054.npz",
    }


def test_every_may_be_a_time(tmp_path):
    fit(trainer(), tmp_path / "often", epochs=1, every=datetime.timedelta(0), keep=99, best=None)
    fit(trainer(), tmp_path / "rarely", epochs=1, every=datetime.timedelta(9), keep=99, best=None)
    assert len(steps_of(tmp_path / "often")) == 9
    assert steps_of(tmp_path / "rarely") == [9]


def test_seconds_end_a_start_and_leave_the_history_as_it_will_be(whole, tmp_path):
    starts = 0
    while starts < 200:
        starts += 1
        run = trainer()
        if run.fit(data(), (X[:40], T[:40]), epochs=EPOCHS, validate_every=7, max_seconds=0.002,
                   checkpoints=tmp_path).epochs and run.epoch == EPOCHS:  # fmt: skip
            break
    assert starts > 2
    assert same(result(run), whole)


# -------------------------------------------------------------------------------- what goes wrong
def test_damaged_checkpoints_are_passed_over_with_a_warning(whole, tmp_path):
    fit(trainer(), tmp_path, steps=20)
    newest, before, _ = Checkpoints(tmp_path).paths()
    newest.write_bytes(newest.read_bytes()[:-9])
    before.write_bytes(before.read_bytes().replace(b"loss", b"lose"))
    run = trainer()
    with pytest.warns(UserWarning, match="can't be used.*going on from the one before") as caught:
        fit(run, tmp_path)
    assert all(p.name in str(w.message) for p, w in zip([newest, before], caught, strict=True))
    assert same(result(run), whole)


OTHERS = {
    "model": (lambda: nn.Linear(64, 5), "weight"),
    "optimizer": (lambda: nn.Linear(64, 4), ""),
}


def test_a_checkpoint_of_another_model_is_refused_and_nothing_changes(tmp_path):
    fit(trainer(), tmp_path, steps=2)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.npz")}
    model = nn.Linear(64, 4, rng=0)
    weight = model.weight.data.copy()
    run = Trainer(model, optim.SGD(model.parameters()), progress=False)
    flat = (X.reshape(130, -1), T)
    with pytest.raises(ValueError, match=r"step-00000002.npz does not fit this trainer.*missing w"):
        run.fit(flat, epochs=1, checkpoints=tmp_path)
    assert np.array_equal(model.weight.data, weight)
    assert before == {path: path.read_bytes() for path in tmp_path.glob("*.npz")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "a later version, 2"),
        ({"schedule": None}, "only one of the state and the trainer has a schedule"),
        ({"callbacks": []}, "the state has 0 callbacks, the trainer 2"),
        (
            {"draws": [{"modules": {}}]},
            r"the model draws by \['8.rng'\], that of the state by \[\]",
        ),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    run = trainer()
    before = run.state_dict()
    with pytest.raises(ValueError, match=message):
        run.load_state_dict({**before, **change})
    after = run.state_dict()
    assert same({**after, "seconds": 0}, {**before, "seconds": 0})
    with pytest.raises(ValueError, match="no state of a Trainer"):
        run.load_state_dict({"weight": np.ones(2)})


def test_a_full_disk_leaves_the_older_ones_whole(tmp_path, monkeypatch):
    fit(trainer(), tmp_path, steps=4)
    before = {path.name for path in tmp_path.glob("step*.npz")}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space left") as caught:
            fit(trainer(), tmp_path)
    assert "the checkpoints before it in" in caught.value.__notes__[0]
    assert {path.name for path in tmp_path.glob("step*.npz")} == before
    assert not [*tmp_path.glob(".*")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        fit(trainer(), tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(FileExistsError):
        fit(trainer(), tmp_path / "a")


HOLDER = """
import sys, time
from minigrad.training.checkpoints import Checkpoints
with Checkpoints(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_processes_on_one_folder(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=-1) as other:
        assert other.stdout.readline() == b"held\n"
        message = rf"fit: {tmp_path} is in use by another run \(process {other.pid}\)"
        with pytest.raises(BlockingIOError, match=message):
            fit(trainer(), tmp_path)
        other.kill()
        other.wait()
        fit(trainer(), tmp_path, steps=1)  # the lock died with it
    with Checkpoints(tmp_path), pytest.raises(BlockingIOError, match="in use by another run"):
        fit(trainer(), tmp_path)  # so in one process
    fit(trainer(), tmp_path, steps=2)


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    script = Path(__file__).parents[1] / "support" / "long_run.py"
    command = [sys.executable, script, tmp_path, "5000"]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        while not steps_of(tmp_path / "checkpoints"):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    step = steps_of(tmp_path / "checkpoints")[0]
    assert f"interrupted: step {step} is saved in" in errors
    assert "start the same command again to go on" in errors
    assert "KeyboardInterrupt" in errors
    held = minigrad.load(tmp_path / "checkpoints" / f"step-{step:08}.npz")
    assert len(held["history"]["losses"]) == step


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"every": 3}, ValueError, "every= and best= are for checkpoints="),
        ({"checkpoints": "a", "keep": 0}, ValueError, "keep must be 1 or more"),
        ({"checkpoints": "a", "every": 2.5}, TypeError, "a number of steps, or a timedelta, got"),
        ({"checkpoints": "a", "best": "f1"}, ValueError, "best='f1' is no column of the history"),
    ],
)
def test_mistakes_are_named(options, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        fit(trainer(), epochs=1, **options)
