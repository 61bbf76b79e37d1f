"""Search for a learning rate and a weight decay, at random and by Bayes (the book, section 6.5).

A random search on log scales, judged on a fifth of the images held back, as in the book; beside it
Optuna's Bayesian optimisation (TPE), which learns from the trials before. Both give up early on
trials that do worse than the others did by then. All trials are kept in an SQLite file: a search
that was interrupted goes on, and several processes with the same --out share the work.
"""

import contextlib
import os
import tempfile
from pathlib import Path

import common
import hyperparameter_plots
import optuna
from optuna.trial import TrialState

from minigrad import manual_seed, optim
from minigrad.data import train_validation_split
from minigrad.nn.models import MultiLayerNet
from minigrad.training import Trainer

IMAGES, HIDDEN = 500, [100] * 6
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
    trainer = Trainer(model, optimizer, progress=False)
    for report in range(REPORTS):
        epochs = max(1, args.epochs // REPORTS)
        history = trainer.fit(train, validation, epochs=epochs, batch_size=args.batch_size)
        trial.report(history["validation_accuracy"][-1], report)
        if given_up := trial.should_prune():
            break
    for name in ("accuracy", "validation_accuracy"):
        trial.set_user_attr(name, history[name])
    if given_up:
        raise optuna.TrialPruned
    return history["validation_accuracy"][-1]


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


def main():
    trials = {"type": common.positive, "metavar": "N", "help": "how many of each kind"}
    args = common.arguments(__doc__.splitlines()[0], 50, 30, {"trials": trials})
    args.trials = args.trials or (15 if args.quick else 100)
    (x, t), _ = common.load(args)
    data = train_validation_split(x[:IMAGES], t[:IMAGES], fraction=0.2, rng=args.seed)
    studies = {sampler: search(sampler, data, args) for sampler in SAMPLERS}
    ranked = [(kind, trial) for kind, trials in studies.items() for trial in trials]
    ranked.sort(key=lambda item: -item[1].user_attrs["validation_accuracy"][-1])
    rows = []
    for kind, trials in studies.items():
        accuracies = sorted(trial.user_attrs["validation_accuracy"][-1] for trial in trials)
        best = next(trial for sampler, trial in ranked if sampler == kind)
        given_up = sum(trial.state == TrialState.PRUNED for trial in trials)
        shown = f"{accuracies[-1]:.1%}", f"{accuracies[len(accuracies) // 2]:.1%}"
        rows.append(
            [kind, len(trials), given_up, *shown, *(f"{v:.2g}" for v in best.params.values())]
        )
    header = ["search", "trials", "given up", "best", "median", "lr of the best", "weight decay"]
    print(common.table(header, rows))
    hyperparameter_plots.plot_best(args.out / "best_trials.png", ranked)
    hyperparameter_plots.plot_trials(args.out / "trials.png", studies)
    found = ", ".join(f"{row[0]} {row[3]} (median {row[4]}, {row[2]} given up)" for row in rows)
    shows = "Bayesian search spends its trials where random search was lucky"
    common.save_result(args, shows, f"best validation accuracy of {args.trials} trials: {found}")


if __name__ == "__main__":
    main()
