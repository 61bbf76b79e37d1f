"""Pooling of images, and im2col and col2im, each with its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import bare, differentiable
from minigrad.kernels import columns, pooling
from minigrad.ops.geometry import Geometry, as_arrays, check_images, full_geometry, pair


# ------------------------------------------------------------------------------------ max pooling
# Where the maxima are has no derivative, so x and y go into the pullback's pullbacks bare.
@differentiable(lambda u, _y, _g, *, maxima, window: _gather(u, maxima=maxima, window=window))  # type: ignore[has-type]
def _to_the_maxima(g: Any, *, maxima: tuple[Any, Any], window: Geometry) -> Any:
    return pooling.max_pool2d_gradient(g, *maxima, **window)


@differentiable(
    lambda g, _y, _u, *, maxima, window: _to_the_maxima(g, maxima=maxima, window=window)
)
def _gather(u: Any, *, maxima: tuple[Any, Any], window: Geometry) -> Any:
    return pooling.max_pool2d_gather(u, *maxima, **window)


@differentiable(
    lambda g, y, x, *, window: _to_the_maxima(g, maxima=(bare(x), bare(y)), window=window)
)
def _max_pool2d(x: Any, *, window: Geometry) -> Any:
    return pooling.max_pool2d(x, **window)


def _window(
    name: str, x: Any, kernel_size: Any, stride: Any, padding: Any, kinds: str = "f"
) -> Geometry:
    if x.dtype.kind not in kinds:
        raise TypeError(f"{name}: can't pool {x.dtype}: convert x with x.astype(np.float32)")
    kernel = pair(name, "kernel_size", kernel_size, 1)
    geometry = full_geometry(name, kernel, kernel if stride is None else stride, padding)
    check_images(name, x, kernel, geometry["padding"])
    if any(max(p) >= k for p, k in zip(geometry["padding"], kernel, strict=True)):
        raise ValueError(
            f"{name}: padding must be less than the kernel, or windows would hold padding alone: "
            f"got padding={padding}, kernel_size={kernel}"
        )
    return {"kernel": kernel, "stride": geometry["stride"], "padding": geometry["padding"]}


def max_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Any:
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
    """
    (x,) = as_arrays(x)
    return _max_pool2d(x, window=_window("max_pool2d", x, kernel_size, stride, padding, "fiu"))


# -------------------------------------------------------------------------------- average pooling
@differentiable(lambda u, _y, _g, *, x_shape, window: _avg_pool2d(u, window=window))  # type: ignore[has-type]
def _spread(g: Any, *, x_shape: tuple[int, ...], window: Geometry) -> Any:
    return pooling.avg_pool2d_gradient(g, x_shape, **window)


@differentiable(lambda g, _y, _x, *, window: _spread(g, x_shape=_x.shape, window=window))
def _avg_pool2d(x: Any, *, window: Geometry) -> Any:
    return pooling.avg_pool2d(x, **window)


def avg_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """Return the mean of every window; padding counts as zeros. Parameters as for `max_pool2d`."""
    (x,) = as_arrays(x)
    return _avg_pool2d(x, window=_window("avg_pool2d", x, kernel_size, stride, padding))


# ------------------------------------------------------------------------------- im2col and col2im
@differentiable(lambda g, _y, _x, *, window: _col2im(g, x_shape=_x.shape, window=window))  # type: ignore[has-type]
def _im2col(x: Any, *, window: Geometry) -> Any:
    return columns.im2col(x, **window)


@differentiable(lambda g, _y, _c, *, x_shape, window: _im2col(g, window=window))
def _col2im(col: Any, *, x_shape: tuple[int, ...], window: Geometry) -> Any:
    return columns.col2im(col, x_shape, **window)


def im2col(x: Any, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> Any:
    """Return every window of the images as a row: (N*OH*OW, C*KH*KW), as in the book.

    Rows run over (n, oh, ow), columns over (c, i, j). `conv2d` does without: this takes KH*KW times
    the memory of x.

    Parameters
    ----------
    x : array_like
        Shape (N, C, H, W).
    kernel_size, stride, padding, dilation : int or pair
        The windows, as for `conv2d`.
    """
    (x,) = as_arrays(x)
    kernel = pair("im2col", "kernel_size", kernel_size, 1)
    geometry = full_geometry("im2col", kernel, stride, padding, dilation)
    check_images("im2col", x, kernel, geometry["padding"], geometry["dilation"])
    return _im2col(x, window={"kernel": kernel, **geometry})


def col2im(
    col: Any,
    input_shape: tuple[int, int, int, int],
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
) -> Any:
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
    """
    (col,) = as_arrays(col)
    kernel = pair("col2im", "kernel_size", kernel_size, 1)
    geometry = full_geometry("col2im", kernel, stride, padding, dilation)
    shape = tuple(input_shape)
    if len(shape) != 4 or min(shape) < 0:
        raise ValueError(f"col2im: input_shape must be (N, C, H, W), got {shape}")
    check_images("col2im", np.empty(shape, bool), kernel, geometry["padding"], geometry["dilation"])
    window = {"kernel": kernel, **geometry}
    n, oh, ow, *row = columns.col_shape(shape, **window)
    expected = (n * oh * ow, row[0] * row[1] * row[2])
    if col.shape != expected:
        raise ValueError(
            f"col2im: images of shape {shape} have windows of shape {expected}, got {col.shape}"
        )
    return _col2im(col, x_shape=shape, window=window)
