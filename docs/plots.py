"""Draw the plots of the pages, for light ones and dark: `python docs/plots.py [folder]`."""

from __future__ import annotations

import io
import json
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
    """Draw minigrad's times over those of others: of training steps, and of single operations."""
    found = json.loads((HERE / "speed.json").read_text("utf-8"))
    groups: dict[str, dict[str, str]] = {"training steps": {}, "operations, 262k values": {}}
    for name in found["1"]:
        if name.endswith("/262k"):
            groups["operations, 262k values"][name] = name.split("/")[1]
        elif "/" not in name and name != "import":
            groups["training steps"][name] = name
    figure = Figure(figsize=(7.6, 6.4))
    for axes, (title, names) in zip(figure.subplots(1, 2), groups.items(), strict=True):
        places = np.arange(len(names))[::-1]

        def ratios(threads: str, peer: str, names: dict[str, str] = names) -> list[float]:
            entries = (found[threads].get(name, {"times": {}}) for name in names)
            return [entry["times"].get(peer, [0, np.nan])[1] for entry in entries]

        bars = {"PyTorch, one thread": ("1", LINES[ink]), "PyTorch, two threads": ("2", COLORS[1])}
        for offset, (label, (threads, color)) in zip((0.2, -0.2), bars.items(), strict=True):
            axes.barh(places + offset, ratios(threads, "best"), 0.38, color=color, label=label)
        for peer, label, marker in (("jax", "JAX jit", "D"), ("numpy", "NumPy by hand", "o")):
            kind = {"color": ink, "s": 22, "facecolors": "none" if marker == "o" else ink}
            axes.scatter(ratios("1", peer), places + 0.2, marker=marker, label=label, **kind)
        axes.axvline(1, color=ink, linewidth=1)
        axes.set_yticks(places, names.values(), fontsize=10)
        axes.set(title=title, xlim=(0, None), ylim=(-0.6, len(names) - 0.4))
        axes.set_xlabel("minigrad's time, where the other's is 1", fontsize=10)
        axes.tick_params(axis="y", length=0)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles[2:] + handles[:2],
        labels[2:] + labels[:2],
        loc="outside lower center",
        ncols=4,
        frameon=False,
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
