"""Train a deep network with and without shortcuts, on digits (the book, section 8.2.4).

The same layers twice: in ResNet each pair of convolutions is added to what goes into it, so that
the gradient also has a way around them. Without these shortcuts a network of this depth learns
late, or not at all.
"""

from itertools import pairwise

import common
import numpy as np

from minigrad import manual_seed, nn, optim
from minigrad.training import Trainer

BLOCKS = 9  # of each width: 56 layers
WIDTHS = 8, 16, 32
EPOCHS, QUICK = {"digits": 10, "mnist": 2}, {"digits": 2, "mnist": 1}
IMAGES, LARGE = 10_000, 16  # of MNIST's 60,000; pixels each way


def conv(before, after, kernel=3, stride=1):
    convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(after)]


def block(before, after, shortcuts):
    """Two convolutions; where the width changes, the image becomes smaller by half."""
    stride = 1 if before == after else 2
    layers = [*conv(before, after, 3, stride), nn.ReLU(), *conv(after, after)]
    if not shortcuts:
        return [*layers, nn.ReLU()]
    around = None if stride == 1 else nn.Sequential(*conv(before, after, 1, 2))
    return [nn.Residual(*layers, shortcut=around), nn.ReLU()]


def network(in_shape, shortcuts):
    """Three times 18 layers, between a convolution, which halves large images, and a linear one."""
    widths = [WIDTHS[0], *(width for width in WIDTHS for _ in range(BLOCKS))]
    layers = [*conv(in_shape[0], WIDTHS[0], stride=1 + (in_shape[1] > LARGE)), nn.ReLU()]
    for before, after in pairwise(widths):
        layers += block(before, after, shortcuts)
    return nn.Sequential(*layers, nn.GlobalAvgPool2d(), nn.Linear(WIDTHS[-1], 10))


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK, batch_size=50)
    (x, t), test = common.load(args, flatten=False)
    train = x[:IMAGES], t[:IMAGES]
    rows, histories = [], {}
    for name in ("with shortcuts", "without"):
        manual_seed(args.seed)
        model = network(x.shape[1:], name == "with shortcuts")
        optimizer = optim.Momentum(model.parameters(), lr=0.05, weight_decay=1e-4)
        trainer = Trainer(model, optimizer, progress=name)
        history = trainer.fit(train, epochs=args.epochs, batch_size=args.batch_size)
        accuracy = trainer.evaluate(test)["accuracy"]
        rows.append([name, f"{np.mean(history.losses[-50:]):.4f}", f"{accuracy:.2%}"])
        histories[name] = history
    layers = 6 * BLOCKS + 2
    print(common.table([f"{layers} layers", "loss", "test accuracy"], rows))
    title = f"{layers} layers: {common.TITLES[args.data]}"
    common.plot_losses(args.out / "resnet.png", histories, title)
    read = ", ".join(f"{name} {accuracy}" for name, _, accuracy in rows)
    shows = "with shortcuts a network of 56 layers learns at once"
    common.save_result(args, shows, f"test accuracy {read}")


if __name__ == "__main__":
    main()
