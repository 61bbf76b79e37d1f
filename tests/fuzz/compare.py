"""A long run of random programs against PyTorch: `python tests/fuzz/compare.py --programs 20000`.

Prints what was tried and each program that did not agree, by its seed, and exits with 1 if there
was one. `--seed N --programs 1` runs one again.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parents[1])]

import random_programs as programs  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=2_000, help="how many (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's seed (default: 0)")
    options = parser.parse_args()
    kinds, changes, second, wrong = Counter(), Counter(), 0, 0
    start = time.perf_counter()
    for seed in range(options.seed, options.seed + options.programs):
        try:
            found = programs.run(seed)
        except Exception as error:
            found = programs.Found(Counter(), False, "none", f"{type(error).__name__}: {error}")
        kinds += found.kinds
        changes[found.change] += 1
        second += found.second
        if found.mismatch:
            wrong += 1
            print(f"seed {seed}: {found.mismatch} ({', '.join(found.kinds)})", flush=True)
    seconds = time.perf_counter() - start
    print(f"{options.programs} programs in {seconds:.0f} s, {kinds.total()} steps of {len(kinds)}")
    print(f"kinds; {second} to the second order; after a change in place {changes['refused']}")
    print(f"refused and {changes['harmless']} harmless; {wrong} mismatches")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
