"""The pictures of hyperparameter_search.py: the best trials by epoch, and all of them by place."""

import common

BEST = 10  # trials of each kind of search


def plot_best(path, studies):
    title = f"The {BEST} best trials of each search: accuracy on validation images"
    with common.picture(path, 1, 2, (9.5, 4), title, sharex=True, sharey=True) as panels:
        for axes, (sampler, trials), color in zip(
            panels, studies.items(), common.COLORS, strict=False
        ):
            ranked = sorted(trials, key=lambda t: -t.user_attrs["validation_accuracy"][-1])
            best, *others = (trial.user_attrs for trial in ranked[:BEST])
            for values in others:
                axes.plot(values["validation_accuracy"], color=color, alpha=0.35, lw=1)
            axes.plot(best["validation_accuracy"], color=color, lw=2.4, label="the best")
            axes.plot(best["accuracy"], "--", color=color, lw=1.6, label="on its training images")
            axes.set(title=f"{sampler}, lr {ranked[0].params['lr']:.2g}", xlabel="epoch")
            axes.legend(loc="lower right")
        panels[0].set(ylabel="accuracy", ylim=(0, 1.02))


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
        figure.get_layout_engine().set(wspace=0.08)
        figure.legend(*names, loc="outside lower center", ncols=2)
        figure.colorbar(drawn, ax=panels, label="validation accuracy")
