"""Make more of few images by changing them (the book, section 8.1.2).

The same network learns the same few images as they are, moved by a pixel or two, and moved with
noise, anew in each epoch. Moving pays where digits lie here and there: in MNIST, and in the last
column, whose test images are moved. Noise does not: the test images have none.
"""

import common

from minigrad import manual_seed, optim
from minigrad.data import DataLoader, augment, noise, shift
from minigrad.nn.models import SimpleConvNet
from minigrad.training import Trainer

IMAGES = {"digits": 100, "mnist": 300}
PIXELS = {"digits": 1, "mnist": 2}
NOISE = 0.1
DIGITS, VERSIONS = (2, 3, 5), 6  # in the picture


def train(label, transform, data, args):
    """Train with a transform of the batches or none; return the trainer."""
    manual_seed(args.seed)
    model = SimpleConvNet(data[0].shape[1:], kernel_size=3, init="he")
    trainer = Trainer(model, optim.Adam(model.parameters()), progress=label)
    size = args.batch_size
    trainer.fit(
        DataLoader(*data, batch_size=size, shuffle=True, transform=transform), epochs=args.epochs
    )
    return trainer


def main():
    args = common.arguments(__doc__.splitlines()[0], epochs=200, quick=100, batch_size=50)
    (x, t), test = common.load(args, flatten=False)
    n, pixels = IMAGES[args.data], PIXELS[args.data]
    data = x[:n], t[:n]
    change = augment(shift(pixels), noise(NOISE))
    transforms = {"as they are": None, "moved": augment(shift(pixels)), "moved, noise": change}
    moved = augment(shift(pixels), rng=args.seed)(*test)
    rows = []
    for label, transform in transforms.items():
        trainer = train(label, transform, data, args)
        measured = [trainer.evaluate(part)["accuracy"] for part in (data, test, moved)]
        rows.append([label, *map("{:.2%}".format, measured)])
    header = [f"{n} images", "train accuracy", "test accuracy", "test images moved"]
    print(common.table(header, rows))

    manual_seed(args.seed)
    title = f"Moved by up to {pixels} {'pixel' if pixels == 1 else 'pixels'}, noise of {NOISE}"
    path = args.out / "data_augmentation.png"
    with common.picture(path, len(DIGITS), VERSIONS, (9, 4.8), title) as panels:
        for i, line in enumerate(panels):
            for k, axes in enumerate(line):
                image = x[t == DIGITS[i]][:1]
                common.show_image(axes, (change(image)[0] if k else image)[0, 0])
        panels[0, 0].set_title("original")
        panels[0, 1].set_title("changed")
    found = "; ".join(f"{label}: {still}, {moved}" for label, _, still, moved in rows)
    shows = "moved copies teach to read moved digits"
    common.save_result(args, shows, f"accuracy on test images and moved ones, {n} images {found}")


if __name__ == "__main__":
    main()
