"""What a step costs by ranks: measured on 1, 2 and 4 of them, drawn as a model up to 1,024.

    export OMP_NUM_THREADS=1
    for n in 1 2 4; do mpiexec -n $n python docs/mpi_cost.py measure; done
    python docs/mpi_cost.py plot

seconds(R) = fixed + each * rows + latency * log2(R) + 2 (R - 1) / R * bytes / bandwidth: the
first two are the network's own, the last two those of the message with the gradients.
"""

import json
import math
import sys
import time
from pathlib import Path

import numpy as np

from minigrad import distributed, optim
from minigrad import functional as F
from minigrad.files import write
from minigrad.nn import models
from minigrad.training.plots import COLORS

HERE = Path(__file__).parent
FOUND, PICTURE = HERE / "mpi_cost.json", HERE / "images" / "mpi_cost.svg"
NETWORKS = {
    "mlp": (models.TwoLayerNet, (784,)),
    "simple_conv": (models.SimpleConvNet, (1, 28, 28)),
    "deep_conv": (models.DeepConvNet, (1, 28, 28)),
}
ROWS, SIZES = (25, 50, 100), (1_000, 100_000, 10_000_000)  # of a batch; numbers in a message
ETHERNET = 50e-6, 1.25e9  # seconds and bytes a second: 10 Gb Ethernet, by its data sheet
BATCH = 4096  # shared among the ranks


def median_seconds(call, repeats):
    """Return what a call takes that all ranks make together."""
    times = []
    for _ in range(repeats):
        distributed.gathered(0)  # all begin together
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def step_of(network, shape, rows):
    """Return a step of training, on a batch of so many rows for each rank."""
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((rows, *shape)).astype(np.float32), rng.integers(10, size=rows)
    model = network()
    optimizer = optim.Adam(model.parameters())

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), t).backward()
        distributed.average_gradients(model.parameters())
        optimizer.step()

    return step


def overlap(network, shape, rows):
    """Return a step with a message after the sweep, and one with as much sent during it.

    The second is the most that an overlap could gain: the message sets out before the sweep, whole.
    """
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((rows, *shape)).astype(np.float32), rng.integers(10, size=rows)
    model = network()
    sent = np.zeros(sum(p.size for p in model.parameters()), np.float32)
    received = np.zeros_like(sent)

    def after():
        F.cross_entropy(model(x), t).backward()
        distributed.world().Allreduce(sent, received)

    def during():
        loss = F.cross_entropy(model(x), t)
        message = distributed.world().Iallreduce(sent, received)
        loss.backward()
        message.Wait()

    return after, during


def measure():
    """Add to the file what steps and messages take on so many ranks."""
    ranks = str(distributed.size())
    found = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    steps, messages = found.setdefault("steps", {}), found.setdefault("messages", {})
    steps[ranks] = {
        name: {str(rows): median_seconds(step_of(network, shape, rows), 40) for rows in ROWS}
        for name, (network, shape) in NETWORKS.items()
    }
    if distributed.size() > 1:
        arrays = [np.ones(n, np.float32) for n in SIZES]
        times = [median_seconds(lambda a=a: distributed.summed(a), 60) for a in arrays]
        messages[ranks] = {str(4 * n): t for n, t in zip(SIZES, times, strict=True)}
    if ranks == "2":
        for name, (network, shape) in NETWORKS.items():
            after, during = overlap(network, shape, 50)
            pairs = [(median_seconds(during, 9), median_seconds(after, 9)) for _ in range(15)]
            ratio = float(np.median([one / other for one, other in pairs]))
            found.setdefault("overlapped over after", {})[name] = ratio
    if distributed.rank() == 0:
        write(FOUND, json.dumps(found, indent=1) + "\n")
        print(json.dumps(found, indent=1))


def fitted(points):
    """Return intercept and slope through what was measured, relative errors least."""
    x, y = np.array([[float(k), v] for k, v in points.items()]).T
    rows = np.stack([1 / y, x / y], axis=1)
    intercept, slope = np.linalg.lstsq(rows, np.ones(len(y)), rcond=None)[0]
    return max(float(intercept), 0.0), float(slope)


def link(found):
    """Return latency and bandwidth of the messages of two ranks of one machine."""
    fixed, slope = fitted(found["messages"]["2"])
    return fixed, 1 / slope


def seconds(found, name, ranks, rows, latency, bandwidth):
    """Return the model's seconds a step."""
    fixed, each = fitted(found["steps"]["1"][name])
    network, _ = NETWORKS[name]
    size = 4 * sum(p.size for p in network().parameters())
    message = latency * math.log2(ranks) + 2 * (ranks - 1) / ranks * size / bandwidth
    return fixed + each * rows + message


def compared(found):
    """Return a table of what a step takes on two ranks, by the model and as measured."""
    rows = ["| | 1 rank, ms | 2 ranks, ms | by the model | begun before the sweep |"]
    rows.append("| --- | ---: | ---: | ---: | ---: |")
    for name in NETWORKS:
        one, two = (1e3 * found["steps"][ranks][name]["50"] for ranks in "12")
        model = 1e3 * seconds(found, name, 2, 50, *link(found))
        ratio = found["overlapped over after"][name]
        rows.append(f"| {name} | {one:.2f} | {two:.2f} | {model:.2f} | {ratio:.2f} |")
    return "\n".join(rows)


def plot():
    """Draw the model, and print where it is at its best and what it says beside the measured."""
    from matplotlib.figure import Figure

    found = json.loads(FOUND.read_text())
    print(compared(found))
    ranks = 2 ** np.arange(11)
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (title, wire) in zip(
        panels,
        [("one machine, shared memory", link(found)), ("10 Gb Ethernet", ETHERNET)],
        strict=True,
    ):
        for name, color in zip(NETWORKS, COLORS, strict=False):
            one = seconds(found, name, 1, BATCH, *wire)
            gain = [one / seconds(found, name, int(r), BATCH / r, *wire) for r in ranks]
            axes.plot(ranks, gain, color=color, marker="o", ms=3, label=name)
            best = int(np.argmax(gain))
            print(f"{title}: {name} gains most, {gain[best]:.1f} times, on {ranks[best]} ranks")
        axes.plot(ranks, ranks, color="#999999", linestyle=":", label="ideal")
        axes.set(xscale="log", yscale="log", xlabel="ranks", title=title)
        axes.set_xticks([1, 4, 16, 64, 256, 1024], [1, 4, 16, 64, 256, "1,024"])
        axes.minorticks_off()
    panels[0].set_ylabel(f"steps a second, of those of one rank\n(batch {BATCH:,} in all)")
    panels[0].legend(frameon=False)
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    {"measure": measure, "plot": plot}[sys.argv[1]]()
