"""What the examples share: their options, the data, tables, pictures, and the file of results."""

import argparse
import importlib.util
import io
import json
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path

HELPERS = "common convnets hyperparameter_plots hyperparameter_trials overfitting".split()
if Path(sys.argv[0]).stem in HELPERS:
    sys.exit(f"{sys.argv[0]} is what examples share: examples/README.md lists those to run")

# The matrices are small: a second BLAS thread gains nothing, and on a busy machine loses tenfold.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
BEGAN = time.perf_counter()

INSTALL = 'run python -m pip install -e ".[{}]" in the clone first'

try:
    from numpy import format_float_positional as plain

    from minigrad import manual_seed
    from minigrad.data import load_digits, load_mnist
    from minigrad.files import write
    from minigrad.training.plots import COLORS
except ModuleNotFoundError as error:
    sys.exit(f"{error}: {INSTALL.format('examples')}")


def require(*packages, extra):
    """Stop where a package is missing.

    It is imported where it is used: a mistake in the options is answered before, at once.
    """
    for name in packages:
        if importlib.util.find_spec(name) is None:
            sys.exit(f"No module named {name!r}: {INSTALL.format(extra)}")


require("sklearn", "matplotlib", "tqdm", extra="examples")
TITLES = {"digits": "handwritten digits of 8×8 pixels", "mnist": "MNIST"}
STYLE = {
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "legend.edgecolor": "none",
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "figure.figsize": (6.4, 4),
    "figure.dpi": 130,
}


# --------------------------------------------------------------------------------------- options
def arguments(description, epochs=None, quick=None, own=None, **defaults):
    """Parse the options and those of the example's `own`, seed the library, fill in the epochs.

    `epochs` and, with --quick, `quick` are numbers, or numbers by data set; `defaults` are those of
    options, with data=None for an example that reads no images.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", choices=TITLES, default="digits", help="the images")
    parser.add_argument("--data-dir", metavar="DIR", help="the folder of MNIST's four IDX files")
    parser.add_argument("--epochs", type=positive, metavar="N", help="times through the images")
    parser.add_argument("--batch-size", type=positive, metavar="N", default=100)
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="same seed, same run")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it works")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("out"))
    for name, how in (own or {}).items():
        parser.add_argument(f"--{name}", **how)
    parser.set_defaults(**defaults)
    args = parser.parse_args()
    args.command = command(args, parser.parse_args([]))
    book = description.rpartition("(the book, ")[2].strip(").")
    args.section = re.sub(r"\bsections? ", "", book)
    chosen = quick if args.quick else epochs
    args.epochs = args.epochs or (chosen[args.data] if isinstance(chosen, dict) else chosen)
    manual_seed(args.seed)
    return args


def command(args, default):
    """How to repeat a run: the options that are not as by default, less the folders."""
    words = ["python", f"examples/{Path(sys.argv[0]).name}"]
    for name, value in vars(args).items():
        if value != getattr(default, name) and name not in ("out", "data_dir"):
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return " ".join(words)


def positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got {text!r}")
    return int(text)


def load(args, **form):
    """The images that the options ask for: `(x_train, t_train), (x_test, t_test)`."""
    if args.data == "digits":
        if args.data_dir:
            sys.exit("--data-dir is where MNIST lies: add --data mnist")
        return load_digits(**form)
    try:
        return load_mnist(args.data_dir, **form)
    except (OSError, ValueError) as error:  # its message says which file, and what to do
        sys.exit(str(error))


# ----------------------------------------------------------------------------------------- output
def table(header, rows):
    """Aligned columns, the first to the left and the others, numbers, to the right."""
    rows = [list(map(str, row)) for row in [header, *rows]]
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = [
        row[0].ljust(first)
        + "".join(cell.rjust(n + 3) for cell, n in zip(row[1:], others, strict=True))
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def save_result(args, shows, result):
    """Print what the example found, and write it for the table that docs/results.py makes.

    `shows` is the point of the experiment in words, `result` in numbers.
    """
    name = Path(sys.argv[0]).stem
    seconds = round(time.perf_counter() - BEGAN, 1)
    found = {"experiment": name, "section": args.section, "data": args.data, "shows": shows}
    found |= {"result": result, "seconds": seconds, "command": args.command}
    path = args.out / f"{name}.result.json"
    write(path, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(f"\nresult: {result}\nfile: {path}")


def progress(items, label, **options):
    """Go through items with a bar; where stderr is no terminal, it is written every ten seconds."""
    from tqdm import tqdm

    pause = 0.1 if sys.stderr.isatty() else 10
    options |= {"mininterval": pause, "maxinterval": pause, "dynamic_ncols": True}
    return tqdm(items, desc=label, **options)


def style():
    """Give the context in which all pictures are drawn."""
    from matplotlib.style import context

    return context(STYLE)


def blank(size):
    """Return an empty figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=size)


@contextmanager
def picture(path, rows=1, columns=1, size=(6.4, 4), title=None, **options):
    """Give axes to draw on, in the style of the examples; at the end save and name the picture."""
    with style():
        figure = blank(size)
        yield figure.subplots(rows, columns, **options)
        figure.suptitle(title)
        save_figure(figure, path)
    print(f"picture: {path}")


def plot_losses(path, histories, title):
    """Save the loss of each step of several runs, by their names, in one picture."""
    from matplotlib.ticker import LogLocator, NullFormatter

    with picture(path) as axes:
        for (name, history), color in zip(histories.items(), COLORS, strict=False):
            history.plot(axes, label=name, color=color)
        axes.set(title=title, xlabel="step", ylabel="loss of the batch (cross entropy)")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 3) if high / low < 300 else (1,)))
        axes.yaxis.set_major_formatter(lambda x, _: plain(x, 3, fractional=False, trim="-"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.legend()


def show_image(axes, image, title="", **options):
    """Draw an image, black for 1, in a frame without numbers."""
    axes.imshow(image, **{"cmap": "gray_r", "vmin": 0, "vmax": 1, **options})
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=11)
    axes.spines[:].set_visible(True)


def save_figure(figure, path):
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix[1:])
    write(path, picture.getvalue())
