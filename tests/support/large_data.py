"""Train on a mapped file of 8 GB, and print the most anonymous memory that it took, in MB."""

import sys
import threading
import time
from pathlib import Path

import numpy as np

from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.training import Trainer

ROWS, FEATURES = 2_621_440, 784  # 8.2 GB of float32


def anonymous():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0


most, over = 0, threading.Event()


def watch():
    global most
    while not over.is_set():
        most = max(most, anonymous())
        time.sleep(0.01)


path = Path(sys.argv[1]) / "x.npy"
x = np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, FEATURES))  # holes until written
x[::100_000] = 1
del x
threading.Thread(target=watch, daemon=True).start()
x = np.load(path, mmap_mode="r")
t = np.zeros(ROWS, np.uint8)
model = nn.models.TwoLayerNet(rng=0)
trainer = Trainer(model, optim.SGD(model.parameters()), progress=False)
loader = DataLoader(x, t, batch_size=256, shuffle=True, rng=0, prefetch=2)
trainer.fit(loader, steps=int(sys.argv[2]))
over.set()
print(f"{path.stat().st_size / 1e9:.1f} {most:.0f}")
