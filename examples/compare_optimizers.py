"""Compare SGD, Momentum, AdaGrad and Adam on handwritten digits (the book, section 6.1.8).

The network is the book's: four hidden layers of 100 units with ReLU, initial weights after He. Each
rule starts from the same weights and sees the same batches, with its default settings.
"""

import common

from minigrad import functional as F
from minigrad import manual_seed, optim
from minigrad.data import DataLoader
from minigrad.nn.models import MultiLayerNet
from minigrad.training import Trainer

RULES = [optim.SGD, optim.Momentum, optim.AdaGrad, optim.Adam]
EPOCHS = {"digits": 170, "mnist": 5}  # about 2000 steps, as in the book
QUICK = {"digits": 20, "mnist": 1}


def network(pixels):
    return MultiLayerNet(pixels, [100] * 4, 10)


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

    title = f"Four update rules: {common.TITLES[args.data]}"
    common.plot_losses(args.out / "loss.png", histories, title)
    (x, t), _ = data
    model = network(x.shape[1])
    loss = F.cross_entropy(model(x[: args.batch_size]), t[: args.batch_size])
    graph = common.save_graph(common.graph_dot(loss, model), args.out / "graph.dot")
    print(f"graph: {graph}")
    print(f"histories: {', '.join(f'{name.lower()}.json' for name in histories)} in {args.out}")


if __name__ == "__main__":
    main()
