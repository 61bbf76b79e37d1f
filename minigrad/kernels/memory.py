"""Letting the process keep the memory of large arrays from one training step to the next."""

from __future__ import annotations

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from malloc.h
LARGEST_KEPT = 32 << 20  # bytes of one array; glibc takes no larger limit
MOST_KEPT = 512 << 20  # bytes of free memory in all


def keep_freed_memory() -> bool:
    """Ask glibc to keep freed arrays for the next ones; tell whether it agreed.

    By itself it returns large arrays to the system when they are freed and gets them back, page by
    page and filled with zeros, in the next step. Kept, a step of the book's SimpleConvNet takes 0.7
    of the time and of its DeepConvNet 0.75 (one core of an AMD EPYC, Zen 5); eight operators on
    arrays of 1 MiB, and their gradients, a sixth.

    Importing the package calls this, unless the environment sets MALLOC_TRIM_THRESHOLD_ or
    MALLOC_MMAP_THRESHOLD_. It needs glibc.
    """
    chosen = any(f"MALLOC_{name}_THRESHOLD_" in os.environ for name in ("TRIM", "MMAP"))
    if chosen or not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT) and mallopt(M_TRIM_THRESHOLD, MOST_KEPT))
