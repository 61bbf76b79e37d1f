"""The plots of a history: the loss of each step, smoothed, and the metrics of each epoch."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minigrad.checks import needing
from minigrad.files import write
from minigrad.training.formats import HELD_OUT, STEP, WHOLE

if TYPE_CHECKING:
    from minigrad.training.history import History

Color = str | tuple[float, ...]
NO_CURVE = WHOLE | {"loss", f"{HELD_OUT}loss", "lr", "seconds"}
COLORS = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"  # Okabe and Ito, 2008


def plot(
    history: History,
    to: Any = None,
    *,
    label: str = "training loss",
    color: Color = COLORS[0],
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
    if not history.losses:
        raise ValueError("plot: the history is empty: call fit first")
    if hasattr(to, "plot"):
        _plot_loss(history.losses, to, label, color, window)
        return to
    with needing("matplotlib", "plot"):
        from matplotlib.figure import Figure  # without pyplot: no window, no global state
    names = dict.fromkeys(k.removeprefix(HELD_OUT) for row in history.epochs for k in row)
    metrics = [name for name in names if name not in NO_CURVE]
    panels = 1 + bool(metrics)
    figure = Figure(figsize=(5 * panels, 3.6), layout="constrained")
    loss, *rest = figure.subplots(1, panels, squeeze=False)[0]
    _plot_loss(history.losses, loss, label, color, window)
    _curve(history, loss, f"{HELD_OUT}loss", COLORS[1], "-", x=STEP)
    loss.legend(frameon=False)
    for axes in rest:
        for name, ink in zip(metrics, COLORS * len(metrics), strict=False):
            _curve(history, axes, name, ink, "-", f"training {name}")
            _curve(history, axes, f"{HELD_OUT}{name}", ink, "--")
        axes.set(xlabel="epoch", ylabel=", ".join(metrics).replace("_", " "))
        axes.xaxis.get_major_locator().set_params(integer=True)
        _look_at_the_end(axes)
        axes.legend(frameon=False)
    if to is not None:
        out = io.BytesIO()
        figure.savefig(out, format=Path(to).suffix[1:] or "png", dpi=150)
        write(to, out.getvalue())
    return figure


def _plot_loss(
    losses: list[float], axes: Any, label: str, color: Color, window: int | None
) -> None:
    step = np.arange(1, len(losses) + 1)
    axes.plot(step, losses, color=color, alpha=0.18, linewidth=0.8, zorder=1)
    axes.plot(step, smooth(losses, window), color=color, linewidth=1.8, label=label)
    axes.set(xlabel="step", ylabel="loss", yscale="log" if min(losses) > 0 else "linear")


def _curve(
    history: History, axes: Any, name: str, ink: str, style: str, label: str = "", x: str = "epoch"
) -> None:
    points = [(row[x], row[name]) for row in history.epochs if name in row]
    if points:
        drawn: dict[str, Any] = {"color": ink, "marker": "o" if len(points) < 25 else None, "ms": 3}
        axes.plot(
            *zip(*points, strict=True), style, label=(label or name).replace("_", " "), **drawn
        )


def _look_at_the_end(axes: Any) -> None:
    """Let the first tenth of long curves run out of the picture, for the gap at the end."""
    ys = [np.asarray(line.get_ydata(), float) for line in axes.lines]
    values = np.concatenate([np.zeros(0), *[y[len(y) // 10 :] for y in ys]])
    values = values[np.isfinite(values)]
    if values.size:
        room = 0.06 * float(np.ptp(values)) or 0.06
        axes.set_ylim(float(values.min()) - room, float(values.max()) + room)


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
