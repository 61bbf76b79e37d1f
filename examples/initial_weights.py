"""Compare initial weights on handwritten digits (the book, section 6.2.4).

Four hidden layers of 100 units with ReLU, trained by SGD. With a standard deviation of 0.01 the
activations all but vanish on their way, and so do the gradients: the loss stays at log(10) = 2.30,
that of guessing. With Xavier's deviation the network learns, with He's, made for ReLU, faster.
"""

import common

from minigrad import manual_seed, optim
from minigrad.data import DataLoader
from minigrad.nn.models import MultiLayerNet
from minigrad.training import Trainer

INITS = {"std 0.01": 0.01, "Xavier": "xavier", "He": "he"}
EPOCHS = {"digits": 170, "mnist": 5}  # about 2000 steps, as in the book
QUICK = {"digits": 40, "mnist": 1}


def train(name, data, args):
    """Train from one kind of initial weights; return its row of the table and its history."""
    (x, t), test = data
    manual_seed(args.seed)
    model = MultiLayerNet(x.shape[1], [100] * 4, 10, init=INITS[name])
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.01), progress=f"{name:8}")
    batches = DataLoader(x, t, batch_size=args.batch_size, shuffle=True)
    history = trainer.fit(batches, epochs=args.epochs)
    end = trainer.evaluate(test)
    return [name, f"{history['loss'][-1]:.4f}", f"{end['accuracy']:.2%}"], history


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK, batch_size=128)
    data = common.load(args)
    rows, histories = [], {}
    for name in INITS:
        row, histories[name] = train(name, data, args)
        rows.append(row)
    print(common.table(["weights", "loss", "test accuracy"], rows))
    title = f"Initial weights: {common.TITLES[args.data]}"
    common.plot_losses(args.out / "initial_weights.png", histories, title)
    found = "; ".join(f"{name}: {loss}, {accuracy}" for name, loss, accuracy in rows)
    shows = "from tiny weights nothing is learnt; He's suit ReLU better than Xavier's"
    common.save_result(args, shows, f"loss and test accuracy, {found}")


if __name__ == "__main__":
    main()
