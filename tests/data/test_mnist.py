"""MNIST: its files are read in every form, broken ones refused, a fetch is whole or nothing."""

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from minigrad.data import datasets, load_mnist

REAL = os.environ.get("MINIGRAD_DATA")
sklearn_datasets = pytest.importorskip("sklearn.datasets")


# ----------------------------------------------------------------------------------- MNIST's files
NAMES = {
    ("train", "images"): "train-images-idx3-ubyte",
    ("train", "labels"): "train-labels-idx1-ubyte",
    ("test", "images"): "t10k-images-idx3-ubyte",
    ("test", "labels"): "t10k-labels-idx1-ubyte",
}
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = NAMES.values()
SIZES = {"train": 12, "test": 5}


def idx(array, magic=None):
    magic = magic if magic is not None else 0x800 + array.ndim
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


def arrays():
    rng = np.random.default_rng(1)
    return {
        (part, kind): rng.integers(0, 256, (n, 28, 28), "u1")
        if kind == "images"
        else rng.integers(0, 10, n, "u1")
        for part, n in SIZES.items()
        for kind in ("images", "labels")
    }


def put(folder, contents, pack=lambda raw: raw, suffix=""):
    folder.mkdir(parents=True, exist_ok=True)
    for key, array in contents.items():
        (folder / (NAMES[key] + suffix)).write_bytes(pack(idx(array)))
    return folder


@pytest.fixture(autouse=True)
def no_folders_but_ours(monkeypatch, tmp_path):
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "cache"))


FORMS = [
    ("plain", lambda raw: raw, ""),
    ("gzip", gzip.compress, ".gz"),
    ("gzip, renamed", gzip.compress, ""),
    ("unpacked by a browser", lambda raw: raw, ".gz"),
]


@pytest.mark.parametrize(
    ("pack", "suffix"), [form[1:] for form in FORMS], ids=[f[0] for f in FORMS]
)
def test_mnist_reads_its_files(tmp_path, pack, suffix):
    contents = arrays()
    root = put(tmp_path / "mnist", contents, pack, suffix)
    for part, (x, t) in zip(SIZES, load_mnist(root), strict=True):
        expected = contents[part, "images"].reshape(-1, 784).astype("f4") / np.float32(255)
        np.testing.assert_array_equal(x, expected)
        np.testing.assert_array_equal(t, contents[part, "labels"])
        assert (x.dtype, t.dtype) == ("float32", "int64")


def test_mnist_comes_in_the_form_asked_for(tmp_path):
    contents = arrays()
    root = put(tmp_path, contents)
    (x, t), _ = load_mnist(str(root), normalize=False, flatten=False, one_hot_label=True)
    np.testing.assert_array_equal(x, contents["train", "images"][:, None])
    np.testing.assert_array_equal(t, np.eye(10)[contents["train", "labels"]])
    assert (x.dtype, t.dtype) == ("uint8", "float32")
    x += 1  # the arrays are the caller's own
    t += 1


def test_mnist_root_goes_before_the_environment(tmp_path, monkeypatch):
    there, here = arrays(), arrays()
    here["test", "labels"] = np.zeros(5, "u1")
    monkeypatch.setenv("MINIGRAD_DATA", str(put(tmp_path / "there", there)))
    np.testing.assert_array_equal(load_mnist()[1][1], there["test", "labels"])
    np.testing.assert_array_equal(load_mnist(put(tmp_path / "here", here))[1][1], np.zeros(5))


