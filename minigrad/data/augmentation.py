"""Augmentation: changes of a batch's images that leave their labels true, for a DataLoader."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minigrad.autograd import Array
from minigrad.checks import whole
from minigrad.data.sources import Arrays
from minigrad.random import Rng, generator, keep

Change = Callable[[Array, np.random.Generator], Array]


def augment(*changes: Change, rng: Rng = None) -> Callable[..., Arrays]:
    """Return a transform for a `DataLoader` that changes the first array, the images.

    Parameters
    ----------
    *changes : callable
        Such as `shift(2)` and `noise(0.1)`, or your own `change(images, rng) -> images`; each gets
        what the one before it returned.
    rng : Generator or int, optional
        Draws the changes: the same seed, the same images. The library's own by default.

    Returns
    -------
    callable
        `transform(images, *others)`, for the argument `transform` of a `DataLoader`.

    Raises
    ------
    TypeError
        If a change is not a function.

    References
    ----------
    The book, section 8.1.2.

    Examples
    --------
    >>> from minigrad.data import DataLoader
    >>> x, t = np.ones((100, 1, 8, 8), np.float32), np.zeros(100, int)
    >>> loader = DataLoader(x, t, batch_size=50, transform=augment(shift(1), noise(0.1), rng=0))
    >>> [(images.shape, labels.shape) for images, labels in loader]
    [((50, 1, 8, 8), (50,)), ((50, 1, 8, 8), (50,))]
    """
    for change in changes:
        if not callable(change):
            raise TypeError(f"augment: expected changes such as shift(2), got {change!r:.60}")
    own = keep(rng)

    def transform(images: Array, *others: Array) -> Arrays:
        for change in changes:
            images = change(images, generator(own))
        return (images, *others)

    transform.rng = own  # type: ignore[attr-defined]  # so that a loader can say where it is
    return transform


def shift(most: int) -> Change:
    """Move each image by up to `most` pixels down or up and right or left; zeros fill the gap.

    Parameters
    ----------
    most : int
        Rows and columns are drawn separately; each whole number from -most to most is equally
        likely.

    Returns
    -------
    callable
        `change(images, rng)`, for `augment`.

    Raises
    ------
    ValueError
        If `most` is negative, or, when it is used, not smaller than the images, or if these are
        not (N, C, H, W).
    TypeError
        If `most` is not an integer.

    Examples
    --------
    >>> images = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> shift(1)(images, np.random.default_rng(0))[0, 0]
    array([[3., 4., 5.],
           [6., 7., 8.],
           [0., 0., 0.]])
    """
    pixels = whole("shift: most", most, 0, "a whole number of pixels")

    def change(images: Array, rng: np.random.Generator) -> Array:
        if images.ndim != 4 or pixels >= min(images.shape[2:]):
            raise ValueError(
                f"shift: expected images of shape (N, C, H, W), larger than {pixels} pixels each "
                f"way, got shape {images.shape}: load them with flatten=False"
            )
        n, _, height, width = images.shape
        padded = np.pad(images, [(0, 0), (0, 0), (pixels, pixels), (pixels, pixels)])
        windows = sliding_window_view(padded, (height, width), axis=(2, 3))
        down, right = rng.integers(2 * pixels + 1, size=(2, n))
        return windows[np.arange(n), :, down, right]

    return change


def noise(std: float) -> Change:
    """Add normally distributed noise to every pixel; float32 stays float32.

    Parameters
    ----------
    std : float
        Its standard deviation.

    Returns
    -------
    callable
        `change(images, rng)`, for `augment`.

    Raises
    ------
    ValueError
        If `std` is negative or not finite.
    TypeError
        If, when it is used, the images are whole numbers.

    Examples
    --------
    >>> images = np.zeros((1, 1, 2, 2), np.float32)
    >>> noise(0.1)(images, np.random.default_rng(0))[0, 0].round(3)
    array([[ 0.013, -0.013],
           [ 0.064,  0.01 ]], dtype=float32)
    """
    if not 0 <= std < np.inf:
        raise ValueError(f"noise: std must be a finite number >= 0, got {std!r}")

    def change(images: Array, rng: np.random.Generator) -> Array:
        if images.dtype.kind != "f":
            raise TypeError(
                f"noise: expected floating point images, got {images.dtype}: load them with "
                "normalize=True"
            )
        images = images + np.asarray(std * rng.standard_normal(images.shape), images.dtype)
        return images

    return change
