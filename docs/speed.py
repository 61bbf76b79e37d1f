"""Measure the speed tables, write and draw them: `python docs/speed.py`, of some ten minutes.

Every workload of tests/benchmarks beside its peers, on one thread and on two. What is found goes
into speed.json; from there into the tables of README.md and performance.md, each after a comment
with its name, and into the picture (plots.py). `--write` only writes and draws what was found
before, `--quick` measures for a moment, to see that all works.
"""

import itertools
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from minigrad.files import write
from minigrad.kernels.threads import blas_kernels

HERE = Path(__file__).parent
ROOT = HERE.parent
FOUND = HERE / "speed.json"
PAGES = ROOT / "README.md", HERE / "performance.md"
sys.path.append(str(ROOT / "tests" / "benchmarks"))

import run  # noqa: E402
from programs import OPERATIONS, PROGRAMS, SIZES  # noqa: E402

NETWORKS = {  # and the chains, and programs: what they are
    "mlp": "mlp: 784-50-10, SGD",
    "mlp_bn": "mlp_bn: 784-[100, batch norm]×5-10, Adam",
    "simple_conv": "simple_conv: the book's SimpleConvNet, Adam",
    "deep_conv": "deep_conv: the book's DeepConvNet, Adam",
    "scalar_op": "one scalar operation, forward and backward",
    "10x10_op": "one operation on 10×10, forward and backward",
    "gpt": "gpt: 2 blocks, width 64, 16 × 64 letters, AdamW",
    "gpt_written": "the same, attention and layer norm written out",
    "gru": "gru: `nn.GRU`, width 128, 32 × 64 steps, SGD",
    "gru_by_hand": "the same, its cell written by hand",
    "lstm": "lstm: `nn.LSTM`, alike",
    "resnet8": "resnet8: 50 images of 28 × 28, SGD",
}
assert set(PROGRAMS) < set(NETWORKS)
PEERS = {
    "jax": "JAX jit", "numpy": "NumPy by hand", "mygrad": "MyGrad", "autograd": "HIPS autograd",
    "dezero": "DeZero",
}  # fmt: skip
ALL_OPERATIONS = [f"op/{name}/{size}" for name in OPERATIONS for size in SIZES]
CONVOLUTIONS = [name for name in run.WORKLOADS if re.fullmatch(r".*_conv/\d", name)]
RUNS = [  # threads, workloads, peers, and for how long
    (1, ["import"], ["minigrad", "numpy"], "--sittings 2"),
    (1, list(NETWORKS), list(run.PEERS), "--memory --sittings 2 --seconds 0.15"),
    (2, list(NETWORKS), ["minigrad", "torch", "torch_fused"], "--sittings 2 --seconds 0.15"),
    (1, CONVOLUTIONS, ["minigrad", "torch", "products"], "--sittings 1"),
    (1, ALL_OPERATIONS, ["minigrad", "torch", "jax"], "--sittings 1 --seconds 0.05"),
    (2, ALL_OPERATIONS, ["minigrad", "torch"], "--sittings 1 --seconds 0.05"),
]


def summary(result):
    """Return of each peer its milliseconds and minigrad's ratio to them, and the bytes."""
    rounds = result["seconds"]
    rounds["best"] = rounds.get(run.best_torch(rounds))
    times = {
        peer: [statistics.median(seconds) * 1e3, run.ratio(rounds, peer)]
        for peer, seconds in rounds.items()
        if seconds
    }
    return {"times": times, "peak": result["peak_bytes"], "arrays": result["array_bytes"]}


def machine():
    """Return the processor's name, as the system tells it, and what NumPy's products make of it."""
    known = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", known.read_text() if known.exists() else "")
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, OpenBLAS's kernels for {blas_kernels()}"


def measure(quick):
    """Return what the runs find, by threads and workload."""
    found = {"machine": f"{os.cpu_count()} cores, {machine()}", "1": {}, "2": {}}
    with tempfile.TemporaryDirectory() as folder:
        for threads, workloads, peers, how in RUNS:
            file = Path(folder) / "found.json"
            arguments = ["--threads", str(threads), "--json", str(file), *how.split()]
            arguments += ["--quick"] * quick + ["--only", *workloads, "--peers", *peers]
            run.main(arguments)
            results = json.loads(file.read_text())
            found[str(threads)] |= {name: summary(result) for name, result in results.items()}
    return found