IMAGES = arrays()["test", "images"]
LABELS = arrays()["test", "labels"]
BROKEN = [  # what it is, the file, its bytes, what the message says
    ("empty", TEST_LABELS, b"", "magic number 0x00000801 .* found an empty file"),
    ("a web page", TEST_LABELS, b"<!DOCTYPE html>", "found 0x3c21444f"),
    ("swapped", TEST_LABELS, idx(IMAGES), "0x00000801 .* found 0x00000803"),
    ("wrong magic", TEST_IMAGES, idx(IMAGES, 0x0D03), "0x00000803 .* found 0x00000d03"),
    ("cut in the header", TEST_IMAGES, idx(IMAGES)[:10], "found 10 bytes"),
    ("truncated", TEST_IMAGES, idx(IMAGES)[:-7], r"16 \+ 3920 bytes .*\(5, 28, 28\).* 3929 bytes"),
    ("too long", TEST_LABELS, idx(LABELS) + b"\0", r"8 \+ 5 bytes .* found 14 bytes"),
    ("truncated gzip", TEST_IMAGES, gzip.compress(idx(IMAGES))[:-20], "truncated"),
    ("damaged gzip", TEST_IMAGES, gzip.compress(idx(IMAGES))[:-8] + b"\0" * 8, "whole gzip file"),
    ("not gzip inside", TEST_IMAGES, b"\x1f\x8b" + b"\7" * 30, "whole gzip file"),
    ("another size", TEST_IMAGES, idx(IMAGES[:, 1:]), r"\(n, 28, 28\), found .*\(5, 27, 28\)"),
    ("no images", TEST_IMAGES, idx(IMAGES[:0]), r"found the shape \(0, 28, 28\)"),
    ("too few labels", TEST_LABELS, idx(LABELS[1:]), "5 labels, one for each image .* found 4"),
    ("labels past 9", TEST_LABELS, idx(LABELS + 10), "labels from 0 to 9, found 1"),
]


@pytest.mark.parametrize(
    ("name", "raw", "message"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_mnist_names_and_refuses_a_broken_file(tmp_path, name, raw, message):
    put(tmp_path, arrays())
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(ValueError, match=message) as caught:
        load_mnist(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / name}: expected ")
    assert "delete it and put an intact copy in its place" in str(caught.value)


def test_no_more_is_read_than_the_header_promises(tmp_path):
    put(tmp_path, arrays())
    (tmp_path / TEST_LABELS).write_bytes(gzip.compress(idx(LABELS) + bytes(10**8), 1))
    (tmp_path / TRAIN_LABELS).write_bytes(idx(LABELS)[:4] + b"\xff" * 4 + b"\1\2")  # and too little
    tracemalloc.start()
    for part, name in [("t10k", TEST_LABELS), ("train", TRAIN_LABELS)]:
        with pytest.raises(ValueError, match=rf"{name}: expected 8 \+ \d+ bytes"):
            datasets._read_pair(tmp_path, part)
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    tracemalloc.stop()


def test_mnist_names_a_missing_file(tmp_path, monkeypatch):
    put(tmp_path / "some", arrays())
    (tmp_path / "some" / TEST_LABELS).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{TEST_LABELS} or .*\.gz in .*train-labels-idx1"):
        load_mnist(tmp_path / "some")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="found an empty folder; .*MINIGRAD_DATA"):
        load_mnist(tmp_path / "empty")
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "none"))  # no silent way on to OpenML
    with pytest.raises(FileNotFoundError, match="found no such folder; .*root="):
        load_mnist()


@pytest.mark.skipif(not REAL, reason="MINIGRAD_DATA is not set")
def test_the_real_mnist():
    (x_train, t_train), (x_test, t_test) = load_mnist(REAL)
    assert (x_train.shape, x_test.shape) == ((60_000, 784), (10_000, 784))
    assert x_train.mean() == pytest.approx(0.1307, abs=1e-4)
    assert t_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert t_test[:5].tolist() == [7, 2, 1, 0, 4]


# ------------------------------------------------------------------------------ MNIST from OpenML
PIXELS = np.random.default_rng(2).integers(0, 256, (17, 784)).astype("f8")
WORDS = np.array([str(i % 10) for i in range(17)], object)


@pytest.fixture
def openml(monkeypatch):
    """Stand in for OpenML, with an MNIST of 12 and 5 images; `answer` may be an exception."""

    class Stub:
        calls = 0
        answer = PIXELS, WORDS

        def fetch(self, name, **options):
            self.calls += 1
            assert (name, options["version"], options["cache"]) == ("mnist_784", 1, False)
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer

    stub = Stub()
    monkeypatch.setattr(sklearn_datasets, "fetch_openml", stub.fetch)
    monkeypatch.setattr(datasets, "MNIST_SIZES", {"train": 12, "t10k": 5})
    return stub


