"""Draw what networks compute, the first NaN, a dying gradient (the book, section 5.1).

Each picture is an SVG, a PNG and a page to explore with a browser. The page needs nothing; SVG and
PNG need Graphviz, and are left out with a word about it where there is none.
"""

import common
import numpy as np

import minigrad
from minigrad import Tensor, nn
from minigrad.graph import GraphvizNotFoundError
from minigrad.nn import models

BATCH = 8


class Standardize(nn.Module):
    """Mean 0 and deviation 1 for each channel, as one writes it before knowing batch_norm."""

    def forward(self, x):
        centred = x - np.mean(x, axis=(0, 2, 3), keepdims=True)
        return centred / np.sqrt(np.mean(centred**2, axis=(0, 2, 3), keepdims=True))


def pixels(*shape):
    return Tensor(np.random.default_rng(0).random((BATCH, *shape), np.float32), name="x")


def loss_of(network, x):
    """The loss of a batch, recorded in debug mode: the graph then knows the lines of this file."""
    with minigrad.debug(check_finite=False), np.errstate(all="ignore"):
        loss = network.loss(x, np.arange(BATCH) % 10)
    loss.name = "loss"
    return loss


def two_layers():
    return loss_of(models.TwoLayerNet(), pixels(784)).draw(title="TwoLayerNet")


def simple_conv_net():
    return loss_of(models.SimpleConvNet(), pixels(1, 28, 28)).draw(title="SimpleConvNet")


def deep_conv_net():
    return loss_of(models.DeepConvNet(), pixels(1, 28, 28)).draw(title="DeepConvNet")


def first_nan():
    network = models.Network(
        conv1=nn.Conv2d(1, 8, 5),
        relu1=nn.ReLU(),
        standardize=Standardize(),
        pool=nn.MaxPool2d(4),
        flatten=nn.Flatten(),
        linear=nn.Linear(288, 10),
    )
    network.conv1.bias.data[3] = -100  # a filter that never fires: 0 divided by 0
    loss = loss_of(network, pixels(1, 28, 28))
    return loss.draw(title="A dead filter is standardised: where is the first NaN?")


def vanishing_gradient():
    network = models.MultiLayerNet(784, [50] * 8, 10, activation="sigmoid", init=0.05)
    title = "Eight sigmoids: the gradient dies on its way up"
    return loss_of(network, pixels(784)).draw(gradients=True, title=title)


PICTURES = [two_layers, simple_conv_net, deep_conv_net, first_nan, vanishing_gradient]
QUICK = [two_layers, first_nan, vanishing_gradient]

if __name__ == "__main__":
    args = common.arguments(__doc__.splitlines()[0], data=None)
    rows, missing = [], None
    for picture in QUICK if args.quick else PICTURES:
        minigrad.manual_seed(args.seed)
        view = picture()
        paths = [view.to_html(args.out / f"{picture.__name__}.html")]
        try:
            paths += [
                view.render(args.out / f"{picture.__name__}.{form}") for form in ("svg", "png")
            ]
        except GraphvizNotFoundError as error:
            missing = error
        sizes = [f"{path.suffix[1:]} {path.stat().st_size / 1024:,.0f} KiB" for path in paths]
        rows.append([picture.__name__, view.whole.ops, ", ".join(sizes)])
    print(common.table(["picture", "operations", "written"], rows))
    if missing:
        print(f"\nno SVG and PNG: {missing}")
    print(f"\n{args.out} has them: open {args.out / 'first_nan.html'} with a browser")
    drawn = ", ".join(f"{name} {operations}" for name, operations, _ in rows)
    shows = "a picture of what was computed shows the first NaN and a dying gradient"
    common.save_result(args, shows, f"operations: {drawn}")
