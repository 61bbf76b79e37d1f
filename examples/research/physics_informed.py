"""A network that solves u'' = -u from its equation alone: second derivatives by its input."""

import numpy as np
import plots
from scipy.optimize import minimize

from minigrad import elementwise_grad, flatten, value_and_grad


def network(p, x):
    """u(x) = x + x^2 n(x), so that u(0) = 0 and u'(0) = 1."""
    hidden = np.tanh(np.outer(x, p["w"]) + p["b"])
    return x + x * x * (hidden @ p["out"])


def loss(p, x):
    second = elementwise_grad(elementwise_grad(lambda x: network(p, x)))
    return np.mean((second(x) + network(p, x)) ** 2)


def main():
    rng = np.random.default_rng(0)
    p = {"w": rng.normal(size=16), "b": rng.normal(size=16), "out": np.zeros(16)}
    x = np.linspace(0, 2 * np.pi, 40)
    start, unflatten = flatten(p)
    found = minimize(value_and_grad(lambda v: loss(unflatten(v), x)), start, jac=True,
                     method="L-BFGS-B", options={"maxiter": 600, "maxfun": 900})  # fmt: skip
    line = np.linspace(0, 2 * np.pi, 200)
    u = network(unflatten(found.x), line)
    with plots.picture(__doc__, "physics_informed.png") as axes:
        axes.plot(line, np.sin(line), lw=5, alpha=0.3, label="sin x")
        axes.plot(line, u, label="network")
        axes.set(title="u'' = -u, u(0) = 0, u'(0) = 1", xlabel="x")
        axes.legend()
    print(f"loss {found.fun:.1e}, farthest from sin x: {np.max(np.abs(u - np.sin(line))):.1e}")


if __name__ == "__main__":
    main()
