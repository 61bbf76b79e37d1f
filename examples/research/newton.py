"""Newton's method by products with the Hessian, beside L-BFGS and gradient descent."""

import numpy as np
import plots
from scipy.optimize import minimize

from minigrad import grad, hvp


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def main():
    start = np.linspace(-1, 1, 50)
    slope, product = grad(rosenbrock), hvp(rosenbrock)
    paths = {}
    for name, options in {
        "Newton-CG, with hvp": {"method": "trust-ncg", "hessp": product},
        "L-BFGS": {"method": "L-BFGS-B"},
    }.items():
        values = [rosenbrock(start)]
        minimize(rosenbrock, start, jac=slope, callback=lambda x, v=values: v.append(rosenbrock(x)),
                 options={"maxiter": 500}, **options)  # fmt: skip
        paths[name] = values
    x, paths["gradient descent"] = start, []
    for _ in range(500):
        paths["gradient descent"].append(rosenbrock(x))
        x = x - 1e-3 * slope(x)
    with plots.picture(__doc__, "newton.png") as axes:
        for name, values in paths.items():
            axes.semilogy(values, label=name)
        axes.set(title="Rosenbrock's valley in 50 dimensions", xlabel="step", ylabel="loss")
        axes.legend()
    for name, values in paths.items():
        print(f"{name}: {values[-1]:.1e} after {len(values) - 1} steps")


if __name__ == "__main__":
    main()
