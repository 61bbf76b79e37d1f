"""The map of what is differentiable is that of the table, and every function is in one list."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
DOCS = Path(__file__).parents[2] / "docs"
spec = importlib.util.spec_from_file_location("coverage_map", DOCS / "coverage.py")
coverage = importlib.util.module_from_spec(spec)
spec.loader.exec_module(coverage)
TEXT = coverage.PAGE.read_text("utf-8")
VERSIONS = TEXT.partition("For NumPy ")[2].partition(";")[0]


def test_the_page_is_current():
    now = f"{np.__version__} and SciPy {coverage.scipy.__version__}"
    if now != VERSIONS:
        new = {n for s in coverage.SPACES.values() for n in coverage.functions(s)}
        unknown = sorted(n for n in new if f"`{n}`" not in TEXT)
        pytest.skip(f"the map is for NumPy {VERSIONS}, this is {now}; not in it: {unknown}")
    expected = coverage.page(json.loads(coverage.PEERS.read_text("utf-8")))
    assert expected == TEXT, "run python docs/coverage.py"


@pytest.mark.parametrize("label", coverage.SPACES)
def test_every_refused_function_has_its_advice(label):
    gone = {"in1d"}  # no more in NumPy 2.4
    refused = set(coverage.sorted_out(coverage.SPACES[label])["refused"])
    assert refused <= set(coverage.REFUSED) | gone


def test_few_are_refused():
    """Of what the list of functions with a useful derivative names, none is."""
    useful = (
        "frexp matvec vecmat vecdot nansum median cumprod quantile average trapezoid cov "
        "corrcoef rot90 resize block insert delete meshgrid compress choose select piecewise "
        "gradient unwrap sort partition unique interp apply_along_axis kron cross convolve "
        "correlate polyval polyfit nan_to_num real imag angle sinc i0 linspace full_like "
    ).split()
    assert {n for n in useful if n in coverage.REFUSED} == set()
    assert coverage.sorted_out(np.linalg)["refused"] == []
    assert coverage.sorted_out(np.fft)["refused"] == []
