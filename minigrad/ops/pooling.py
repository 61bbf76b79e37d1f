"""Pooling of images, and im2col and col2im, each with its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import Array, Shape, bare, differentiable
from minigrad.kernels import columns, pooling
from minigrad.ops.geometry import Geometry, Padding, Pair, as_array, check_window
from minigrad.ops.types import T, Values


# ------------------------------------------------------------------------------------ max pooling
# Where the maxima are has no derivative, so x and y go into the pullback's pullbacks bare.
@differentiable(lambda u, _y, _g, *, maxima, window: _gather(u, maxima=maxima, window=window))  # type: ignore[has-type]
def _to_the_maxima(g: Any, *, maxima: tuple[Array, Array], window: Geometry) -> Any:
    return pooling.max_pool2d_gradient(g, *maxima, **window)


@differentiable(
    lambda g, _y, _u, *, maxima, window: _to_the_maxima(g, maxima=maxima, window=window)
)
def _gather(u: Any, *, maxima: tuple[Array, Array], window: Geometry) -> Any:
    return pooling.max_pool2d_gather(u, *maxima, **window)


@differentiable(
    lambda g, y, x, *, window: _to_the_maxima(g, maxima=(bare(x), bare(y)), window=window)
)
def _max_pool2d(x: Any, *, window: Geometry) -> Any:
    return pooling.max_pool2d(x, **window)


def _window(
    name: str, kinds: str, x: Values, kernel_size: Pair, stride: Pair | None, padding: Padding
) -> Geometry:
    if x.dtype.kind not in kinds:
        raise TypeError(f"{name}: can't pool {x.dtype}: convert x with x.astype(np.float32)")
    window = check_window(name, x, kernel_size, stride, padding)
    if any(max(p) >= k for p, k in zip(window["padding"], window["kernel"], strict=True)):
        raise ValueError(
            f"{name}: padding must be less than the kernel, or windows would hold padding alone: "
            f"got padding={padding}, kernel_size={window['kernel']}"
        )
    del window["dilation"]  # which pooling does not have
    return window


def max_pool2d(x: T, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0) -> T:
    """Return the maximum of every window (the book's Pooling).

    Of equal maxima the first in row-major order takes the gradient; a NaN wins, padding never.

    Parameters
    ----------
    x : array_like
        Shape (N, C, H, W).
    kernel_size : int or pair
        The window.
    stride : int or pair, optional
        Its steps; the window's size by default.
    padding : int or pair
        How far windows reach over the border.

    Returns
    -------
    Tensor
        Shape (N, C, OH, OW) with OH = (H + 2 padding - kernel) // stride + 1.

    Raises
    ------
    ValueError
        If x is not (N, C, H, W), or smaller than the window, or the padding is not less than this.

    Examples
    --------
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    x = as_array(x)
    return _max_pool2d(x, window=_window("max_pool2d", "fiu", x, kernel_size, stride, padding))


# -------------------------------------------------------------------------------- average pooling
@differentiable(lambda u, _y, _g, *, x_shape, window: _avg_pool2d(u, window=window))  # type: ignore[has-type]
def _spread(g: Any, *, x_shape: Shape, window: Geometry) -> Any:
    return pooling.avg_pool2d_gradient(g, x_shape, **window)


@differentiable(lambda g, _y, _x, *, window: _spread(g, x_shape=_x.shape, window=window))
def _avg_pool2d(x: Any, *, window: Geometry) -> Any:
    return pooling.avg_pool2d(x, **window)


def avg_pool2d(x: T, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0) -> T:
    """Return the mean of every window; padding counts as zeros. Parameters as for `max_pool2d`.

    Parameters
    ----------
    x : array_like
        Shape (N, C, H, W).
    kernel_size : int or pair
        The window.
    stride : int or pair, optional
        Its steps; the window's size by default.
    padding : int or pair
        How far windows reach over the border.

    Returns
    -------
    Tensor
        Shape (N, C, OH, OW) with OH = (H + 2 padding - kernel) // stride + 1.

    Raises
    ------
    ValueError
        If x is not (N, C, H, W), or smaller than the window, or the padding is not less than this.

    Examples
    --------
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    x = as_array(x)
    return _avg_pool2d(x, window=_window("avg_pool2d", "f", x, kernel_size, stride, padding))


# ------------------------------------------------------------------------------- im2col and col2im
@differentiable(lambda g, _y, _x, *, window: _col2im(g, x_shape=_x.shape, window=window))  # type: ignore[has-type]
def _im2col(x: Any, *, window: Geometry) -> Any:
    return columns.im2col(x, **window)


@differentiable(lambda g, _y, _c, *, x_shape, window: _im2col(g, window=window))
def _col2im(col: Any, *, x_shape: Shape, window: Geometry) -> Any:
    return columns.col2im(col, x_shape, **window)


def im2col(
    x: T, kernel_size: Pair, stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1
) -> T:
    """Return every window of the images as a row: (N*OH*OW, C*KH*KW), as in the book.

    Rows run over (n, oh, ow), columns over (c, i, j). `conv2d` does without: this takes KH*KW times
    the memory of x.

    Parameters
    ----------
    x : array_like
        Shape (N, C, H, W).
    kernel_size, stride, padding, dilation : int or pair
        The windows, as for `conv2d`.

    Returns
    -------
    Tensor
        Shape (N*OH*OW, C*KH*KW).

    Examples
    --------
    >>> im2col(np.arange(9.0).reshape(1, 1, 3, 3), 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    x = as_array(x)
    return _im2col(x, window=check_window("im2col", x, kernel_size, stride, padding, dilation))


def col2im(
    col: T,
    input_shape: tuple[int, int, int, int],
    kernel_size: Pair,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
) -> T:
    """Return the adjoint of `im2col` (not its inverse): where windows overlap their values add up.

    Parameters
    ----------
    col : array_like
        Shape (N*OH*OW, C*KH*KW).
    input_shape : tuple
        (N, C, H, W) of the images.
    kernel_size, stride, padding, dilation : int or pair
        As for `im2col`.

    Returns
    -------
    Tensor
        Shape `input_shape`.

    Raises
    ------
    ValueError
        If `col` has not the shape that images of this shape give.

    Examples
    --------
    >>> col = im2col(np.ones((1, 1, 3, 3)), 2)
    >>> col2im(col, (1, 1, 3, 3), 2)[0, 0]  # in how many windows each pixel is
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    col, shape = as_array(col), tuple(input_shape)
    if len(shape) != 4 or min(shape) < 0:
        raise ValueError(f"col2im: input_shape must be (N, C, H, W), got {shape}")
    images = np.broadcast_to(False, shape)
    window = check_window("col2im", images, kernel_size, stride, padding, dilation)
    n, oh, ow, *row = columns.col_shape(shape, **window)
    expected = (n * oh * ow, row[0] * row[1] * row[2])
    if col.shape != expected:
        raise ValueError(
            f"col2im: images of shape {shape} have windows of shape {expected}, got {col.shape}"
        )
    return _col2im(col, x_shape=shape, window=window)
