"""The table of docs/other_libraries.md: what becomes of each array that meets a Tensor."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, gradients

PAGE = Path(__file__).parents[2] / "docs" / "other_libraries.md"
WAYS = "Tensor(x)", "n * x", "x * n", "t * x", "x * t"
ROWS = {
    name.replace("`", ""): dict(zip(WAYS, cells, strict=True))
    for name, *cells in (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\| .*\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    )
    if name != "`x`"
}
VALUES = [1.0, 2.0]


def torch(**options):
    return pytest.importorskip("torch").tensor(VALUES, **options)


def pandas():
    return pytest.importorskip("pandas")


def matrix():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(VALUES)


def read_only():
    array = np.array(VALUES)
    array.flags.writeable = False
    return array


def mapped(folder):
    array = np.memmap(folder / "numbers", np.float32, "w+", shape=2)
    array[:] = VALUES
    return array


MAKE = {
    "list of numbers": lambda _: VALUES,
    "memoryview of doubles": lambda _: memoryview(np.array(VALUES)),
    "PyTorch tensor on the CPU": lambda _: torch(),
    "PyTorch tensor that requires a gradient": lambda _: torch(requires_grad=True),
    "JAX array": lambda _: pytest.importorskip("jax.numpy").array(VALUES),
    "pandas Series": lambda _: pandas().Series(VALUES),
    "pandas DataFrame": lambda _: pandas().DataFrame({"a": VALUES, "b": VALUES}),
    "pandas DataFrame with text": lambda _: pandas().DataFrame({"a": VALUES, "b": ["x", "y"]}),
    "xarray DataArray": lambda _: pytest.importorskip("xarray").DataArray(VALUES),
    "SciPy sparse matrix": lambda _: pytest.importorskip("scipy.sparse").eye(2).tocsr(),
    "masked array": lambda _: np.ma.array(VALUES, mask=[True, False]),
    "np.matrix": lambda _: matrix(),
    "structured array": lambda _: np.array([(1.0, 2)] * 2, [("a", "f4"), ("b", "i4")]),
    "array of objects": lambda _: np.array([1.0, None], object),
    "array of text": lambda _: np.array(["1.0", "2.0"]),
    "array of dates": lambda _: np.array(["2020", "2021"], "M8[D]"),
    "array of complex numbers": lambda _: np.array([1.0, 2.0j]),
    "big-endian array": lambda _: np.array(VALUES, ">f4"),
    "read-only array": lambda _: read_only(),
    "memory-mapped array": mapped,
}
NAMED = {  # what the refusal of `Tensor(x)` names
    "PyTorch tensor that requires a gradient": "requires grad",
    "pandas DataFrame with text": "got object",
    "SciPy sparse matrix": "got object",
    "masked array": "a MaskedArray",
    "np.matrix": "a matrix",
    "structured array": r"got \[\('a'",
    "array of objects": "got object",
    "array of text": "got <U3",
    "array of dates": "got datetime64",
}


def test_each_row_has_its_test():
    assert set(ROWS) == set(MAKE)


def as_arrays(value):
    """Return what is in a result of another library, as an array."""
    value = getattr(value, "data", value) if type(value).__name__ == "DataArray" else value
    return value.data if isinstance(value, Tensor) else np.asarray(value)


@pytest.mark.parametrize("way", ["n * x", "x * n", "t * x", "x * t"])
@pytest.mark.parametrize("name", MAKE)
def test_arithmetic(name, way, tmp_path):
    x = MAKE[name](tmp_path)
    bare = np.array([3.0, 4.0], np.float32)
    tensor = Tensor(bare, requires_grad="t" in way)
    expected = ROWS[name][way]
    left, right = (tensor, x) if way.endswith("x") else (x, tensor)
    if expected == "refused":
        with pytest.raises((TypeError, RuntimeError)):
            left * right
        return
    result = left * right
    if expected == "works":
        assert type(result) is Tensor
        np.testing.assert_array_equal(result.data, bare * np.asarray(x))
        if "t" in way:
            (g,) = gradients(np.sum(np.real(result)), [tensor])
            np.testing.assert_array_equal(g.data, np.real(x))
        return
    theirs = bare * x if left is tensor else x * bare
    assert type(result) is type(theirs)
    np.testing.assert_array_equal(as_arrays(result), as_arrays(theirs))
    if "t" in way:
        assert result.data.requires_grad  # it holds the Tensor


@pytest.mark.parametrize("name", MAKE)
def test_a_tensor_is_made(name, tmp_path):
    x = MAKE[name](tmp_path)
    for requires_grad in (False, True):
        if ROWS[name]["Tensor(x)"] == "refused":
            with pytest.raises((TypeError, RuntimeError), match=NAMED[name]):
                Tensor(x, requires_grad)
        else:
            t = Tensor(x, requires_grad)
            np.testing.assert_array_equal(t.data, np.asarray(x))
            if requires_grad:  # the memory is its own
                t.data += 1
                np.testing.assert_array_equal(t.data, np.asarray(x) + 1)


# ---------------------------------------------------------------------------------------- DLPack
@pytest.mark.parametrize("library", ["numpy", "torch", "jax.numpy"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_dlpack_in_both_directions(library, dtype):
    theirs = pytest.importorskip(library)
    if library == "jax.numpy" and dtype == "float64":
        pytest.skip("JAX is in float32 here")
    values = np.arange(6).reshape(2, 3).astype(dtype)
    t = Tensor(values)
    given = theirs.from_dlpack(t)
    assert np.asarray(given).tolist() == t.tolist()
    if library != "jax.numpy":  # which copies what does not lie as it wishes
        assert np.shares_memory(np.asarray(given), t.data)
    source = theirs.asarray(values)
    t = minigrad.from_dlpack(source)
    assert type(t) is Tensor
    assert (t.dtype, t.tolist()) == (values.dtype, values.tolist())
    assert np.shares_memory(t.data, np.asarray(source))


def test_dlpack_refuses_what_would_be_lost():
    t = Tensor([1.0], requires_grad=True)
    for value in (t, t * 2):
        with pytest.raises(TypeError, match=r"silently leave the graph: use t\.detach\(\)\.numpy"):
            np.from_dlpack(value)
    assert minigrad.from_dlpack(np.array([1j])).dtype == np.complex128
    torch = pytest.importorskip("torch")
    with pytest.raises((TypeError, BufferError, RuntimeError), match="grad"):
        minigrad.from_dlpack(torch.ones(2, requires_grad=True))
    for convert in (torch.as_tensor, torch.tensor, torch.asarray):
        assert convert(Tensor([1.0, 2.0])).tolist() == [1, 2]
        with pytest.raises(TypeError, match="silently leave the graph: use t.detach"):
            convert(t)
