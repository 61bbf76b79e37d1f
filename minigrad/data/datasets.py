"""The data sets: the digits that scikit-learn ships, and MNIST from files or from OpenML."""

from __future__ import annotations

import os
import tempfile
from http.client import HTTPException
from pathlib import Path

import numpy as np

from minigrad.autograd import Array
from minigrad.checks import needing
from minigrad.data.idx import read_idx, refused, write_idx
from minigrad.data.loader import train_validation_split
from minigrad.data.sources import Arrays

Pair = tuple[Array, Array]  # images and labels

CLASSES = 10
MNIST_SIZES = {"train": 60_000, "t10k": 10_000}
BY_HAND = (
    "to use files of your own, put the four IDX files of MNIST (train-images-idx3-ubyte and the "
    "three like it, plain or .gz) in one folder, and pass it as root= or set MINIGRAD_DATA to it"
)


def load_digits(
    *, normalize: bool = True, flatten: bool = True, one_hot_label: bool = False
) -> tuple[Pair, Pair]:
    """Load the 1797 handwritten digits of 8x8 pixels that come with scikit-learn.

    The last fifth of a fixed random order is the test set: 1438 and 359 images.

    Parameters
    ----------
    normalize
        Scale the pixels from 0 ... 16 to float32 in [0, 1]; otherwise they are uint8.
    flatten
        Give images of shape (n, 64); otherwise (n, 1, 8, 8).
    one_hot_label
        Give labels as float32 rows (n, 10); otherwise int64 of shape (n,).

    Returns
    -------
    tuple
        `(x_train, t_train), (x_test, t_test)`

    Raises
    ------
    ModuleNotFoundError
        scikit-learn is missing.

    References
    ----------
    E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, 1998.

    Examples
    --------
    >>> (x_train, t_train), (x_test, t_test) = load_digits()
    >>> x_train.shape, x_test.shape, t_test.shape
    ((1438, 64), (359, 64), (359,))
    """
    with needing("scikit-learn", "load_digits"):
        from sklearn import datasets
    digits = datasets.load_digits()
    parts = train_validation_split(digits.images.astype(np.uint8), digits.target)
    train, test = (_arrange(part, 16, normalize, flatten, one_hot_label) for part in parts)
    return train, test


def load_mnist(
    root: str | os.PathLike[str] | None = None,
    *,
    normalize: bool = True,
    flatten: bool = True,
    one_hot_label: bool = False,
) -> tuple[Pair, Pair]:
    """Load MNIST: 60,000 handwritten digits of 28x28 pixels to train with, 10,000 to test with.

    Without a folder it is fetched once from OpenML, through scikit-learn, into a cache:
    `MINIGRAD_CACHE`, or else `minigrad` under `XDG_CACHE_HOME` or `~/.cache`.

    Parameters
    ----------
    root
        The folder of the four IDX files, plain or `.gz`; by default the environment variable
        `MINIGRAD_DATA`.
    normalize
        Scale the pixels from 0 ... 255 to float32 in [0, 1]; otherwise they are uint8.
    flatten
        Give images of shape (n, 784); otherwise (n, 1, 28, 28).
    one_hot_label
        Give labels as float32 rows (n, 10); otherwise int64 of shape (n,).

    Returns
    -------
    tuple
        `(x_train, t_train), (x_test, t_test)`

    Raises
    ------
    FileNotFoundError
        A file is missing in the folder.
    ValueError
        A file is damaged, truncated, or does not fit the others; it is named.
    ModuleNotFoundError
        MNIST has to be fetched, and scikit-learn is missing.
    ConnectionError
        OpenML cannot be reached, or gave something else.

    References
    ----------
    Y. LeCun et al., "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 86, 1998.

    Examples
    --------
    >>> (x_train, t_train), (x_test, t_test) = load_mnist()  # doctest: +SKIP
    >>> x_train.shape, x_test.shape, t_test.shape  # doctest: +SKIP
    ((60000, 784), (10000, 784), (10000,))
    """
    root = root or os.environ.get("MINIGRAD_DATA")
    folder = Path(root).expanduser() if root else _cache() / "mnist"
    if not root and not folder.exists():
        _fetch_mnist(folder)
    parts = [_read_pair(folder, part) for part in MNIST_SIZES]
    train, test = (_arrange(part, 255, normalize, flatten, one_hot_label) for part in parts)
    return train, test


