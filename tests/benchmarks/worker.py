"""One peer, one workload, in a process of its own that measures when told to.

Called by run.py as `worker.py PEER WORKLOAD THREADS [RULE]`. With an update rule it
replies the losses of some steps, for `--verify`. Else it writes a line of JSON when ready,
and one for each line read: a number of seconds to keep working for.
"""

import json
import os
import re
import resource
import statistics
import sys
import time
import warnings
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


def main(peer_name, workload, threads, verify=""):
    # The replies go through a descriptor of their own: what a library prints cannot spoil them.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def reply(**fields):
        print(json.dumps(fields), file=replies, flush=True)

    use_cores(int(threads))
    warnings.simplefilter("ignore")
    try:
        import workloads

        peer = import_module(f"peer_{peer_name}")
        if hasattr(peer, "use_threads"):
            peer.use_threads(int(threads))
        imported = peak_memory()
        if verify:
            step = workloads.network(peer, workload, verify, VERIFY_RATE, dropout=False)
            reply(losses=[step() for _ in range(VERIFY_STEPS)])
            return
        step = workloads.WORKLOADS[workload][1](peer)
        measure(step, WARM_UP_SECONDS)
    except Exception as error:  # whatever a peer lacks: reported, and shown as a dash
        reply(missing=f"{type(error).__name__}: {error}")
        return
    reply(imported=imported, peak=peak_memory())
    for line in sys.stdin:
        reply(seconds=measure(step, float(line)), peak=peak_memory())


if __name__ == "__main__":
    main(*sys.argv[1:])
