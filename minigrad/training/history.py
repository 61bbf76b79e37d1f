"""The history of a training run: to read, to save as JSON or CSV, and to plot."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minigrad.files import write

HELD_OUT = "validation_"  # begins the name of what was measured on the validation data
STEP, STEP_LOSS = "step", "step_loss"
WHOLE = frozenset({"epoch", STEP})
NO_CURVE = WHOLE | {"loss", f"{HELD_OUT}loss", "lr", "seconds"}
COLORS = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"  # Okabe and Ito, 2008


@dataclass(repr=False)
class History:
    """What a Trainer measured.

    Attributes
    ----------
    losses : list of float
        The loss of each step, computed before its update.
    epochs : list of dict
        One row an epoch: `epoch` and `step` (both counted from 1), the means over the epoch of the
        `loss` and of each metric, the same on the validation data under names that begin with
        `validation_`, the learning rate `lr`, and the `seconds` that training took.
    """

    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)

    def __getitem__(self, name: str) -> list[float]:
        """Return one column of `epochs`; NaN where an epoch lacks it."""
        if not any(name in row for row in self.epochs):
            names = ", ".join(dict.fromkeys(key for row in self.epochs for key in row))
            raise KeyError(f"history: no {name!r}, only {names or 'no epoch yet'}")
        return [row.get(name, math.nan) for row in self.epochs]

    def __repr__(self) -> str:
        last = "".join(f", {k} {v:.4g}" for k, v in (self.epochs or [{}])[-1].items())
        return f"<History of {len(self.losses)} steps{last}>"

    # -------------------------------------------------------------------------------------- files
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to a `.json` or `.csv` file, which appears only when it is complete.

        The CSV has a line for each step; the line of an epoch's last step has the epoch's columns
        too.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        """
        path = Path(path)
        kind = _kind("save", path)
        if kind == ".json":
            text = json.dumps({"losses": self.losses, "epochs": self.epochs}, indent=1) + "\n"
        else:
            text = self._as_csv()
        write(path, text)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the name does not end with .json or .csv, or the file holds something else.
        """
        path = Path(path)
        kind = _kind("load", path)
        text = path.read_text("utf-8")
        try:
            return cls._from_json(text) if kind == ".json" else cls._from_csv(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"load: {path} is no complete history of a Trainer ({error!r:.80})"
            ) from error

    @classmethod
    def _from_json(cls, text: str) -> Self:
        held = json.loads(text)
        rows = [{key: _number(key, value) for key, value in row.items()} for row in held["epochs"]]
        return cls([float(loss) for loss in held["losses"]], rows)

    def _as_csv(self) -> str:
        columns = dict.fromkeys(key for row in self.epochs for key in row if key != STEP)
        at = {row[STEP]: row for row in self.epochs}
        out = io.StringIO()
        writer = csv.DictWriter(out, [STEP, STEP_LOSS, *columns], lineterminator="\n")
        writer.writeheader()
        for step, loss in enumerate(self.losses, 1):
            writer.writerow({STEP_LOSS: loss, **at.get(step, {STEP: step})})
        return out.getvalue()

    @classmethod
    def _from_csv(cls, text: str) -> Self:
        history = cls()
        for line in csv.DictReader(io.StringIO(text), strict=True):
            if None in line or None in line.values() or line[STEP] != str(len(history.losses) + 1):
                raise ValueError(f"after step {len(history.losses)}: {line}")
            history.losses.append(float(line.pop(STEP_LOSS)))
            if line.get("epoch"):
                row = {key: _number(key, value) for key, value in line.items() if value}
                history.epochs.append({"epoch": row.pop("epoch"), **row})
        if not text.startswith(f"{STEP},{STEP_LOSS}"):
            raise ValueError(f"it begins with {text[:20]!r}")
        return history

    # -------------------------------------------------------------------------------------- plots
    def plot(
        self,
        to: Any = None,
        *,
        label: str = "training",
        color: Any = COLORS[0],
        window: int | None = None,
    ) -> Any:
        """Plot the loss of each step, smoothed over faint raw values, on a log scale.

        Parameters
        ----------
        to : path or matplotlib Axes, optional
            A file to save to (`.png`, `.svg`, `.pdf`), or axes to draw the loss into, so that
            several runs can share one picture.
        label, color
            How the curve is named and drawn.
        window : int, optional
            See `smooth`.

        Returns
        -------
        Figure or Axes
            The axes if they were given; else a figure, with a second panel for the metrics of each
            epoch if there are any.

        Raises
        ------
        ValueError
            If nothing was recorded yet.
        ModuleNotFoundError
            If matplotlib is missing.
        """
        if not self.losses:
            raise ValueError("plot: the history is empty: call fit first")
        if hasattr(to, "plot"):
            self._plot_loss(to, label, color, window)
            return to
        figure_class = _figure_class()
        names = dict.fromkeys(k.removeprefix(HELD_OUT) for row in self.epochs for k in row)
        metrics = [name for name in names if name not in NO_CURVE]
        panels = 1 + bool(metrics)
        figure = figure_class(figsize=(5 * panels, 3.6), layout="constrained")
        loss, *rest = figure.subplots(1, panels, squeeze=False)[0]
        self._plot_loss(loss, label, color, window)
        self._plot_epochs(loss, f"{HELD_OUT}loss", COLORS[1], "-", x=STEP)
        loss.legend(frameon=False)
        if rest:
            for name, ink in zip(metrics, COLORS * len(metrics), strict=False):
                self._plot_epochs(rest[0], name, ink, "-")
                self._plot_epochs(rest[0], f"{HELD_OUT}{name}", ink, "--")
            rest[0].set(xlabel="epoch")
            rest[0].legend(frameon=False)
        if to is not None:
            path, out = Path(to), io.BytesIO()
            figure.savefig(out, format=path.suffix[1:] or "png", dpi=150)
            write(path, out.getvalue())
        return figure

    def _plot_loss(self, axes: Any, label: str, color: Any, window: int | None) -> None:
        step = np.arange(1, len(self.losses) + 1)
        axes.plot(step, self.losses, color=color, alpha=0.18, linewidth=0.8, zorder=1)
        axes.plot(step, smooth(self.losses, window), color=color, linewidth=1.8, label=label)
        axes.set(xlabel="step", ylabel="loss", yscale="log" if min(self.losses) > 0 else "linear")

    def _plot_epochs(self, axes: Any, name: str, color: str, style: str, x: str = "epoch") -> None:
        points = [(row[x], row[name]) for row in self.epochs if name in row]
        if points:
            mark = "o" if len(points) < 25 else None
            label = name.replace("_", " ")
            axes.plot(
                *zip(*points, strict=True), style, color=color, marker=mark, ms=3, label=label
            )


def smooth(values: ArrayLike, window: int | None = None) -> NDArray[np.float64]:
    """Return the mean of the `window` values around each value.

    Near the start, where a loss falls fast, it takes as many before as after, so that the curve
    begins at the first value; near the end, only as many after as there are.

    Parameters
    ----------
    values : array_like
        Shape (n,).
    window : int, optional
        How many values a mean takes in; by default a fortieth of them all.

    Returns
    -------
    ndarray
        Shape (n,), float64.

    Examples
    --------
    >>> smooth([0.0, 3.0, 0.0, 3.0], window=3).tolist()
    [0.0, 1.0, 2.0, 1.5]
    """
    v = np.asarray(values, np.float64)
    half = max((len(v) // 40 if window is None else window) // 2, 0)
    total = np.concatenate([[0.0], np.cumsum(v)])
    at = np.arange(len(v))
    low, high = np.maximum(at - half, 0), np.minimum(at + np.minimum(at, half) + 1, len(v))
    return np.asarray((total[high] - total[low]) / (high - low))


def _kind(caller: str, path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in (".json", ".csv"):
        raise ValueError(f"{caller}: expected a name that ends with .json or .csv, got {path.name}")
    return kind


def _number(name: str, value: Any) -> float:
    return int(value) if name in WHOLE else float(value)


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure  # without pyplot: no window, no global state
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "plot needs matplotlib, which is not installed: "
            'run pip install -e ".[examples]" in the clone, or install matplotlib'
        ) from error
    return Figure
