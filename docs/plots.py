"""Draw the plots of the pages, for light ones and dark: `python docs/plots.py [folder]`."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.style import context

from minigrad import Tensor, elementwise_grad, optim
from minigrad import functional as F
from minigrad.files import write
from minigrad.training.plots import COLORS

INKS = {"light": "#333333", "dark": "#CFD0D0"}
LINES = {"#333333": COLORS[0], "#CFD0D0": COLORS[4]}  # blues that show on these grounds
RULES = {  # the rates are the book's, where it has one for its valley x^2 / 20 + y^2
    optim.SGD: 0.95,
    optim.Momentum: 0.1,
    optim.Nesterov: 0.1,
    optim.AdaGrad: 1.5,
    optim.RMSprop: 0.1,
    optim.Adam: 0.3,
}
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": F.relu,
    "leaky_relu, negative_slope 0.1": lambda x: F.leaky_relu(x, 0.1),
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "softplus": F.softplus,
    "gelu": F.gelu,
}
HERE = Path(__file__).parent
START, STEPS = (-7.0, 2.0), 30


def path(rule: optim.Optimizer) -> Any:
    """Return the points that a rule visits, shape (31, 2)."""
    p = {"xy": np.array(START)}
    points = [p["xy"].copy()]
    for _ in range(STEPS):
        xy = Tensor(p["xy"], requires_grad=True)
        (xy[0] ** 2 / 20 + xy[1] ** 2).backward()
        rule.update(p, {"xy": xy.grad})
        points.append(p["xy"].copy())
    return np.array(points)


def valley(ink: str) -> Figure:
    """Draw six rules on the book's valley."""
    figure = Figure(figsize=(7.6, 6.6))
    panels = figure.subplots(3, 2, sharex=True, sharey=True).flat
    for axes, (rule, lr) in zip(panels, RULES.items(), strict=True):
        points = path(rule(lr=lr))
        for level in (0.1, 0.4, 1, 2, 3.5, 5.5, 8):
            size = 2 * np.sqrt([20 * level, level])
            axes.add_patch(Ellipse((0, 0), *size, fill=False, edgecolor=ink, alpha=0.3, lw=0.7))
        axes.plot(*points.T, "o-", color=LINES[ink], markersize=3, linewidth=1.4)
        axes.plot(*START, "o", color=LINES[ink], markersize=6)
        axes.plot(0, 0, "+", color=COLORS[1], markersize=13, markeredgewidth=2)
        axes.set_title(f"{rule.__name__}, lr {lr:g}")
        axes.set(xlim=(-8.2, 8.2), ylim=(-3.2, 3.2))
        if axes.get_subplotspec().is_last_row():
            axes.set_xlabel("x")
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel("y")
    return figure


def schedules(ink: str) -> Figure:
    """Draw the learning rate of each schedule over the steps."""
    makers: dict[str, Callable[[Any], Any]] = {
        "StepDecay(every=30, gamma=0.5)": lambda o: optim.StepDecay(o, every=30, gamma=0.5),
        "ExponentialDecay(gamma=0.97)": lambda o: optim.ExponentialDecay(o, gamma=0.97),
        "InverseTimeDecay(rate=0.05)": lambda o: optim.InverseTimeDecay(o, rate=0.05),
        "CosineDecay(steps=100)": lambda o: optim.CosineDecay(o, steps=100),
        "WarmUp(20, CosineDecay(80))": lambda o: optim.WarmUp(o, 20, optim.CosineDecay(o, 80)),
    }
    figure = Figure(figsize=(7.6, 3.8))
    axes = figure.subplots()
    for (name, make), color in zip(makers.items(), COLORS, strict=False):
        optimizer = optim.SGD(lr=1.0)
        schedule, rates = make(optimizer), []
        for _ in range(120):
            rates.append(optimizer.lr)
            schedule.step()
        axes.step(range(120), rates, color=color, label=name, where="post")
    axes.set(xlabel="step k", ylabel="learning rate / first one", ylim=(0, None))
    axes.legend(frameon=False, loc="upper right", fontsize=10)
    return figure


def activations(ink: str) -> Figure:
    """Draw each activation, and its derivative with a dashed line."""
    figure = Figure(figsize=(7.6, 8.4))
    panels = figure.subplots(3, 2).flat
    for axes, (name, f) in zip(panels, ACTIVATIONS.items(), strict=True):
        x = np.linspace(-4, 4, 401)
        axes.axhline(0, color=ink, alpha=0.3, linewidth=0.7)
        axes.axvline(0, color=ink, alpha=0.3, linewidth=0.7)
        axes.plot(x, f(x), color=LINES[ink], linewidth=1.8, label="value")
        slope = elementwise_grad(f)(x)
        axes.plot(x, slope, color=COLORS[1], linestyle="--", linewidth=1.4, label="derivative")
        axes.set_title(name)
        axes.set(xlim=(-4, 4))
    panels = figure.axes
    panels[0].legend(frameon=False, loc="upper left", fontsize=10)
    return figure


def speed(ink: str) -> Figure:
    """Draw the table of README.md that the benchmark made: times, minigrad's for 1."""
    lines = (HERE.parent / "README.md").read_text("utf-8").partition("## Speed")[2].splitlines()
    header, _, *rows = ([c.strip() for c in line.split("|")[1:-1]] for line in lines if "|" in line)
    figure = Figure(figsize=(7.6, 7.2))
    for axes, (title, ours, *others) in zip(figure.subplots(3, 2).flat, rows, strict=True):
        own, unit = ours.split()
        texts = {"minigrad": own}
        for name, cell in zip(header[2:], others, strict=True):
            if "(" in cell:
                texts[name.partition(",")[0]] = cell.partition("(")[2].strip(")")
        times = [float(text) for text in texts.values()]
        place = range(len(times), 0, -1)
        colors = [LINES[ink], *["#8C8C8C"] * (len(times) - 1)]
        bars = axes.barh(place, times, color=colors, height=0.7)
        labels = [f"{text} {unit}" for text in texts.values()]
        axes.bar_label(bars, labels, padding=3, color=ink, fontsize=9)
        axes.set_yticks(place, texts, fontsize=10)
        axes.set(xlim=(0, 1.25 * max(times)), xticks=[])
        axes.spines["bottom"].set_visible(False)
        kind, _, rest = title.partition(": ")
        axes.set_title(
            rest.replace("the book's ", "") or kind.replace("forward and backward", "and back"),
            fontsize=10,
        )
    return figure


def save(draw: Callable[[str], Figure], theme: str, folder: Path) -> Path:
    """Write a plot as SVG with a clear ground and ink for this theme."""
    ink = INKS[theme]
    inked = ("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color")
    look = dict.fromkeys(inked, ink) | {
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "figure.constrained_layout.use": True,
        "font.size": 11,
        "svg.hashsalt": "minigrad",
    }
    with context(look):
        picture = io.StringIO()
        draw(ink).savefig(picture, format="svg", transparent=True, metadata={"Date": None})
    target = folder / f"{draw.__name__}_{theme}.svg"
    write(target, picture.getvalue())
    return target


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "images")
    for draw in (valley, schedules, activations, speed):
        for theme in INKS:
            saved = save(draw, theme, folder)
            sys.stdout.write(f"{saved}  {saved.stat().st_size // 1024} KiB\n")
