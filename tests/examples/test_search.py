"""A search for hyperparameters goes on where its process was killed."""

import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest
from scripts import command, run

optuna = pytest.importorskip("optuna")
COMPLETE, RUNNING = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.RUNNING
TRIALS, FINISHED = 4, 2  # how many are asked for, and how many the first process gets done
SEARCH = "hyperparameter_search.py", "--trials", str(TRIALS), "--epochs", "100"  # half a second
PATIENCE = 60  # seconds until a process that makes no trials counts as stuck


@contextmanager
def trials_of(path):
    """Give a function that reads the trials of the random search."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        names = [n for n in optuna.get_all_study_names(storage) if n.startswith("random")]
        yield optuna.load_study(study_name=names[0], storage=storage).get_trials
    finally:
        storage.engine.dispose()


def killed_within_a_trial(folder):
    """Start a search, kill it when it is in its third trial, and return the trials it left."""
    database, end = folder / "out" / "trials.db", time.monotonic() + PATIENCE
    with subprocess.Popen(**command(*SEARCH, cwd=folder)) as search, ExitStack() as stack:
        stack.callback(search.kill)
        trials = None
        while search.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
            with suppress(IndexError):  # no study yet, or no trial
                if trials is None and database.exists():
                    trials = stack.enter_context(trials_of(database))
                if trials is None:
                    continue
                last = trials()[-1]
                if last.number == FINISHED and last.intermediate_values:
                    search.kill()  # SIGKILL: nothing of it runs any more
                    search.communicate()
                    return trials()
        search.kill()
        pytest.fail(f"no trial to interrupt: {search.communicate()}")


@pytest.mark.slow
def test_a_killed_search_keeps_what_it_finished_and_makes_the_rest(tmp_path):
    left = killed_within_a_trial(tmp_path)
    assert [trial.state for trial in left] == [COMPLETE] * FINISHED + [RUNNING]
    done = run(*SEARCH, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"random: {FINISHED} trials found, {TRIALS - FINISHED} added" in done.stdout
    assert f"Bayesian: 0 trials found, {TRIALS} added" in done.stdout
    with trials_of(tmp_path / "out" / "trials.db") as trials:
        now = trials()
    assert now[:FINISHED] == left[:FINISHED]  # with their values, parameters and times
    assert now[FINISHED].value is None
    others = [trial for trial in now if trial.number != FINISHED]
    assert [trial.state.is_finished() for trial in others] == [True] * TRIALS
    assert len({trial.params["lr"] for trial in now}) == TRIALS + 1  # none is made again
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith("random  "))
    assert row[1] == str(TRIALS)
    assert (tmp_path / "out" / "trials.png").read_bytes().startswith(b"\x89PNG")
