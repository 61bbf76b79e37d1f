"""Check backpropagation against differences, layer by layer (the book, section 5.7.3).

Each number of each parameter is moved up and down by 0.00001, and the slope of the loss compared
with the gradient of the backward pass, in float64. The error of such a difference shrinks with the
square of the step until rounding takes over: the picture shows both ends.
"""

from functools import partial

import common
import numpy as np

from minigrad import no_grad
from minigrad.nn.models import MultiLayerNet, SimpleConvNet, TwoLayerNet
from minigrad.testing import numerical_gradient

EXAMPLES, STEP = 10, 1e-5
STEPS = np.logspace(-1, -11, 11)
PROBES = 20  # numbers of each parameter that the picture's differences move


def networks(pixels, in_shape):
    float64 = {"dtype": np.float64}
    yield TwoLayerNet(pixels, **float64)
    yield MultiLayerNet(pixels, [20, 20], 10, activation="sigmoid", batch_norm=True, **float64)
    yield SimpleConvNet(in_shape, 4, hidden=20, init="he", **float64)


def errors(parameter, loss, step, at):
    """How far the gradients of the numbers `at` in a parameter are from the differences."""
    numbers, exact = parameter.data.reshape(-1), parameter.grad.numpy().reshape(-1)[at]
    values = numbers[at].copy()

    def moved(to):
        numbers[at] = to.data
        return loss()

    with no_grad():
        (estimated,) = numerical_gradient(moved, values, step=step)
    numbers[at] = values
    return np.abs(estimated - exact)


def main():
    args = common.arguments(__doc__.splitlines()[0])
    (x, t), _ = common.load(args, flatten=False)
    x, t = x[:EXAMPLES].astype(np.float64), t[:EXAMPLES]
    rng = np.random.default_rng(args.seed)
    rows, curves, largest = [], {}, 0.0
    for model in networks(x[0].size, x.shape[1:]):
        kind = type(model).__name__
        images = x if kind == "SimpleConvNet" else x.reshape(EXAMPLES, -1)
        loss = partial(model.loss, images, t)
        for path, parameter in model.named_parameters():
            if path.endswith("bias"):  # 0 would put black pixels exactly on the kink of ReLU
                parameter.data[...] = 0.1 * rng.standard_normal(parameter.shape)
        loss().backward()
        for path, parameter in common.progress(list(model.named_parameters()), kind):
            name, all_of_it = f"{kind} {path}", np.arange(parameter.size)
            some = rng.permutation(parameter.size)[:PROBES]
            if np.abs(parameter.grad.numpy()).max() > 1e-12:  # a bias before batch norm has none
                curves[name] = [errors(parameter, loss, h, some).max() for h in STEPS]
            off = errors(parameter, loss, STEP, some if args.quick else all_of_it)
            largest = max(largest, off.max())
            rows.append([name, parameter.shape, f"{off.mean():.1e}", f"{off.max():.1e}"])
    print(common.table(["parameter", "shape", "mean difference", "largest"], rows))

    with common.picture(args.out / "gradient_check.png") as axes:
        for kind, color in zip(
            dict.fromkeys(k.split()[0] for k in curves), common.COLORS, strict=False
        ):
            label = kind
            for name, curve in curves.items():
                if name.startswith(kind):
                    axes.loglog(STEPS, curve, color=color, alpha=0.75, lw=1.5, label=label)
                    label = None
        axes.axvline(STEP, color="k", lw=1, ls=":")
        axes.set(title="Gradients against differences, by parameter", xlabel="step")
        axes.set_ylabel("largest difference")
        axes.set_ylim(1e-14, 10)
        axes.legend(loc="lower left")
    shows = "backpropagation agrees with differences in every layer"
    common.save_result(args, shows, f"largest difference in {len(rows)} parameters: {largest:.1e}")


if __name__ == "__main__":
    main()
