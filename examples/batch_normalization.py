"""Train at 16 scales of initial weights, with and without batch normalisation (the book, 6.3.2).

Five hidden layers of 100 units, 1000 images. Without batch normalisation few of the scales learn at
all, with it nearly every one does, and fast.
"""

from itertools import product

import common
import numpy as np

from minigrad import manual_seed, optim
from minigrad.nn.models import MultiLayerNet
from minigrad.training import Trainer

SCALES = np.logspace(0, -4, 16)
IMAGES = 1000
LEARNT = 0.5  # the share of training images read right in the last epoch


def accuracies(scale, batch_norm, data, args):
    """The training accuracy of each epoch; it ends where the loss overflows."""
    manual_seed(args.seed)
    model = MultiLayerNet(data[0].shape[1], [100] * 5, 10, init=float(scale), batch_norm=batch_norm)
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.01), progress=False)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            trainer.fit(data, epochs=args.epochs, batch_size=args.batch_size)
    except FloatingPointError:
        pass  # diverged: the history has the epochs before
    return [row["accuracy"] for row in trainer.history.epochs]


def main():
    args = common.arguments(__doc__.splitlines()[0], epochs=20, quick=20)
    (x, t), _ = common.load(args)
    data = x[:IMAGES], t[:IMAGES]
    scales = SCALES[::3] if args.quick else SCALES
    runs = {
        (scale, norm): accuracies(scale, norm, data, args)
        for scale, norm in common.progress(list(product(scales, (True, False))), "runs")
    }
    last = {key: run[-1] if len(run) == args.epochs else 0.0 for key, run in runs.items()}
    rows = [[f"{s:.2g}", f"{last[s, True]:.1%}", f"{last[s, False]:.1%}"] for s in scales]
    print(common.table(["initial std", "with batch norm", "without"], rows))

    columns = 3 if args.quick else 4
    shape = -(-len(scales) // columns), columns
    shared = {"sharex": True, "sharey": True, "squeeze": False}
    title = f"Training accuracy on {len(x[:IMAGES])} images, by the deviation of the first weights"
    path = args.out / "batch_normalization.png"
    with common.picture(path, *shape, (9, 0.9 + 1.9 * shape[0]), title, **shared) as panels:
        for axes, scale in zip(panels.flat, scales, strict=False):
            for norm, color, style in [(True, 0, "-"), (False, 1, "--")]:
                run = runs[scale, norm]
                label = "with batch norm" if norm else "without"
                ink = {"color": common.COLORS[color], "lw": 2, "label": label}
                axes.plot(range(1, len(run) + 1), run, style, **ink)
                if len(run) < args.epochs:
                    axes.text(args.epochs / 2, 0.08, "without: diverges", ha="center", fontsize=10)
            axes.set_title(f"std {scale:.2g}", fontsize=11)
            axes.set(ylim=(0, 1.02), xlim=(0, args.epochs))
        for axes in panels[-1]:
            axes.set_xlabel("epoch")
        for axes in panels[:, 0]:
            axes.set_ylabel("accuracy")
        handles, labels = panels[0, -1].get_legend_handles_labels()
        panels[0, 0].figure.legend(handles, labels, loc="outside lower center", ncols=2)
    counts = [sum(last[scale, norm] > LEARNT for scale in scales) for norm in (True, False)]
    common.save_result(
        args,
        "with batch normalisation nearly every scale of weights learns",
        f"more than {LEARNT:.0%} right after {args.epochs} epochs: with batch normalisation "
        f"{counts[0]} of {len(scales)} scales, without {counts[1]}",
    )


if __name__ == "__main__":
    main()
