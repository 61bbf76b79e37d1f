"""One peer in a process of its own, which forks one for each workload that it is told to measure.

Called by run.py as `worker.py PEER THREADS`. It reads a line of JSON, a workload and perhaps an
update rule, and replies when that is ready; then numbers of seconds to keep working for, each with
its reply, up to an empty line. With a rule it replies the losses of some steps, for `--verify`;
with "arrays" the most bytes at once that the arrays of a step take.
The library is imported once; each workload has the memory of a process that has just done so.
"""

import json
import os
import re
import resource
import statistics
import sys
import time
import warnings
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path

VERIFY_STEPS, VERIFY_RATE = 3, 1e-3
WARM_UP_SECONDS = 0.3


def peak_memory():
    """Bytes; from Linux where it can be had, as getrusage counts the parent's too, before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def use_cores(threads):
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def measure(step, seconds):
    """Median time of a step, over at least three steps and `seconds`."""
    times, clock = [], time.perf_counter
    end = clock() + seconds
    while len(times) < 3 or clock() < end:
        start = clock()
        step()
        times.append(clock() - start)
    return statistics.median(times)


def prepare(peer_name, threads, workload, what=""):
    """Return the step of a workload, warm, and what to reply: or None, and the reply alone."""
    try:
        import workloads

        peer = import_module(f"peer_{peer_name}")
        if hasattr(peer, "use_threads"):
            peer.use_threads(threads)
        build = partial(workloads.WORKLOADS[workload][1], peer)
        if what == "arrays":
            return None, {"arrays": peer.peak_of_arrays(build)}
        if what:
            step = workloads.network(peer, workload, what, VERIFY_RATE, dropout=False)
            return None, {"losses": [step() for _ in range(VERIFY_STEPS)]}
        step = build()
        measure(step, WARM_UP_SECONDS)
    except Exception as error:  # whatever a peer lacks: reported, and shown as a dash
        return None, {"missing": f"{type(error).__name__}: {error}"}
    return step, {"peak": peak_memory()}


def main(peer_name, threads):
    # The replies go through a descriptor of their own: what a library prints cannot spoil them.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def reply(**fields):
        print(json.dumps(fields), file=replies, flush=True)

    use_cores(int(threads))
    warnings.simplefilter("ignore")
    with suppress(Exception):  # what is wrong is told by the process of a workload
        import_module(f"peer_{peer_name}")
    while line := sys.stdin.readline():
        if os.fork():
            reply(ended=os.wait()[1])  # a word at the end: no line is read by a process that ends
            continue
        step, ready = prepare(peer_name, int(threads), *json.loads(line))
        reply(**{"missing": "", **ready})
        while (line := sys.stdin.readline().strip()) and step:
            reply(seconds=measure(step, float(line)), peak=peak_memory())
        os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
