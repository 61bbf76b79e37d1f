"""Gradients through an ODE solver, 1,000 steps deep, with checkpoints for its memory."""

import tracemalloc

import numpy as np
import plots

from minigrad import checkpoint, value_and_grad

STEPS, PART = 1_000, 40
DT = 10.0 / STEPS


def motion(state, p):
    """A pendulum with friction: angle and speed."""
    return np.stack([state[1], -p[0] * np.sin(state[0]) - p[1] * state[1]])


def steps(state, p):
    """Follow the motion for a part of the time, by the midpoint rule."""
    for _ in range(PART):
        state = state + DT * motion(state + 0.5 * DT * motion(state, p), p)
    return state


def path(p, part):
    states = [np.array([1.5, 0.0])]
    for _ in range(STEPS // PART):
        states.append(part(states[-1], p))
    return np.stack(states)


def main():
    truth = path(np.array([2.0, 0.3]), steps)
    losses = {
        name: value_and_grad(lambda p, f=f: np.mean((path(p, f) - truth) ** 2))
        for name, f in {"kept": steps, "computed again": checkpoint(steps)}.items()
    }
    start = np.array([1.8, 0.1])
    for name, loss in losses.items():
        tracemalloc.start()
        value, g = loss(start)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"{name}: loss {value:.6f}, gradient {g.round(6)}, {peak / 1e6:.1f} MB")
    p, m = start, 0.0
    for _ in range(12):
        value, g = losses["computed again"](p)
        m = 0.5 * m + g
        p = p - 0.15 * m
    time = np.linspace(0, 10, STEPS // PART + 1)
    with plots.picture(__doc__, "pendulum.png") as axes:
        axes.plot(time, truth[:, 0], lw=4, alpha=0.3, label="measured")
        axes.plot(time, path(start, steps)[:, 0], "--", label="first guess")
        axes.plot(time, path(p, steps)[:, 0], label="fitted")
        axes.set(xlabel="time", ylabel="angle", title=f"strength {p[0]:.2f}, friction {p[1]:.2f}")
        axes.legend()
    print(f"strength {p[0]:.2f} and friction {p[1]:.2f}, true 2.00 and 0.30; loss {value:.1e}")


if __name__ == "__main__":
    main()
