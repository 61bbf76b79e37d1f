"""See how initial weights shape the activations of a deep network (the book, 6.2.2 and 6.2.3).

1000 random inputs pass through five layers of 100 units. With a standard deviation of 1 the sigmoid
and tanh saturate and ReLU explodes; with 0.01 all activations become the same, or vanish. Xavier's
deviation keeps sigmoid and tanh spread over the layers, He's does that for ReLU.
"""

import common
import numpy as np

from minigrad import Tensor, nn, no_grad
from minigrad.nn.models import MultiLayerNet

LAYERS, UNITS = 5, 100
INITS = {"std 1": 1.0, "std 0.01": 0.01, "Xavier": "xavier", "He": "he"}
RANGES = {"sigmoid": (0, 1), "tanh": (-1, 1), "relu": None}
BINS = 40


def activations(kind, init, x):
    """The output of each activation, one array for each layer."""
    model = MultiLayerNet(UNITS, [UNITS] * LAYERS, UNITS, activation=kind, init=init)
    outputs, y = [], Tensor(x)
    with no_grad():
        for module in model:
            y = module(y)
            if not isinstance(module, nn.Linear):
                outputs.append(y.numpy())
    return outputs


def ridges(axes, outputs, span):
    """A histogram for each layer, the first on top; ReLU's zeros, about half, are left out."""
    low, high = span or (0, max(np.quantile(y, 0.995) for y in outputs))
    for i, y in enumerate(outputs):
        alive = y if span else y[y > 0]
        share, edges = np.histogram(alive, np.linspace(low, high, BINS + 1))
        base = np.full(BINS, LAYERS - i, float)
        tops = base + 0.85 * share / share.max()
        color = common.COLORS[0]
        axes.stairs(tops, edges, baseline=base, fill=True, color=color, alpha=0.45)
        axes.stairs(tops, edges, baseline=base, color=color, linewidth=0.8)
    axes.set_yticks(np.arange(LAYERS, 0, -1), [f"{i + 1}" for i in range(LAYERS)])
    axes.set(xlim=(low, high), ylim=(0.9, LAYERS + 1))
    axes.locator_params(axis="x", nbins=3)


def main():
    args = common.arguments(__doc__.splitlines()[0], data=None)
    examples = 200 if args.quick else 1000
    x = np.random.default_rng(args.seed).standard_normal((examples, UNITS)).astype(np.float32)
    rows = []
    size, shape = (10.5, 8), (len(RANGES), len(INITS))
    with common.picture(args.out / "activations.png", *shape, size) as panels:
        for line, (kind, span) in zip(panels, RANGES.items(), strict=True):
            line[0].set_ylabel("layer")
            for axes, (name, init) in zip(line, INITS.items(), strict=True):
                outputs = activations(kind, init, x)
                ridges(axes, outputs, span)
                axes.set_title(f"{kind}, {name}", fontsize=12)
                rows.append([f"{kind}, {name}", *(f"{y.std():.2g}" for y in outputs)])
        for axes in panels[-1]:
            axes.set_xlabel("activation")
    print("the standard deviation of the activations, by layer\n")
    print(common.table(["activation, weights", *map(str, range(1, LAYERS + 1))], rows))
    n = len(INITS)
    kinds = [
        f"{kind} {', '.join(row[-1] for row in rows[i * n : i * n + n])}"
        for i, kind in enumerate(RANGES)
    ]
    weights = f"of layer {LAYERS}, by weights ({', '.join(INITS)})"
    shows = "Xavier's weights keep sigmoid and tanh spread, He's keep ReLU"
    common.save_result(args, shows, f"standard deviation {weights}: {'; '.join(kinds)}")


if __name__ == "__main__":
    main()
