"""Search for a learning rate and a weight decay, at random and by Bayes (the book, section 6.5).

A random search on log scales, judged on a fifth of the images held back, as in the book; beside it
Optuna's Bayesian optimisation (TPE), which learns from the trials before. Both give up early on
trials that do worse than the others did by then. All trials are kept in an SQLite file: a search
that was interrupted goes on, and several processes with the same --out share the work.
"""

import common
import hyperparameter_plots

from minigrad.data import train_validation_split

common.require("optuna", extra="search")
IMAGES = 500


def main():
    trials = {"type": common.positive, "metavar": "N", "help": "how many of each kind"}
    args = common.arguments(__doc__.splitlines()[0], 50, 30, {"trials": trials})
    from hyperparameter_trials import SAMPLERS, search  # Optuna takes a second

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
        given_up = sum(trial.state.name == "PRUNED" for trial in trials)
        shown = f"{accuracies[-1]:.1%}", f"{accuracies[len(accuracies) // 2]:.1%}"
        rows.append(
            [kind, len(trials), given_up, *shown, *(f"{v:.2g}" for v in best.params.values())]
        )
    header = ["search", "trials", "given up", "best", "median", "lr of the best", "weight decay"]
    print(common.table(header, rows))
    hyperparameter_plots.plot_best(args.out / "best_trials.png", studies)
    hyperparameter_plots.plot_trials(args.out / "trials.png", studies)
    found = ", ".join(f"{row[0]} {row[3]} (median {row[4]}, {row[2]} given up)" for row in rows)
    shows = "Bayesian search spends its trials where random search was lucky"
    common.save_result(args, shows, f"best validation accuracy of {args.trials} trials: {found}")


if __name__ == "__main__":
    main()
