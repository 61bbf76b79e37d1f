"""Read digits with 16 bits a number instead of 32 (the book, section 8.3.4).

A trained DeepConvNet, its weights and the images cast to float16, reads the test images as well as
before, in half the memory. It takes longer here, as NumPy has no fast float16 arithmetic; hardware
that has it takes half the time. `--weights` takes those that train_deepnet.py saved.
"""

import sys
import time
from pathlib import Path

import common
import numpy as np

from minigrad import functional as F
from minigrad import no_grad, optim
from minigrad.data import DataLoader
from minigrad.nn.models import DeepConvNet
from minigrad.training import Trainer

EPOCHS, QUICK = {"digits": 40, "mnist": 1}, 12
QUICK_IMAGES = 1000


def probabilities(model, x):
    """The probability of each class for each image, in the precision of the images."""
    model.astype(x.dtype).eval()
    with no_grad():
        batches = DataLoader(x, batch_size=500)
        return np.concatenate([F.softmax(model(batch)).numpy() for (batch,) in batches])


def trained(args, data):
    model = DeepConvNet(data[0].shape[1:])
    if args.weights:
        try:
            model.load_state_dict(np.load(args.weights))
        except (OSError, ValueError) as error:  # its message says what does not fit
            sys.exit(f"--weights {args.weights}: {error}")
    else:
        trainer = Trainer(model, optim.Adam(model.parameters()))
        trainer.fit(data, epochs=args.epochs, batch_size=args.batch_size)
    return model


def main():
    weights = {"type": Path, "metavar": "FILE", "help": "weights.npz of train_deepnet.py"}
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK, {"weights": weights})
    data, (x, t) = common.load(args, flatten=False)
    if args.quick:
        data = tuple(array[:QUICK_IMAGES] for array in data)
        x, t = x[:QUICK_IMAGES], t[:QUICK_IMAGES]
    model = trained(args, data)
    rows, found = [], {}
    for dtype in (np.float32, np.float16):
        began = time.perf_counter()
        p = found[dtype] = probabilities(model, x.astype(dtype))
        seconds = time.perf_counter() - began
        size = sum(parameter.data.nbytes for parameter in model.parameters())
        accuracy = np.mean(p.argmax(axis=1) == t)
        rows.append([p.dtype, f"{accuracy:.2%}", f"{size / 1024:.0f}", f"{seconds:.1f}"])
    print(common.table(["precision", "test accuracy", "KiB of weights", "seconds"], rows))
    single, half = (found[dtype].astype(np.float64) for dtype in found)
    changed = np.sum(single.argmax(axis=1) != half.argmax(axis=1))
    differ = f"{changed} of {len(x)} images are read differently"
    print(f"\n{differ}")

    with common.picture(args.out / "half_precision.png") as axes:
        color = common.COLORS[0]
        axes.loglog(
            single.ravel(), half.ravel(), ".", ms=3, alpha=0.4, color=color, rasterized=True
        )
        axes.loglog([single.min(), 1], [single.min(), 1], "k:", lw=1)
        axes.set_title("Each class of each test image")
        axes.set(xlabel="probability in float32", ylabel="probability in float16")
    read = ", ".join(f"{dtype} {accuracy}" for dtype, accuracy, *_ in rows)
    shows = "16 bits a number are enough to read with"
    common.save_result(args, shows, f"test accuracy {read}; {differ}")


if __name__ == "__main__":
    main()
