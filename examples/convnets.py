"""What the examples with convolutional networks share: a run, its table, pictures and weights."""

import io
import os
import time

import common
import numpy as np

import minigrad
from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.files import write
from minigrad.training import Trainer

ROWS, COLUMNS = 3, 8  # misclassified images in a picture
QUICK, QUICK_IMAGES = {"digits": 10, "mnist": 1}, 2000
FILTERS = "conv1.weight"
GAP = 1  # pixels between filters


def run(network, description, shows, epochs):
    """Train `network(in_shape)` as the options say, and show and save everything.

    `shows` is what the experiment is for, `epochs` has the default of each data set.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = {"type": common.positive, "metavar": "N", "default": cores}
    args = common.arguments(description, epochs, QUICK, {"threads": threads})
    minigrad.set_num_threads(args.threads)
    (x, t), test = common.load(args, flatten=False)
    if args.quick:
        x, t, *test = (array[:QUICK_IMAGES] for array in (x, t, *test))

    model = network(x.shape[1:])
    print(model.summary(x.shape[1:]), end="\n\n")
    filters = {"before training": model.state_dict()[FILTERS]}
    callbacks = [WithoutDropout(x, t, len(test[1]))] if has_dropout(model) else []
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.001), callbacks=callbacks)
    began = time.perf_counter()
    loader = DataLoader(x, t, batch_size=args.batch_size, shuffle=True)
    history = trainer.fit(loader, tuple(test), epochs=args.epochs)
    seconds = time.perf_counter() - began
    print(epoch_table(history), end="\n\n")

    guesses = predictions(model, test[0])
    wrong = np.flatnonzero(guesses != test[1])
    title = f"{network.__name__} on {common.TITLES[args.data].split(' of ')[0]}"
    write_arrays(args.out / "weights.npz", model.state_dict())
    history.save(args.out / "history.json")
    with common.style():
        figure = history.plot()
        figure.suptitle(title)
        common.save_figure(figure, args.out / "curves.png")
        filters["after"] = model.state_dict()[FILTERS]
        common.save_figure(filters_figure(filters, title), args.out / "filters.png")
        mistakes = mistakes_figure(test, guesses, wrong, title)
        common.save_figure(mistakes, args.out / "misclassified.png")
    end = trainer.evaluate((x, t))
    accuracy = 1 - len(wrong) / len(guesses)
    read = f"test accuracy {accuracy:.2%} ({len(wrong)} of {len(guesses)} wrong)"
    print(
        f"after {args.epochs} epochs, {seconds:.0f} seconds on {args.threads} threads:\n"
        f"loss {end['loss']:.5f}, train accuracy {end['accuracy']:.2%}, {read}\n"
        f"weights.npz, history.json, curves.png, filters.png, misclassified.png in {args.out}"
    )
    common.save_result(args, shows, f"{read} after {args.epochs} epochs")


class WithoutDropout:
    """Measures training images as test images are: dropout would hide half of each answer."""

    def __init__(self, x, t, n):
        self.data = x[:n], t[:n]

    def on_epoch(self, trainer, row):
        row |= trainer.evaluate(self.data)


def has_dropout(model):
    return any(isinstance(module, nn.Dropout) for module in model.modules())


def epoch_table(history):
    columns = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds"]
    header = ["epoch", "loss", "accuracy", "test loss", "test accuracy", "seconds"]
    forms = ["{:.0f}", "{:.5f}", "{:.2%}", "{:.5f}", "{:.2%}", "{:.1f}"]
    return common.table(
        header,
        [
            [form.format(row[name]) for form, name in zip(forms, columns, strict=True)]
            for row in history.epochs
        ],
    )


def predictions(model, x, batch_size=500):
    """The class with the largest logit for each image, in evaluation mode."""
    model.eval()
    with minigrad.no_grad():
        batches = DataLoader(x, batch_size=batch_size)
        return np.concatenate([model(batch).numpy().argmax(axis=1) for (batch,) in batches])


def write_arrays(path, arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    write(path, file.getvalue())


# -------------------------------------------------------------------------------------- pictures
def mosaic(filters):
    """The first channel of each filter, side by side; NaN in between."""
    n, _, height, width = filters.shape
    columns = -(-n // int(np.sqrt(n)))
    rows = -(-n // columns)
    tiles = np.full((rows * columns, height + GAP, width + GAP), np.nan, np.float32)
    tiles[:n, :height, :width] = filters[:, 0]
    grid = tiles.reshape(rows, columns, height + GAP, width + GAP).swapaxes(1, 2)
    return grid.reshape(rows * (height + GAP), columns * (width + GAP))[:-GAP, :-GAP]


def filters_figure(by_title, title):
    figure = common.blank((7.2, 3.6))
    figure.get_layout_engine().set(wspace=0.08)
    for axes, (name, filters) in zip(figure.subplots(1, 2), by_title.items(), strict=True):
        most = np.quantile(np.abs(filters), 0.98)  # a few large weights would grey out the rest
        axes.imshow(mosaic(filters), cmap="gray_r", vmin=-most, vmax=most)
        axes.set_title(f"{name} (white −{most:.2g}, black {most:.2g})", fontsize=11, loc="center")
        axes.axis("off")
    figure.suptitle(f"First layer of {title}")
    return figure


def mistakes_figure(test, guesses, wrong, title):
    """The first misclassified images of the test set, with what they are and what was read."""
    rows = min(ROWS, max(1, -(-len(wrong) // COLUMNS)))
    figure = common.blank((8.4, 0.6 + 1.35 * rows))
    for i, axes in enumerate(figure.subplots(rows, COLUMNS).flat):
        axes.axis("off")
        if i < len(wrong):
            k = wrong[i]
            axes.imshow(test[0][k, 0], cmap="gray_r", vmin=0, vmax=1)
            axes.set_title(f"{test[1][k]} read as {guesses[k]}", fontsize=10, loc="center")
    shown = f"{rows * COLUMNS} of" if len(wrong) > rows * COLUMNS else "all"
    figure.suptitle(f"{title}: {shown} {len(wrong)} misclassified test images")
    return figure