def _arrange(part: Arrays, white: int, normalize: bool, flatten: bool, one_hot: bool) -> Pair:
    """Give images and labels the form that the arguments of the loaders ask for."""
    images, labels = part
    n, *size = images.shape
    x = images.reshape(n, -1) if flatten else images.reshape(n, 1, *size)
    x = np.divide(x, white, dtype=np.float32) if normalize else x.copy()
    t = np.eye(CLASSES, dtype=np.float32)[labels] if one_hot else labels.astype(np.int64)
    return x, t


def _read_pair(folder: Path, part: str) -> Pair:
    """Read and check the images and labels of the training part, `train`, or the test, `t10k`."""
    image_file = _find(folder, f"{part}-images-idx3-ubyte")
    label_file = _find(folder, f"{part}-labels-idx1-ubyte")
    images, labels = read_idx(image_file, 3), read_idx(label_file, 1)
    if not len(images) or images.shape[1:] != (28, 28):
        raise refused(image_file, "images of shape (n, 28, 28)", f"the shape {images.shape}")
    if len(labels) != len(images):
        expected = f"{len(images)} labels, one for each image in {image_file.name}"
        raise refused(label_file, expected, f"{len(labels)}")
    if labels.max() >= CLASSES:
        raise refused(label_file, "labels from 0 to 9", f"{labels.max()}")
    return images, labels


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else None
    listing = "no such folder" if found is None else ", ".join(found[:8]) or "an empty folder"
    raise FileNotFoundError(
        f"load_mnist: expected {name} or {name}.gz in {folder}, found {listing}; {BY_HAND}"
    )


def _cache() -> Path:
    if chosen := os.environ.get("MINIGRAD_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minigrad"


def _fetch_mnist(folder: Path) -> None:
    """Fetch MNIST from OpenML and make `folder`, which appears only when complete and checked."""
    with needing("scikit-learn", "load_mnist, to fetch MNIST,"):
        from sklearn import datasets
    try:
        # scikit-learn's own cache keeps what a broken connection left of a file
        pixels, labels = datasets.fetch_openml(
            "mnist_784", version=1, return_X_y=True, as_frame=False, cache=False, parser="liac-arff"
        )
        images, labels = _as_bytes(pixels, labels)
    except (OSError, HTTPException, ValueError) as error:
        raise ConnectionError(
            f"load_mnist: fetching MNIST from OpenML failed ({error}); try again later, or, "
            f"{BY_HAND}"
        ) from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mnist-", dir=folder.parent) as temporary:
        complete = Path(temporary) / "mnist"
        complete.mkdir()
        start = 0
        for part, n in MNIST_SIZES.items():
            write_idx(complete / f"{part}-images-idx3-ubyte", images[start : start + n])
            write_idx(complete / f"{part}-labels-idx1-ubyte", labels[start : start + n])
            _read_pair(complete, part)
            start += n
        try:
            os.replace(complete, folder)
        except OSError:
            if not folder.exists():  # else another process was first
                raise


def _as_bytes(pixels: Array, labels: Array) -> Pair:
    """Turn what OpenML holds, numbers and strings, into bytes; refuse what is not MNIST."""
    n = sum(MNIST_SIZES.values())
    if pixels.shape != (n, 784) or labels.shape != (n,):
        raise ValueError(
            f"expected shapes ({n}, 784) and ({n},), got {pixels.shape} and {labels.shape}"
        )
    labels = labels.astype(np.int64)  # the digits are strings there
    for name, array, highest in [("pixels", pixels, 255), ("labels", labels, CLASSES - 1)]:
        if not (array.min() >= 0 and array.max() <= highest):
            found = f"{array.min()} to {array.max()}"
            raise ValueError(f"expected {name} from 0 to {highest}, got {found}")
    return pixels.astype(np.uint8).reshape(n, 28, 28), labels.astype(np.uint8)