def everything_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_mnist_is_fetched_once_into_the_cache(openml, tmp_path):
    (x_train, t_train), (x_test, t_test) = load_mnist()
    assert everything_in(tmp_path) == sorted(
        ["cache", "cache/mnist", *(f"cache/mnist/{name}" for name in NAMES.values())]
    )
    for x, t, part in [(x_train, t_train, slice(12)), (x_test, t_test, slice(12, None))]:
        np.testing.assert_array_equal(x, PIXELS[part].astype("f4") / np.float32(255))
        np.testing.assert_array_equal(t, WORDS[part].astype(int))
    np.testing.assert_array_equal(load_mnist()[1][0], x_test)
    np.testing.assert_array_equal(load_mnist(tmp_path / "cache/mnist")[1][1], t_test)
    assert openml.calls == 1


def test_the_cache_is_where_the_system_keeps_caches(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIGRAD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    put(tmp_path / "xdg/minigrad/mnist", arrays())
    assert len(load_mnist()[0][0]) == 12
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    put(tmp_path / ".cache/minigrad/mnist", {key: a[:3] for key, a in arrays().items()})
    assert len(load_mnist()[0][0]) == 3


FAILURES = [
    ("no connection", OSError("unreachable"), ConnectionError, "OpenML failed .unreachable.*root="),
    ("unknown", ValueError("Dataset not found"), ConnectionError, "Dataset not found"),
    ("stopped", KeyboardInterrupt(), KeyboardInterrupt, "^$"),
    (
        "too few",
        (PIXELS[1:], WORDS[1:]),
        ConnectionError,
        r"\(17, 784\) .* got \(16, 784\) and \(16,\)",
    ),
    ("pixels", (PIXELS + 45, WORDS), ConnectionError, "0 to 255, got 45"),
    ("a NaN", (PIXELS * np.nan, WORDS), ConnectionError, "got nan"),
    ("labels", (PIXELS, np.arange(17)), ConnectionError, "labels from 0 to 9, got 0 to 16"),
    ("words", (PIXELS, WORDS + "x"), ConnectionError, "0x"),
]


@pytest.mark.parametrize(
    ("answer", "error", "message"), [case[1:] for case in FAILURES], ids=[c[0] for c in FAILURES]
)
def test_a_failed_fetch_leaves_nothing(openml, tmp_path, answer, error, message):
    openml.answer = answer
    with pytest.raises(error, match=message):
        load_mnist()
    assert [name for name in everything_in(tmp_path) if name != "cache"] == []


def test_mnist_has_seventy_thousand_images(monkeypatch):
    monkeypatch.setattr(sklearn_datasets, "fetch_openml", lambda *_, **__: (PIXELS, WORDS))
    with pytest.raises(
        ConnectionError, match=r"expected shapes \(70000, 784\) and \(70000,\), got"
    ):
        load_mnist()


def test_an_interrupted_write_leaves_nothing(openml, tmp_path, monkeypatch):
    write = Path.write_bytes

    def interrupted(path, raw):
        if path.name == TEST_IMAGES:
            write(path, raw[:100])
            raise KeyboardInterrupt
        return write(path, raw)

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_mnist()
    assert everything_in(tmp_path) == ["cache"]
    monkeypatch.setattr(Path, "write_bytes", write)
    assert load_mnist()[1][0].shape == (5, 784)


def test_two_processes_may_fetch_at_once(openml, tmp_path, monkeypatch):
    def beaten(source, target):
        put(Path(target), {key: a[:3] for key, a in arrays().items()})
        raise OSError("Directory not empty")

    monkeypatch.setattr(os, "replace", beaten)
    assert load_mnist()[0][0].shape == (3, 784)
    assert not list(tmp_path.glob("cache/mnist-*"))
