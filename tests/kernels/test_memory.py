"""What is freed stays with the process: the system hands out no page a second time."""

import platform

import numpy as np
import pytest

from minigrad import Tensor

resource = pytest.importorskip("resource")


def step():
    x, y = (Tensor(np.ones((512, 512), np.float32), requires_grad=True) for _ in range(2))
    (((x * y + x) * y - x) * x).sum().backward()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_plain_operators_on_large_arrays_get_their_memory_once():
    for _ in range(3):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 1000  # not 20,000
