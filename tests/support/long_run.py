"""A run with everything that draws or remembers; it goes on from its checkpoints.

Usage: python long_run.py FOLDER [EPOCHS]
"""

import sys
from pathlib import Path

import numpy as np

import minigrad
from minigrad import nn, optim
from minigrad.data import DataLoader, augment, noise, shift
from minigrad.training import EMA, CSVLogger, EarlyStopping, Trainer

rng = np.random.default_rng(0)
X = rng.standard_normal((130, 1, 8, 8)).astype(np.float32)
T = rng.integers(4, size=130)
EPOCHS = 6


def trainer(folder=None, **options):
    minigrad.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout2d(0.2), nn.Flatten(),
        nn.Linear(144, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3, rng=2), nn.Linear(16, 4),
    )  # fmt: skip
    optimizer = optim.Adam(model.parameters(), lr=0.01, weight_decay=0.01)
    schedule = optim.WarmUp(optimizer, 10, optim.CosineDecay(optimizer, 60))
    callbacks = [EMA(0.9), EarlyStopping(50)]
    if folder is not None:
        callbacks.append(CSVLogger(Path(folder) / "log.csv"))
    return Trainer(
        model, optimizer, schedule=schedule, callbacks=callbacks, progress=False,
        max_grad_norm=1.0, **options,
    )  # fmt: skip


def data(prefetch=0):
    changes = augment(shift(1), noise(0.1), rng=3)
    return DataLoader(X, T, batch_size=16, shuffle=True, transform=changes, prefetch=prefetch)


def fit(run, folder=None, prefetch=0, loader=None, **options):
    options = {"epochs": EPOCHS, "validate_every": 7, **options}
    if folder is not None:
        options = {"checkpoints": folder, "every": 1, "best": "validation_loss", **options}
    return run.fit(loader or data(prefetch), (X[:40], T[:40]), **options)


def result(run):
    """Return the state of a finished run, but for its times."""
    state = run.state_dict()
    state["seconds"] = 0
    state["history"]["epochs"] = [{**row, "seconds": 0} for row in state["history"]["epochs"]]
    for held in state["callbacks"]:
        (held or {}).pop("size", None)
    return state


if __name__ == "__main__":
    where = Path(sys.argv[1])
    run = trainer(where)
    print("begun", flush=True)
    fit(run, where / "checkpoints", epochs=int((sys.argv[2:] or [EPOCHS])[0]))
    minigrad.save(where / "result.npz", result(run))
