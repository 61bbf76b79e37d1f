"""Train LeNet-5 of 1998, as it was and with ReLU, and look into AlexNet (the book, section 7.7).

With the sigmoid LeNet-5 guesses for epochs before it learns; with tanh, or with ReLU and He's
initial weights, it learns at once. AlexNet of 2012 repeats the plan with a thousand times the
parameters: its layers are listed, for an image of 227x227 pixels.
"""

import common

from minigrad import manual_seed, optim
from minigrad.nn.models import AlexNet, LeNet5
from minigrad.training import Trainer

KINDS = {"sigmoid": "xavier", "tanh": "xavier", "relu": "he"}
EPOCHS, QUICK = {"digits": 20, "mnist": 2}, {"digits": 5, "mnist": 1}
IMAGES = 10_000  # of MNIST's 60,000
SMALLEST = 28  # pixels each way


def enlarged(images):
    """Repeat the pixels of images that are too small for LeNet-5."""
    times = -(-SMALLEST // images.shape[-1])
    return images.repeat(times, axis=2).repeat(times, axis=3)


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK)
    (x, t), (x_test, t_test) = common.load(args, flatten=False)
    train, test = (enlarged(x[:IMAGES]), t[:IMAGES]), (enlarged(x_test), t_test)
    rows, histories = [], {}
    for kind, init in KINDS.items():
        manual_seed(args.seed)
        model = LeNet5(train[0].shape[1:], activation=kind, init=init)
        trainer = Trainer(model, optim.Adam(model.parameters()), progress=f"{kind:7}")
        history = trainer.fit(train, epochs=args.epochs, batch_size=args.batch_size)
        end = trainer.evaluate(test)
        rows.append([f"LeNet-5, {kind}", f"{history['loss'][-1]:.4f}", f"{end['accuracy']:.2%}"])
        histories[kind] = history
    print(common.table(["network", "loss", "test accuracy"], rows))
    title = f"LeNet-5: {common.TITLES[args.data]}"
    common.plot_losses(args.out / "lenet.png", histories, title)
    alexnet = AlexNet(init=0.0)  # no time is lost on drawing weights that only get counted
    print(f"\nAlexNet\n\n{alexnet.summary((3, 227, 227))}")
    read = ", ".join(f"{row[0].removeprefix('LeNet-5, ')} {row[2]}" for row in rows)
    count = sum(parameter.size for parameter in alexnet.parameters())
    shows = "LeNet-5 learns at once with tanh and ReLU, late with the sigmoid"
    common.save_result(
        args, shows, f"test accuracy of LeNet-5: {read}; AlexNet has {count:,} parameters"
    )


if __name__ == "__main__":
    main()
