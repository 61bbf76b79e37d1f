"""The pictures of hyperparameter_search.py: the best trials by epoch, and all of them by place."""

import common

BEST = 4, 5  # rows and columns of the best trials


def plot_best(path, best):
    title = "The best trials: accuracy by epoch, on training (dashed) and validation images"
    with common.picture(path, *BEST, (10.5, 7.6), title, sharex=True, sharey=True) as panels:
        colors = dict(zip(sorted({sampler for sampler, _ in best}), common.COLORS, strict=False))
        for axes, (sampler, trial) in zip(panels.flat, best, strict=False):
            for name, style in [("accuracy", "--"), ("validation_accuracy", "-")]:
                axes.plot(trial.user_attrs[name], style, color=colors[sampler])
            axes.set_title(f"{sampler}, lr {trial.params['lr']:.2g}", fontsize=11)
            axes.set_ylim(0, 1.02)
        panels[-1, 0].set(xlabel="epoch", ylabel="accuracy")


def plot_trials(path, studies):
    with common.picture(path, 1, 2, (9.5, 4), sharex=True, sharey=True) as panels:
        for axes, (sampler, trials) in zip(panels, studies.items(), strict=True):
            for state, mark in [("PRUNED", "x"), ("COMPLETE", "o")]:
                of = [trial for trial in trials if trial.state.name == state]
                lr, decay = ([trial.params[k] for trial in of] for k in ("lr", "weight_decay"))
                accuracy = [trial.user_attrs["validation_accuracy"][-1] for trial in of]
                look = {"marker": mark, "label": state.lower(), "vmin": 0, "vmax": 1}
                drawn = axes.scatter(lr, decay, 28, accuracy, **look)
            axes.set(title=f"{sampler} search", xscale="log", yscale="log", xlabel="learning rate")
        panels[0].set_ylabel("weight decay")
        figure, names = panels[0].figure, panels[0].get_legend_handles_labels()
        figure.legend(*names, loc="outside lower center", ncols=2)
        figure.colorbar(drawn, ax=panels, label="validation accuracy")
