"""Train the book's first network on handwritten digits (the book, section 5.7.4).

linear - relu - linear, 50 units between, with SGD and a learning rate of 0.1: about 10,000 steps of
100 images, as in the book. On MNIST 97 % of the test images are read right.
"""

import common

from minigrad import optim
from minigrad.nn.models import TwoLayerNet
from minigrad.training import Trainer

EPOCHS, QUICK = {"digits": 700, "mnist": 17}, {"digits": 60, "mnist": 1}

if __name__ == "__main__":
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK)
    (x, t), test = common.load(args)
    trainer = Trainer(model := TwoLayerNet(x.shape[1]), optim.SGD(model.parameters(), lr=0.1))
    history = trainer.fit((x, t), test, epochs=args.epochs, batch_size=args.batch_size)
    history.save(args.out / "twolayer.json")
    measured = {"training": trainer.evaluate((x, t)), "test": trainer.evaluate(test)}
    rows = [[part, f"{m['loss']:.4f}", f"{m['accuracy']:.2%}"] for part, m in measured.items()]
    print(common.table(["images", "loss", "accuracy"], rows))
    with common.style():
        common.save_figure(history.plot(), args.out / "twolayer.png")
    print(f"picture: {args.out / 'twolayer.png'}")
    accuracy = measured["test"]["accuracy"]
    shows = "two layers read digits"
    common.save_result(
        args, shows, f"test accuracy {accuracy:.2%} after {len(history.losses):,} steps"
    )
