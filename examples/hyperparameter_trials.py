"""The trials of hyperparameter_search.py: what one does, where all are kept, and who picks them."""

import contextlib
import os
import tempfile
from pathlib import Path

import common
import optuna
from optuna.trial import TrialState

from minigrad import manual_seed, optim
from minigrad.nn.models import MultiLayerNet
from minigrad.training import Trainer

HIDDEN = [100] * 6
LR, WEIGHT_DECAY = (1e-6, 1e-2), (1e-8, 1e-4)
SAMPLERS = {"random": optuna.samplers.RandomSampler, "Bayesian": optuna.samplers.TPESampler}
REPORTS = 5  # of a trial, each a chance to give up
KEPT = 33.0  # percent; of the trials on MNIST half learn nothing, so the median would keep them
DONE = TrialState.COMPLETE, TrialState.PRUNED


def objective(trial, sampler, data, args):
    """Train one network; return its validation accuracy."""
    train, validation = data
    # the draws depend on the number of the trial alone, whichever process makes it
    trial.study.sampler = SAMPLERS[sampler](seed=args.seed * 100_000 + trial.number)
    manual_seed(args.seed)
    model = MultiLayerNet(train[0].shape[1], HIDDEN, 10)
    optimizer = optim.SGD(
        model.parameters(),
        lr=trial.suggest_float("lr", *LR, log=True),
        weight_decay=trial.suggest_float("weight_decay", *WEIGHT_DECAY, log=True),
    )
    every = max(1, args.epochs // REPORTS)
    reports = Reports(trial, every)
    trainer = Trainer(model, optimizer, callbacks=[reports], progress=False)
    history = trainer.fit(train, validation, epochs=REPORTS * every, batch_size=args.batch_size)
    for name in ("accuracy", "validation_accuracy"):
        trial.set_user_attr(name, history[name])
    if trainer.stop:
        raise optuna.TrialPruned(trainer.stop)
    return history["validation_accuracy"][-1]


class Reports:
    """A callback that tells the study how a trial goes, and ends one that others did better than.

    `every`: how many epochs lie between two reports.
    """

    def __init__(self, trial, every):
        self.trial, self.every = trial, every

    def on_epoch(self, trainer, row):
        reports, rest = divmod(row["epoch"], self.every)
        if rest == 0:
            self.trial.report(row["validation_accuracy"], reports - 1)
            if self.trial.should_prune():
                trainer.stop = "others had learnt more by then"


def shared(path):
    """The SQLite storage, made in one piece, as several processes may start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            new = Path(folder, path.name).resolve()
            optuna.storages.RDBStorage(f"sqlite:///{new}").engine.dispose()
            with contextlib.suppress(FileExistsError):  # another process was first
                os.link(new, path)
    wait = {"connect_args": {"timeout": 60}}  # seconds for another process to finish writing
    return optuna.storages.RDBStorage(f"sqlite:///{path.resolve()}", wait)


def search(sampler, data, args):
    """Make trials until the study has as many as wanted, with those of other runs; return it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=f"{sampler}, {args.data}, {args.epochs} epochs, seed {args.seed}",
        storage=shared(args.out / "trials.db"),
        direction="maximize",
        pruner=optuna.pruners.PercentilePruner(KEPT, n_startup_trials=5, n_warmup_steps=1),
        load_if_exists=True,
    )
    before = len(study.get_trials(False, DONE))
    with common.progress(None, sampler, total=args.trials, initial=before) as bar:
        while len(study.get_trials(False, DONE)) < args.trials:
            study.optimize(lambda trial: objective(trial, sampler, data, args), n_trials=1)
            bar.update()
    trials = study.get_trials(states=DONE)
    print(f"{sampler}: {before} trials found, {len(trials) - before} added")
    return trials
