"""What the ranks of a test do: `mpiexec -n 2 python mpi_run.py MODE FOLDER`."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import minigrad
from minigrad import Tensor, distributed, nn, optim
from minigrad.data import DataLoader
from minigrad.training import Trainer

mode, folder = sys.argv[1], Path(sys.argv[2])
rank, size = distributed.rank(), distributed.size()
rng = np.random.default_rng(0)
X, T = rng.standard_normal((624, 12)), rng.integers(3, size=624)
DOUBLE = {"dtype": np.float64}


def trainer(dropout=0.0):
    minigrad.manual_seed(3 + rank)  # rank 0's weights are everyone's
    layers = [nn.Linear(12, 16, False, **DOUBLE), nn.BatchNorm1d(16, **DOUBLE), nn.ReLU()]
    layers += [nn.Linear(16, 8, False, **DOUBLE), nn.BatchNorm1d(8, **DOUBLE)]
    layers += [nn.Dropout(dropout)] if dropout else []
    model = nn.Sequential(*layers, nn.Linear(8, 3, **DOUBLE))
    distributed.synchronise_batch_norm(model)
    optimizer = optim.Adam(model.parameters(), 0.01)
    return Trainer(model, optimizer, distributed=True, progress=False, max_grad_norm=1.0)


def fit(run, **options):
    loader = DataLoader(X, T, batch_size=50, shuffle=True)
    return run.fit(loader, (X[:61], T[:61]), **{"steps": 50, **options})


if mode == "train":
    run = trainer()
    fit(run)
    weights = run.model.state_dict()
    for name, array in weights.items():
        assert np.array_equal(distributed.from_rank_0(array), array), name
    if rank == 0:
        rows = [{**row, "seconds": 0} for row in run.history.epochs]
        found = {"weights": weights, "losses": run.history.losses, "rows": rows}
        minigrad.save(folder / f"{size}.npz", found)

elif mode == "draws":
    run = trainer(0.5)
    drawn = distributed.gathered(minigrad.random.generator().random())
    assert len(set(drawn)) == size
    fit(run, steps=7)

elif mode in ("whole", "killed"):
    run = trainer(0.5)
    marker = folder / "killed once"

    class Killer:
        def on_step(self, run):
            if len(run.history.losses) == 31 and rank == 1 and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            pass

    run.callbacks.append(Killer())
    if mode == "whole":
        marker.touch()
    fit(run, checkpoints=folder / mode, every=5)
    if rank == 0:
        minigrad.save(folder / f"{mode}.npz", [run.model.state_dict(), run.history.losses])

elif mode == "error":
    distributed.from_rank_0(0)
    if rank == 1:
        raise RuntimeError("what went wrong")
    time.sleep(60)

elif mode == "parts":
    assert distributed.summed(np.array([rank + 1.0])).tolist() == [size * (size + 1) / 2]
    assert distributed.gathered(rank) == [*range(size)]
    assert distributed.share_of(rank + 1) == (rank + 1) * 2 / (size + 1)
    p, q, unused = (Tensor(np.ones(2), requires_grad=True) for _ in range(3))
    p.grad = np.array([1.0, 2.0]) * (rank + 1)
    if rank == 0:
        q.grad = np.array([4.0, 0.0])
    assert distributed.average_gradients([p, unused, q], 10.0 * rank) == [10 * (size - 1) / 2]
    assert p.grad.data.tolist() == [(size + 1) / 2, size + 1]
    assert q.grad.data.tolist() == [4 / size, 0]
    assert unused.grad is None
    loader = distributed.shard(DataLoader(X, T, batch_size=50, shuffle=True, drop_last=True))
    rows = [t.tolist() for _, t in loader]
    together = distributed.gathered(rows)
    assert sum(len(batch) for part in together for batch in part) == 600
    layer = nn.Linear(2, 2, rng=rank)
    distributed.broadcast(layer)
    assert len({w.tobytes() for w in distributed.gathered(layer.weight.data)}) == 1

elif mode == "speed":  # ROWS STEPS: the time of a step of connected ranks over that of others
    rows, steps = map(int, sys.argv[3:])
    x = rng.standard_normal((rows, 1, 28, 28)).astype(np.float32)
    t = rng.integers(10, size=rows)
    model = nn.models.DeepConvNet()
    optimizer = optim.Adam(model.parameters())

    def seconds(connected):
        distributed.gathered(0)
        began = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad()
            minigrad.functional.cross_entropy(model(x), t).backward()
            if connected:
                distributed.average_gradients(model.parameters())
            optimizer.step()
        return (time.perf_counter() - began) / steps

    times = {connected: [] for connected in (True, False)}
    for _ in range(20):
        for connected, found in times.items():
            rate = sum(1 / one for one in distributed.gathered(seconds(connected)))
            found.append(rows * rate)
    if rank == 0:
        connected, alone = np.median(times[True]), np.median(times[False])
        ratios = np.array(times[True]) / np.array(times[False])
        print(
            f"{size} ranks of {rows} rows: {connected:.0f} images a second connected, {alone:.0f} "
            f"unconnected, ratio {connected / alone:.3f}, of pairs {np.median(ratios):.3f}"
        )

print(f"rank {rank} of {size} done", flush=True)
