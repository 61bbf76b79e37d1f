"""Convolution and pooling of images, and their pullbacks, which are convolutions and poolings.

Images are (N, C, H, W). Results lie in memory with the batch innermost, which is what makes them
fast; that shows in nothing but their strides.
"""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.autograd import Shape, Tensor, differentiable
from minigrad.kernels import convolution as kernels
from minigrad.ops.geometry import (
    Geometry,
    Padding,
    Pair,
    as_array,
    check_groups,
    check_images,
    full_geometry,
    pair,
)
from minigrad.ops.types import Values


# ----------------------------------------------------------- convolution: three bilinear functions
@differentiable(
    lambda g, _y, _x, w, _b=None, *, geometry: _input_gradient(  # type: ignore[has-type]
        g, w, x_shape=_x.shape, geometry=geometry
    ),
    lambda g, _y, x, _w, _b=None, *, geometry: _weight_gradient(  # type: ignore[has-type]
        g, x, w_shape=_w.shape, geometry=geometry
    ),
    lambda g, _y, _x, _w, _b=None, *, geometry: g.sum(axis=(0, 2, 3)),
    work=lambda y, _x, w, _b=None: prod(y) * prod(w[1:]),
)
def _conv2d(x: Any, w: Any, bias: Any = None, *, geometry: Geometry) -> Any:
    return kernels.conv2d(x, w, bias=bias, **geometry)


@differentiable(
    lambda u, _y, _g, w, *, x_shape, geometry: _conv2d(u, w, geometry=geometry),
    lambda u, _y, g, _w, *, x_shape, geometry: _weight_gradient(  # type: ignore[has-type]
        g, u, w_shape=_w.shape, geometry=geometry
    ),
    work=lambda _y, g, w: prod(g) * prod(w[1:]),
)
def _input_gradient(g: Any, w: Any, *, x_shape: Shape, geometry: Geometry) -> Any:
    return kernels.conv2d_input_gradient(g, w, x_shape, **geometry)


@differentiable(
    lambda u, _y, _g, x, *, w_shape, geometry: _conv2d(x, u, geometry=geometry),
    lambda u, _y, g, _x, *, w_shape, geometry: _input_gradient(
        g, u, x_shape=_x.shape, geometry=geometry
    ),
)
def _weight_gradient(g: Any, x: Any, *, w_shape: Shape, geometry: Geometry) -> Any:
    return kernels.conv2d_weight_gradient(g, x, w_shape, **geometry)


def conv2d(
    x: Values,
    weight: Values,
    bias: Values | None = None,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of images with filters (the book's Convolution).

    y[n, o, r, s] = bias[o] + sum over c, i, j of weight[o, c, i, j] * x[n, c, r*sh + i, s*sw + j],
    on x padded with zeros.

    Parameters
    ----------
    x : array_like
        Shape (N, C, H, W).
    weight : array_like
        Shape (O, C // groups, KH, KW).
    bias : array_like, optional
        Shape (O,).
    stride, dilation : int or pair
        Steps of the window, and between the pixels in it.
    padding : int, pair, "same" or "valid"
        Zeros on each side.
    groups : int
        Into how many parts the channels fall that do not see each other.

    Returns
    -------
    Tensor
        Shape (N, O, OH, OW) with OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> images, edge = np.arange(16.0).reshape(1, 1, 4, 4), np.array([[[[-1.0, 1.0]]]])
    >>> conv2d(images, edge).shape
    (1, 1, 4, 3)
    >>> conv2d(images, edge)[0, 0, 0]
    array([1., 1., 1.])
    """
    x, weight, bias = as_array(x), as_array(weight), as_array(bias)
    if weight.ndim != 4 or not weight.size:
        raise ValueError(
            f"conv2d: weight must be (O, C // groups, KH, KW), none of them 0, got {weight.shape}"
        )
    geometry = full_geometry("conv2d", weight.shape[2:], stride, padding, dilation)
    check_images("conv2d", x, weight.shape[2:], geometry["padding"], geometry["dilation"])
    out, channels = weight.shape[:2]
    check_groups("conv2d", groups, channels_of_x=x.shape[1], filters_of_weight=out)
    if channels * groups != x.shape[1]:
        last = x.shape[3] == channels * groups
        raise ValueError(
            f"conv2d: x has {x.shape[1]} channels (shape {x.shape}) but weight expects "
            f"{channels} * groups = {channels * groups} (shape {weight.shape}, groups={groups})"
            + (": it expects (N, C, H, W), write np.moveaxis(x, -1, 1)" if last else "")
        )
    _check_bias("conv2d", bias, out)
    geometry["groups"] = groups
    inputs = (x, weight) if bias is None else (x, weight, bias)
    return _conv2d(*inputs, geometry=geometry)


def _check_bias(name: str, bias: Values | None, channels: int) -> None:
    if bias is not None and bias.shape != (channels,):
        raise ValueError(f"{name}: bias must have shape ({channels},), got {bias.shape}")


def conv_transpose2d(
    x: Values,
    weight: Values,
    bias: Values | None = None,
    stride: Pair = 1,
    padding: Padding = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Return the transposed convolution: the gradient of `conv2d` with respect to its input.

    Parameters
    ----------
    x : array_like
        Shape (N, C, H, W).
    weight : array_like
        Shape (C, O // groups, KH, KW).
    bias : array_like, optional
        Shape (O,).
    stride, padding, dilation, groups
        Those of the convolution that this transposes.
    output_padding : int or pair
        Rows and columns to add below and right, less than the stride: several sizes of image have
        the same size after a convolution with a stride, this chooses one.

    Returns
    -------
    Tensor
        Shape (N, O, OH, OW), OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding
        + 1.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2))
    >>> conv_transpose2d(x, weight, stride=2).shape
    (1, 1, 4, 4)
    >>> conv_transpose2d(x, weight)[0, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    name = "conv_transpose2d"
    x, weight, bias = as_array(x), as_array(weight), as_array(bias)
    if x.ndim != 4 or weight.ndim != 4 or not weight.size or x.shape[1] != weight.shape[0]:
        raise ValueError(
            f"{name}: x must be (N, C, H, W) and weight (C, O // groups, KH, KW), with the same C "
            f"and none of weight's 0, got x {x.shape} and weight {weight.shape}"
        )
    check_groups(name, groups, channels_of_x=x.shape[1])
    geometry = full_geometry(name, weight.shape[2:], stride, padding, dilation)
    extra = pair(name, "output_padding", output_padding, 0)
    if any(e >= s for e, s in zip(extra, geometry["stride"], strict=True)):
        raise ValueError(
            f"{name}: output_padding must be less than the stride {geometry['stride']}, got {extra}"
        )
    images, kernel = x.shape[2:], weight.shape[2:]
    sizes = tuple(
        (n - 1) * s - sum(p) + d * (k - 1) + e + 1
        for n, k, e, s, p, d in zip(images, kernel, extra, *geometry.values(), strict=True)
    )
    if min(sizes) < 1:
        raise ValueError(f"{name}: the output would have size {sizes} for x of shape {x.shape}")
    channels = weight.shape[1] * groups
    _check_bias(name, bias, channels)
    geometry["groups"] = groups
    y = _input_gradient(x, weight, x_shape=(x.shape[0], channels, *sizes), geometry=geometry)
    return y if bias is None else y + bias.reshape(-1, 1, 1)
