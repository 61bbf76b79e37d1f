"""Measure minigrad against its peers: `python tests/benchmarks/run.py`, from any directory.

Each peer does the same work (workloads.py) in a process of its own (worker.py). The processes take
turns, so that a busy machine is busy for all; the ratio shown is the median, over the rounds,
of minigrad's time over the peer's time in the same round. Below 1, minigrad is faster. Processes
differ in how their memory happens to lie, so there are several sittings, each with fresh ones.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from workloads import NETWORKS, WORKLOADS  # noqa: E402

US = "minigrad"
_ALL = {"network", "chain", "convolution", "program", "operation"}
# column -> (the functions that its peer_*.py has, the module it is imported as, its distribution)
PEERS = {
    US: (_ALL, "minigrad", "minigrad-np"),
    "torch": (_ALL, "torch", "torch"),
    "torch_fused": ({"network"}, "", ""),
    "jax": ({"network", "program", "operation"}, "jax", "jax"),
    "numpy": ({"network"}, "numpy", "numpy"),
    "mygrad": ({"network", "chain", "convolution"}, "mygrad", "mygrad"),
    "autograd": ({"network", "chain"}, "autograd", "autograd"),
    "dezero": ({"network", "chain", "convolution"}, "", "dezero"),
    "products": ({"network", "convolution", "program"}, "", ""),
}
IMPORT = "import"
IMPORT_CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
# glibc gives large freed arrays back to the system, or not, as the heap happens to lie: a process
# pays page faults in every step or in none. This keeps them in the process (1 GB, 100 MB ahead).
KEEP = {
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "MALLOC_TOP_PAD_": "100000000",
}


def environment(options):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    added = dict.fromkeys(THREADS, str(options.threads)) | (KEEP if options.keep_memory else {})
    return os.environ | added | {"PYTHONPATH": path}


class Worker:
    """The process of a peer, with its library imported."""

    def __init__(self, options, peer):
        command = [sys.executable, HERE / "worker.py", peer, str(options.threads)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=environment(options), text=True, **pipes)
        self.peer = peer

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, line, wanted):
        with suppress(BrokenPipeError):
            print(line, file=self.process.stdin, flush=True)
        reply = json.loads(self.process.stdout.readline() or "{}")
        return reply if wanted in reply else sys.exit(f"{self.peer}: benchmark process died")

    def begin(self, workload, *what):
        """Ready a workload: its reply, or None, with what is missing told."""
        reply = self.ask(json.dumps([workload, *what]), "missing")
        if what or reply["missing"]:
            self.end()
        if reply["missing"]:
            print(f"{self.peer} {workload}: {reply['missing']}", file=sys.stderr)
        return None if reply["missing"] else reply

    def end(self):
        self.ask("", "ended")


def start(peers, options, stack):
    return [stack.enter_context(Worker(options, peer)) for peer in peers]


def sitting(workload, workers, options):
    """Seconds per round of each peer that can do the workload, and the peak memory in bytes."""
    workers = [worker for worker in workers if worker.begin(workload)]
    rounds, peak = {worker.peer: [] for worker in workers}, {}
    for i in range(options.rounds):
        for worker in workers[:: -1 if i % 2 else 1]:
            # Threads that wait for work keep their core busy for some milliseconds.
            time.sleep(0.02)
            reply = worker.ask(options.seconds, "seconds")
            rounds[worker.peer].append(reply["seconds"])
            peak[worker.peer] = reply["peak"]
    for worker in workers:
        worker.end()
    return rounds, peak


def measure(names, peers, options):
    """Of each workload the rounds of all sittings, the highest peaks, and what the arrays take."""
    found = {name: {"seconds": {}, "peak_bytes": {}, "array_bytes": {}} for name in names}
    for i in range(options.sittings):
        with ExitStack() as stack:
            workers = start(peers, options, stack)
            for name in names:
                print(f"{name} ...", file=sys.stderr)
                able = [w for w in workers if WORKLOADS[name][0] in PEERS[w.peer][0]]
                rounds, peak = sitting(name, able, options)
                before, peaks, arrays = found[name].values()
                for peer, seconds in rounds.items():
                    before.setdefault(peer, []).extend(seconds)
                    peaks[peer] = max(peaks.get(peer, 0), peak[peer])
                    if options.memory and i == 0 and peer in (US, "torch"):
                        worker = next(worker for worker in able if worker.peer == peer)
                        arrays[peer] = worker.begin(name, "arrays")["arrays"]
    return found


def measure_imports(peers, options):
    rounds = {peer: [] for peer in peers if PEERS[peer][1]}
    with tempfile.TemporaryDirectory() as cache:  # what is installed is compiled: so is this
        env = environment(options) | {"PYTHONPYCACHEPREFIX": cache}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(options.sittings * options.rounds + 1):
            for peer in list(rounds):
                command = [sys.executable, "-c", IMPORT_CODE.format(PEERS[peer][1])]
                done = subprocess.run(command, env=env, text=True, capture_output=True)
                if done.returncode:
                    print(f"{peer} import: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                    del rounds[peer]
                else:
                    rounds[peer].append(float(done.stdout))
    return {peer: seconds[1:] for peer, seconds in rounds.items()}  # the first round compiles


def ratio(rounds, peer):
    pairs = zip(rounds[US], rounds[peer], strict=True)
    return statistics.median(ours / theirs for ours, theirs in pairs)


def best_torch(rounds):
    """The rounds of plain or fused PyTorch, whichever is faster."""
    names = [name for name in ("torch", "torch_fused") if name in rounds]
    return min(names, key=lambda name: statistics.median(rounds[name]), default=None)


def row(title, rounds, scale, unit):
    def cell(peer):
        if peer not in rounds:
            return "–"
        time_taken = f"{statistics.median(rounds[peer]) * scale:.3g}"
        if peer == US:
            return f"{time_taken} {unit}"
        return f"{ratio(rounds, peer):.2f} ({time_taken})" if US in rounds else f"({time_taken})"

    return [title, cell(US), cell(best_torch(rounds)), *(cell(p) for p in PEERS if p != US)]


def print_table(header, rows):
    rows = [header, ["---"] * len(header), *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for cells in rows:
        print("|", " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)), "|")


def describe(options):
    found = []
    for _, _, distribution in PEERS.values():
        try:
            found += [f"{distribution} {version(distribution)}"] if distribution else []
        except PackageNotFoundError:
            continue
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    keep = ", memory kept" if options.keep_memory else ""
    return f"{options.threads} thread(s), float32, batch 100{keep}; {machine}; {', '.join(found)}"


def verify(peers, options):
    """Losses for the same weights and batch, by peer; False if they are not the same."""
    columns, rows, same = [peer for peer in peers if peer != "products"], [], True
    networks = [name for name in options.only if name in NETWORKS]
    with ExitStack() as stack:
        workers = start(columns, options, stack)
        for name, rule in itertools.product(networks, ("SGD", "Adam")):
            replies = {worker.peer: worker.begin(name, rule) for worker in workers}
            losses = {peer: reply["losses"] for peer, reply in replies.items() if reply}
            for i, which in [(0, "first loss")] * (rule == "SGD") + [(-1, f"third loss, {rule}")]:
                cells = [f"{losses[p][i]:.6f}" if p in losses else "–" for p in columns]
                rows.append([f"{name}, {which}", *cells])
            if rule == "SGD":
                same &= all(max(s) - min(s) < 1e-4 for s in zip(*losses.values(), strict=True))
    print_table(["", *columns], rows)
    print("Adam: PyTorch's and DeZero's epsilon is another, so their later losses differ.")
    print("First losses and SGD:", "the same for all" if same else "NOT the same, off by over 1e-4")
    return same


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    threads_help = "the last cores allowed (taskset) are used"
    parser.add_argument("--threads", type=int, default=1, choices=(1, 2), help=threads_help)
    names = [IMPORT, *WORKLOADS]
    only_help = f"a workload, or the beginning of several: {', '.join(names)}"
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help=only_help)
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS, metavar="PEER")
    parser.add_argument("--sittings", type=int, default=3, help="each with fresh processes")
    parser.add_argument("--rounds", type=int, default=5, help="in each sitting")
    parser.add_argument("--seconds", type=float, default=0.2, help="of each peer in each round")
    parser.add_argument("--quick", action="store_true", help="1 sitting, 3 rounds of 0.05 s")
    keep_help = "of every process: glibc never returns freed memory, so no page faults are timed"
    parser.add_argument("--keep-memory", action="store_true", help=keep_help)
    parser.add_argument("--memory", action="store_true", help="print the peak memory, in MB, too")
    parser.add_argument("--verify", action="store_true", help="compare the losses, not the times")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the times of every round")
    options = parser.parse_args(arguments)
    if options.memory and options.keep_memory:
        parser.error("--memory would measure what --keep-memory keeps: choose one")
    if options.quick:
        options.sittings, options.rounds, options.seconds = 1, 3, 0.05
    chosen = set()
    for start in options.only:
        found = {start} & set(names) or {name for name in names if name.startswith(start)}
        if not found:
            parser.error(f"--only: no workload {start!r}; choose from {', '.join(names)}")
        chosen |= found
    options.only = [name for name in names if name in chosen]
    return options


def main(arguments=None):
    options = parse(arguments)
    peers = [peer for peer in PEERS if peer in options.peers]
    if options.verify:
        return 0 if verify(peers, options) else 1
    rows, memory = [], []
    results = measure([name for name in options.only if name != IMPORT], peers, options)
    for name in options.only:
        scale, unit = WORKLOADS[name][2:] if name != IMPORT else (1e3, "ms")
        if name == IMPORT:
            rounds = measure_imports(peers, options)
            results[name] = {"seconds": rounds, "peak_bytes": {}, "array_bytes": {}}
        rounds, peak, arrays = results[name].values()
        rows.append(row(name, rounds, scale, unit))
        megabytes = [f"{peak[p] / 1e6:.0f}" if p in peak else "–" for p in PEERS]
        held = [f"{arrays[p] / 1e6:.1f}" if p in arrays else "–" for p in (US, "torch")]
        memory.append([name, *megabytes, *held])
    print(f"{describe(options)}\nMinigrad's time, then its ratio to each peer's (in brackets):\n")
    print_table(["", US, "best torch", *(p for p in PEERS if p != US)], rows)
    if options.memory:
        print("\nPeak memory of the process, and of its arrays alone, MB:\n")
        print_table(["", *PEERS, f"{US}'s arrays", "torch's arrays"], memory)
    if options.json:
        temporary = options.json.with_name(options.json.name + ".part")
        temporary.write_text(json.dumps(results, indent=1))
        os.replace(temporary, options.json)


if __name__ == "__main__":
    sys.exit(main())