def rounded(value):
    """Return what was found with four digits."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def cell(found, threads, name, peer, times=True):
    """Return minigrad's time over the peer's, and the latter in brackets."""
    entry = found[threads].get(name, {"times": {}})["times"].get(peer)
    if not entry:
        return "–"
    scale = run.WORKLOADS[name][2] / 1e3
    return f"{entry[1]:.2f} ({entry[0] * scale:.3g})" if times else f"{entry[1]:.2f}"


def own(found, name, threads="1"):
    """Return minigrad's time with its unit."""
    _, _, scale, unit = run.WORKLOADS[name]
    return f"{found[threads][name]['times']['minigrad'][0] * scale / 1e3:.3g} {unit}"


def table(header, rows):
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def networks(found):
    """Return the table of whole training steps."""
    rows = [
        [title, own(found, name), cell(found, "1", name, "best"), cell(found, "2", name, "best")]
        + [cell(found, "1", name, peer) for peer in PEERS]
        for name, title in NETWORKS.items()
        if name in found["1"]
    ]
    header = ["", "minigrad", "PyTorch eager, best", "both on two threads", *PEERS.values()]
    return table(header, rows)


def operations(found):
    """Return the table of single operations, of so many values each."""
    rows = [
        [name, own(found, f"op/{name}/262k")]
        + [cell(found, "1", f"op/{name}/{size}", "torch", False) for size in SIZES]
        + [cell(found, "2", f"op/{name}/{size}", "torch", False) for size in SIZES]
        + [cell(found, "1", f"op/{name}/{size}", "jax", False) for size in SIZES]
        for name in OPERATIONS
    ]
    sizes = [f"{peer}, {size}" for peer in ("PyTorch", "two threads", "JAX") for size in SIZES]
    return table(["", "minigrad, 262k", *sizes], rows)


def convolutions(found):
    """Return the table of the book's convolutions."""
    rows = []
    for name in CONVOLUTIONS:
        (_, n_in, n_out, k, pad), shape = run.WORKLOADS[name][1].keywords.values()
        size = shape[-1] + 2 * pad - k + 1
        title = f"{name}: {n_in} → {n_out}, {k}×{k}, {size}×{size}"
        others = [cell(found, "1", name, peer) for peer in ("products", "best")]
        rows.append([title, own(found, name), *others])
    header = ["channels in → out, kernel, outputs", "minigrad", "bare products", "PyTorch"]
    return table(header, rows)


def limits(found):
    """Return how far each network is from the matrix products that it needs."""
    names = [name for name in NETWORKS if "products" in found["1"][name]["times"]]
    rows = [[name, own(found, name), cell(found, "1", name, "products")] for name in names]
    return table(["", "minigrad", "bare products"], rows)


def memory(found):
    """Return the table of what a step takes, in MB."""
    columns = list(itertools.product(("arrays", "peak"), ("minigrad", "torch")))
    rows = [
        [name, *(f"{found['1'][name][of][peer] / 1e6:.3g}" for of, peer in columns)]
        for name in NETWORKS
        if not name.endswith("_op")
    ]
    return table(["MB", "arrays", "PyTorch's arrays", "process", "PyTorch's process"], rows)


def made(found):
    """Return where the figures are from."""
    entry = found["1"]["import"]["times"]["numpy"]
    return (
        f"Made by `python docs/speed.py` on {found['machine']}. `import minigrad` took "
        f"{entry[1]:.1f} times as long as `import numpy`."
    )


BLOCKS = {f.__name__: f for f in (networks, operations, convolutions, limits, memory, made)}
MARK = re.compile(r"(<!-- speed: (\w+) -->\n)(?:.+\n)*")


def filled(text, found):
    """Return a page with each block, up to the next empty line, made anew."""
    return MARK.sub(lambda match: f"{match[1]}{BLOCKS[match[2]](found)}\n", text)


if __name__ == "__main__":
    if "--write" not in sys.argv:
        write(FOUND, json.dumps(rounded(measure("--quick" in sys.argv)), indent=0) + "\n")
    found = json.loads(FOUND.read_text("utf-8"))
    for page in PAGES:
        write(page, filled(page.read_text("utf-8"), found))
    subprocess.run([sys.executable, HERE / "plots.py"], check=True)
