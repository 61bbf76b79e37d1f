"""Compare SGD, Momentum, AdaGrad and Adam on handwritten digits (the book, section 6.1.8).

The network is the book's: four hidden layers of 100 units with ReLU, initial weights after He. Each
rule starts from the same weights and sees the same batches, with its default settings.
"""

import sys

import common

from minigrad import Tensor, manual_seed, optim
from minigrad.data import DataLoader
from minigrad.graph import GraphvizNotFoundError
from minigrad.nn.models import MultiLayerNet
from minigrad.training import Trainer

RULES = [optim.SGD, optim.Momentum, optim.AdaGrad, optim.Adam]
EPOCHS = {"digits": 170, "mnist": 5}  # about 2000 steps, as in the book
QUICK = {"digits": 20, "mnist": 1}


def train(rule, data, args):
    """Train a network with one rule; return its row of the table, its history, the network."""
    (x, t), test = data
    manual_seed(args.seed)
    model = MultiLayerNet(x.shape[1], [100] * 4, 10)
    bar = sys.stderr.isatty() and f"{rule.__name__:8}"  # four runs of seconds: no lines in a log
    trainer = Trainer(model, rule(model.parameters()), progress=bar)
    loader = DataLoader(x, t, batch_size=args.batch_size, shuffle=True)
    history = trainer.fit(loader, epochs=args.epochs)
    end, test_end = trainer.evaluate((x, t)), trainer.evaluate(test)
    accuracies = [f"{measured['accuracy']:.2%}" for measured in (end, test_end)]
    seconds = sum(history["seconds"])
    return [rule.__name__, f"{end['loss']:.5f}", *accuracies, f"{seconds:.1f}"], history, model


def save_graph(loss, out):
    """Save a page to explore what was computed, and pictures, or texts where nothing draws them."""
    view = loss.draw()
    names = [view.to_html(out / "graph.html").name]
    try:
        names += [view.render(out / name).name for name in ("graph.svg", "graph.png")]
    except GraphvizNotFoundError:
        outline = view.summary() + "\n"
        texts = {"graph.dot": view.source, "graph.mmd": view.to_mermaid(), "graph.txt": outline}
        for name, text in texts.items():
            common.write(out / name, text)
        names += texts
        print('no graph.svg: install Graphviz, or run python -m pip install -e ".[graph]"')
    print(f"graph: {', '.join(names)} in {out}: open {out / 'graph.html'} with a browser")


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK, batch_size=128)
    data = common.load(args)
    rows, histories = [], {}
    for rule in RULES:
        row, history, model = train(rule, data, args)
        history.save(args.out / f"{rule.__name__.lower()}.json")
        rows.append(row)
        histories[rule.__name__] = history
    print(common.table(["rule", "loss", "train accuracy", "test accuracy", "seconds"], rows))

    title = f"Four update rules: {common.TITLES[args.data]}"
    common.plot_losses(args.out / "loss.png", histories, title)
    (x, t), _ = data
    images = Tensor(x[: args.batch_size], name="images")
    loss = model.loss(images, t[: args.batch_size])
    loss.name = "loss"
    save_graph(loss, args.out)
    print(f"histories: {', '.join(f'{name.lower()}.json' for name in histories)} in {args.out}")
    found = "; ".join(f"{row[0]}: {row[1]}, {row[3]}" for row in rows)
    shows = "Momentum, AdaGrad and Adam learn faster than SGD"
    common.save_result(args, shows, f"loss and test accuracy, {found}")


if __name__ == "__main__":
    main()
