"""A Gaussian process, its three settings fitted through Cholesky by SciPy's L-BFGS."""

import numpy as np
import plots
from scipy.optimize import minimize

from minigrad import flatten, value_and_grad


def kernel(p, a, b):
    """Squared exponential, of a scale and a width."""
    return np.exp(p["scale"] - 0.5 * (np.subtract.outer(a, b) / np.exp(p["width"])) ** 2)


def covariance(p, x):
    return kernel(p, x, x) + np.exp(p["noise"]) * np.eye(len(x))


def loss(p, x, y):
    """The negative logarithm of the marginal likelihood, but for a constant."""
    chol = np.linalg.cholesky(covariance(p, x))
    half = np.linalg.solve(chol, y)
    return 0.5 * half @ half + np.sum(np.log(np.diag(chol)))


def main():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-4, 4, 25))
    y = np.sin(1.5 * x) + 0.2 * rng.normal(size=25)
    start, unflatten = flatten({"scale": 0.0, "width": 0.0, "noise": -1.0})
    found = minimize(value_and_grad(lambda v: loss(unflatten(v), x, y)), start, jac=True)
    p = {name: float(value) for name, value in unflatten(found.x).items()}
    line = np.linspace(-5, 5, 200)
    across = kernel(p, line, x) @ np.linalg.inv(covariance(p, x))
    mean = across @ y
    deviation = np.sqrt(np.exp(p["scale"]) - np.sum(across * kernel(p, line, x), axis=1))
    with plots.picture(__doc__, "gaussian_process.png") as axes:
        axes.fill_between(line, mean - 2 * deviation, mean + 2 * deviation, alpha=0.25)
        axes.plot(line, mean, label="prediction, and two deviations")
        axes.plot(x, y, "k.", label="data")
        axes.set(
            title=f"noise {np.exp(p['noise'] / 2):.2f}, drawn with 0.2",
            xlabel="x",
            ylim=(-1.6, 1.9),
        )
        axes.legend()
    before = loss(unflatten(start), x, y)
    print(f"{found.nit} steps: the likelihood went from {-before:.3f} to {-found.fun:.3f}")


if __name__ == "__main__":
    main()
