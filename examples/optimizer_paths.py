"""Watch four update rules cross a valley, x^2/20 + y^2 (the book, sections 6.1.2 to 6.1.7).

The slope is steep in y and shallow in x. SGD zigzags, Momentum swings round like a ball, AdaGrad
takes out the swings as its steps shrink, and Adam does some of both. The learning rates are the
book's, and so is, to the last bit, every point.
"""

import io
import json

import common
import numpy as np
from PIL import Image

from minigrad import Tensor, optim

RULES = {
    optim.SGD: {"lr": 0.95},
    optim.Momentum: {"lr": 0.1},
    optim.AdaGrad: {"lr": 1.5},
    optim.Adam: {"lr": 0.3},
}
START, STEPS = (-7.0, 2.0), 30
LEVELS = np.arange(0.25, 4, 0.5) ** 2  # equally spaced ellipses
FRAME, PAUSE = 100, 2000  # milliseconds of a frame and of the last


def height(x, y):
    """x^2/20 + y^2, in the order in which its gradient rounds as x/10 does."""
    return x / 10 * x / 2 + y * y


def walk(rule, settings):
    """The points on the way, shape (STEPS + 1, 2)."""
    x, y = (Tensor(np.array(value), requires_grad=True) for value in START)
    optimizer = rule([x, y], **settings)
    points = [START]
    for _ in range(STEPS):
        optimizer.zero_grad()
        height(x, y).backward()
        optimizer.step()
        points.append((x.item(), y.item()))
    return np.array(points)


def draw(panels, paths):
    """Draw all paths; return their lines and heads, to be moved."""
    x, y = np.meshgrid(np.linspace(-9, 9, 181), np.linspace(-3, 3, 61))
    drawn = []
    for axes, (name, path), color in zip(panels.flat, paths.items(), common.COLORS, strict=False):
        axes.contour(x, y, height(x, y), LEVELS, colors="#C0C0C0", linewidths=1)
        axes.plot(0, 0, "k+", ms=12)
        (line,) = axes.plot(*path.T, "o-", color=color, ms=3.5, lw=1.6)
        (head,) = axes.plot(*path[-1], "o", color=color, ms=9)
        axes.grid(visible=False)
        axes.set(title=name, xticks=range(-8, 9, 4), yticks=range(-3, 4))
        drawn.append((line, head, path))
    for axes in panels[-1]:
        axes.set_xlabel("x")
    for axes in panels[:, 0]:
        axes.set_ylabel("y")
    return drawn


def animate(figure, drawn, shown):
    """A GIF that moves along the paths, as bytes."""
    frames = []
    for n in shown:
        for line, head, path in drawn:
            line.set_data(*path[: n + 1].T)
            head.set_data(*path[n : n + 1].T)
        frame = io.BytesIO()
        figure.savefig(frame, format="png", dpi=80)
        frames.append(Image.open(frame).convert("P", palette=Image.Palette.ADAPTIVE, colors=64))
    out = io.BytesIO()
    durations = [FRAME] * (len(frames) - 1) + [PAUSE]
    first, *others = frames
    first.save(out, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
    return out.getvalue()


def main():
    args = common.arguments(__doc__.splitlines()[0], data=None)
    paths = {rule.__name__: walk(rule, settings) for rule, settings in RULES.items()}
    rows = []
    for (name, path), settings in zip(paths.items(), RULES.values(), strict=True):
        length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
        end = path[-1]
        numbers = [*end, height(*end), length]
        rows.append([name, settings["lr"], *map("{:.4f}".format, numbers)])
    header = ["rule", "learning rate", "x at the end", "y", "height", "length of the path"]
    print(common.table(header, rows))
    points = {name: path.tolist() for name, path in paths.items()}
    common.write(args.out / "paths.json", json.dumps(points, indent=1) + "\n")

    shared = {"sharex": True, "sharey": True}
    path = args.out / "optimizer_paths.png"
    with common.picture(path, 2, 2, (8.4, 4.8), **shared) as panels:
        drawn = draw(panels, paths)
        figure = panels[0, 0].figure
        shown = range(0, STEPS + 1, 10 if args.quick else 1)
        common.write(path.with_suffix(".gif"), animate(figure, drawn, shown))
    print(f"animation: {path.with_suffix('.gif')}")
    ends = ", ".join(f"{row[0]} {row[4]} ({row[5]})" for row in rows)
    shows = "SGD zigzags through a valley, the others take shorter ways"
    common.save_result(args, shows, f"height after {STEPS} steps (length of the path): {ends}")


if __name__ == "__main__":
    main()
