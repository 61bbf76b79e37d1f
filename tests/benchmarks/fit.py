"""What `Trainer.fit` adds to the loop written by hand: `python tests/benchmarks/fit.py`.

Both train the network `mlp` of the benchmarks (784-50-10, batch 100, SGD) and note the loss of each
step. They take turns in one process, for some epochs each, with one network, as the speed of a
product depends on how its arrays happen to lie. What is timed is the CPU of this thread, so that a
busy machine counts for little. The ratio shown is the median over the rounds.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from minigrad import functional as F
from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.training import Trainer

BATCH, BATCHES, EPOCHS = 100, 100, 10
LEARNING_RATE = 1e-8  # the gradients stay what they are


def network():
    model = nn.Sequential(nn.Linear(784, 50, rng=0), nn.ReLU(), nn.Linear(50, 10, rng=1))
    return model, optim.SGD(model.parameters(), lr=LEARNING_RATE)


def by_fit(model, optimizer, loader, metrics):
    trainer = Trainer(model, optimizer, metrics=metrics, progress=False)
    return lambda: trainer.fit(loader, epochs=EPOCHS)


def by_hand(model, optimizer, batches, accuracy=False):
    """Return the loop over what `batches()` gives."""
    losses, right = [], []

    def run():
        for _ in range(EPOCHS):
            for x, t in batches():
                optimizer.zero_grad()
                y = model(x)
                loss = F.cross_entropy(y, t)
                losses.append(loss.item())
                if accuracy:
                    right.append(F.accuracy(y.detach(), t))
                loss.backward()
                optimizer.step()

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    rng = np.random.default_rng(0)
    x = rng.random((BATCH * BATCHES, 784), np.float32)
    t = rng.integers(10, size=len(x))
    loader = DataLoader(x, t, batch_size=BATCH, shuffle=True)

    def slices():
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            yield x[rows], t[rows]

    one = network()
    runs = {
        "fit": by_fit(*one, loader, {}),
        "fit with accuracy": by_fit(*one, loader, None),
        "loop over the loader": by_hand(*one, lambda: loader),
        "loop over the loader with accuracy": by_hand(*one, lambda: loader, True),
        "loop over slices": by_hand(*one, slices),
        "loop over slices with accuracy": by_hand(*one, slices, True),
    }
    spent = {name: [] for name in runs}
    for i in range(rounds + 1):
        first = i % len(runs)
        for name in [*runs][first:] + [*runs][:first]:
            start = time.thread_time()
            runs[name]()
            spent[name].append(time.thread_time() - start)
    seconds = {name: np.array(all_of_them[1:]) for name, all_of_them in spent.items()}
    steps = BATCHES * EPOCHS
    for name in runs:
        ours = seconds["fit with accuracy" if "accuracy" in name else "fit"]
        beside = f"  fit / it: {np.median(ours / seconds[name]):.3f}"
        own = f"{name:36} {np.median(seconds[name]) / steps * 1e6:6.1f} µs a step"
        print(own if name.startswith("fit") else own + beside)


if __name__ == "__main__":
    main()
