"""Compare SGD, Momentum, AdaGrad and Adam on handwritten digits (the book, section 6.1.7).

The network is the book's: four hidden layers of 100 units with ReLU, initial weights after He. Each
rule starts from the same weights and sees the same batches, with its default settings.
"""

from itertools import chain, pairwise

import common
from matplotlib.figure import Figure
from matplotlib.style import context

from minigrad import functional as F
from minigrad import manual_seed, nn, optim
from minigrad.data import DataLoader
from minigrad.training import Trainer

RULES = [optim.SGD, optim.Momentum, optim.AdaGrad, optim.Adam]
EPOCHS = {"digits": 170, "mnist": 5}  # about 2000 steps, as in the book
QUICK = {"digits": 20, "mnist": 1}


def network(pixels):
    sizes = [pixels, 100, 100, 100, 100]
    hidden = [(nn.Linear(n, m), nn.ReLU()) for n, m in pairwise(sizes)]
    return nn.Sequential(*chain(*hidden), nn.Linear(sizes[-1], 10))


def train(rule, data, args):
    """Train a network with one rule; return its row of the table and its history."""
    (x, t), test = data
    manual_seed(args.seed)
    model = network(x.shape[1])
    trainer = Trainer(model, rule(model.parameters()), progress=f"{rule.__name__:8}")
    loader = DataLoader(x, t, batch_size=args.batch_size, shuffle=True)
    history = trainer.fit(loader, epochs=args.epochs)
    end, test_end = trainer.evaluate((x, t)), trainer.evaluate(test)
    accuracies = [f"{measured['accuracy']:.2%}" for measured in (end, test_end)]
    seconds = sum(history["seconds"])
    return [rule.__name__, f"{end['loss']:.5f}", *accuracies, f"{seconds:.1f}"], history


def plot(histories, title):
    with context(common.STYLE):
        figure = Figure()
        axes = figure.subplots()
        for (name, history), color in zip(histories.items(), common.COLORS, strict=False):
            history.plot(axes, label=name, color=color)
        axes.set(title=title, xlabel="step", ylabel="loss of the batch (cross entropy)")
        axes.legend()
        return figure


def main():
    args = common.options(__doc__.splitlines()[0], batch_size=128).parse_args()
    args.epochs = args.epochs or (QUICK if args.quick else EPOCHS)[args.data]
    data = common.load(args)
    rows, histories = [], {}
    for rule in RULES:
        row, history = train(rule, data, args)
        history.save(args.out / f"{rule.__name__.lower()}.json")
        rows.append(row)
        histories[rule.__name__] = history
    print(common.table(["rule", "loss", "train accuracy", "test accuracy", "seconds"], rows))

    figure = plot(histories, f"Four update rules on {common.TITLES[args.data]}")
    common.save_figure(figure, args.out / "loss.png")
    (x, t), _ = data
    model = network(x.shape[1])
    loss = F.cross_entropy(model(x[: args.batch_size]), t[: args.batch_size])
    graph = common.save_graph(common.graph_dot(loss, model), args.out / "graph.dot")
    print(f"\nloss curves: {args.out / 'loss.png'}\ngraph: {graph}")
    print(f"histories: {', '.join(f'{name.lower()}.json' for name in histories)} in {args.out}")


if __name__ == "__main__":
    main()
