"""Follow the gradient of x0^2 + x1^2 down to its minimum (the book, section 4.4.1).

The negative gradient points to the minimum at (0, 0), and 20 steps with a learning rate of 0.1 come
close to it. With 10 each step overshoots by more than the last; with 1e-10 nothing moves.
"""

import common
import numpy as np

from minigrad import Tensor, optim

START, RATES = (-3.0, 4.0), (0.1, 10.0, 1e-10)


def descend(lr, steps):
    """The points on the way, shape (steps + 1, 2)."""
    x = Tensor(np.array(START), requires_grad=True)
    optimizer = optim.SGD([x], lr=lr)
    points = [x.data.copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        np.sum(x**2).backward()
        optimizer.step()
        points.append(x.data.copy())
    return np.array(points)


def main():
    args = common.arguments(__doc__.splitlines()[0], data=None)
    paths = {lr: descend(lr, 10 if args.quick else 20) for lr in RATES}
    rows = [[f"{lr:g}", *map("{:.6g}".format, path[-1])] for lr, path in paths.items()]
    print(common.table(["learning rate", "x0 at the end", "x1"], rows))

    with common.picture(args.out / "gradient_descent.png", 1, 2, (9, 4)) as (plane, distance):
        x0, x1 = np.meshgrid(np.linspace(-4.5, 4.5, 91), np.linspace(-4.5, 4.5, 91))
        levels = np.arange(1, 7) ** 2
        plane.contour(x0, x1, x0**2 + x1**2, levels, colors="#B0B0B0", linestyles="--")
        plane.plot(
            *paths[RATES[0]].T, "o-", color=common.COLORS[0], ms=4, label="learning rate 0.1"
        )
        plane.plot(0, 0, "k+", ms=12)
        plane.set(title="$x_0^2 + x_1^2$ and the path", xlabel="$x_0$", ylabel="$x_1$")
        plane.set_aspect("equal")
        plane.legend(loc="lower right")
        for (lr, path), color, mark in zip(paths.items(), common.COLORS, "os^", strict=False):
            length = np.linalg.norm(path, axis=1)
            distance.plot(length, f"{mark}-", color=color, ms=4, label=f"learning rate {lr:g}")
        distance.set(title="Distance to the minimum", xlabel="step", ylabel="distance")
        distance.set_yscale("log")
        distance.xaxis.get_major_locator().set_params(integer=True)
        distance.legend()
    ends = ", ".join(f"{np.linalg.norm(path[-1]):.2g} with {lr:g}" for lr, path in paths.items())
    shows = "the right rate arrives, a large one diverges, a tiny one stands still"
    common.save_result(args, shows, f"distance to the minimum by learning rate: {ends}")


if __name__ == "__main__":
    main()
