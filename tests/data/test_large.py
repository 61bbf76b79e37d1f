"""A mapped file that is larger than memory trains in little of it."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "support" / "large_data.py"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads RssAnon of Linux")
def test_8_gb_take_less_than_300_mb(tmp_path):
    command = [sys.executable, "-W", "error", SCRIPT, tmp_path, "500"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    gigabytes, most = map(float, run.stdout.split())
    assert gigabytes > 8
    assert 0 < most < 300
