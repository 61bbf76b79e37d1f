"""See what the first layer of a convolutional network looks for (the book, section 7.6.1).

Before training the filters are noise; after it neighbouring weights agree, and edges and blobs
appear. The second picture is one digit through four of them: dark where the pattern is found.
"""

import common
import convnets
import numpy as np

from minigrad import Tensor, no_grad, optim
from minigrad.nn.models import SimpleConvNet
from minigrad.training import Trainer

EPOCHS, QUICK = {"digits": 60, "mnist": 3}, {"digits": 20, "mnist": 1}
SHOWN = 4  # filters whose answers are shown


def agreement(filters):
    """The correlation of neighbouring weights: 0 for noise, towards 1 for edges and blobs."""
    across = [(filters[..., 1:], filters[..., :-1]), (filters[..., 1:, :], filters[..., :-1, :])]
    one, other = (np.concatenate([pair[i].ravel() for pair in across]) for i in range(2))
    return np.corrcoef(one, other)[0, 1]


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK)
    (x, t), test = common.load(args, flatten=False)
    model = SimpleConvNet(x.shape[1:], kernel_size=3 if args.data == "digits" else 5)
    filters = {"before training": model.conv1.weight.data.copy()}
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.001))
    trainer.fit((x, t), epochs=args.epochs, batch_size=args.batch_size)
    filters["after"] = model.conv1.weight.data
    rows = [[name, f"{w.std():.3f}", f"{agreement(w):+.2f}"] for name, w in filters.items()]
    header = ["filters", "standard deviation", "correlation of neighbours"]
    print(common.table(header, rows))
    accuracy = trainer.evaluate(test)["accuracy"]
    print(f"\ntest accuracy: {accuracy:.2%}")

    with common.style():
        path = args.out / "filters.png"
        common.save_figure(convnets.filters_figure(filters, "SimpleConvNet"), path)
    print(f"picture: {path}")
    strongest = np.argsort(-np.abs(filters["after"]).sum(axis=(1, 2, 3)))[:SHOWN]
    digit = test[0][:1]
    with no_grad():
        found = model.relu1(model.conv1(Tensor(digit))).numpy()[0]
    path, shape = args.out / "feature_maps.png", (2, SHOWN + 1)
    with common.picture(path, *shape, (9, 4)) as panels:
        common.show_image(panels[0, 0], digit[0, 0], "test image")
        panels[1, 0].remove()
        for k, (above, below) in zip(strongest, panels[:, 1:].T, strict=True):
            weights = filters["after"][k, 0]
            most = np.abs(weights).max()
            common.show_image(above, weights, f"filter {k + 1}", vmin=-most, vmax=most)
            common.show_image(below, found[k], "where it fits", vmax=found[k].max())
    change = ", ".join(f"{row[0]} {row[2]}" for row in rows)
    result = f"correlation of neighbouring weights: {change}; test accuracy {accuracy:.2%}"
    shows = "filters are noise before training, edges and blobs after it"
    common.save_result(args, shows, result)


if __name__ == "__main__":
    main()
