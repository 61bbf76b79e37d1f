"""What the research examples share: one option, and a picture with it."""

import argparse
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt


@contextmanager
def picture(description, name):
    """Give axes to draw on, and save them in the folder of `--out`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=Path("out"), help="where the picture goes")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
    yield axes
    figure.savefig(folder / name, dpi=130)
    print(f"wrote {folder / name}")
