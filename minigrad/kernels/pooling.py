"""Max and average pooling of plain (N, C, H, W) arrays, with their adjoints.

Each tap of the window is one strided slice of the image, so pooling is a few passes over arrays
of the output's size, however the windows overlap. Padding is never touched: at the border a tap
feeds fewer outputs. Results have the memory order of the input, and the order that is fast is
that of `convolution.batch_innermost`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from minigrad.kernels.columns import NO_PADS, Array, Pads, Pair, output_size, pieces, taps
from minigrad.kernels.threads import get_num_threads, share

# Threads cost more than they save below this.
SHARED_PIXELS = 1 << 16
Place = tuple[slice, slice, slice, slice]
Tap = tuple[Place, Place]  # the outputs that one place in the windows feeds, and from which pixels


def _empty(like: Array, shape: tuple[int, ...], dtype: object = None) -> Array:
    """Return an uninitialised array in the memory order of `like`."""
    return np.empty_like(like, dtype, shape=shape)  # type: ignore[call-overload, no-any-return]


def _output_shape(x: Array, kernel: Pair, stride: Pair, padding: Pads) -> tuple[int, ...]:
    sizes = (output_size(*size) for size in zip(x.shape[2:], kernel, stride, padding, strict=True))
    return *x.shape[:2], *sizes


def _over_channels(
    work: Callable[[Place, list[Tap]], None],
    x_shape: tuple[int, ...], y_shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pads,
) -> None:  # fmt: skip
    """Call ``work(whole, taps)`` for some channels at a time, shared over threads."""
    (n, c, h, w), every = x_shape, slice(None)
    found = list(taps((h, w), (y_shape[2], y_shape[3]), kernel, stride, padding))

    def part(channels: slice) -> None:
        work(
            (every, channels, every, every),
            [
                ((every, channels, *outputs), (every, channels, *pixels))
                for _, outputs, pixels in found
            ],
        )

    share(part, pieces(c, c, get_num_threads()) if n * c * h * w > SHARED_PIXELS else [every])


def max_pool2d(x: Array, kernel: Pair, stride: Pair, padding: Pads = NO_PADS) -> Array:
    """Return the maximum of every window; a NaN in it wins, padding never does.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    padding : ((top, bottom), (left, right)), each less than the kernel's side

    Returns
    -------
    ndarray, shape (N, C, OH, OW)
    """
    y = _empty(x, _output_shape(x, kernel, stride, padding))
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min

    def work(whole: Place, taps: list[Tap]) -> None:
        if padding == NO_PADS:  # then every tap feeds every output
            np.maximum(x[taps[0][1]], x[taps[-1][1]], out=y[whole])
            taps = taps[1:-1]
        else:
            y[whole] = lowest
        for outputs, pixels in taps:
            np.maximum(y[outputs], x[pixels], out=y[outputs])

    _over_channels(work, x.shape, y.shape, kernel, stride, padding)
    return y


def _keep(values: Array, mask: Array, out: Array | None = None) -> Array:
    """Return `values` where `mask` and else 0, by bits: inf * 0 would be NaN, where() is slow."""
    integer = f"i{values.itemsize}"
    bits = None if out is None else out.view(integer)
    kept: Array = np.bitwise_and(values.view(integer), np.negative(mask.view("i1")), out=bits)
    return kept.view(values.dtype)


def _first_hits(x: Array, y: Array, whole: Place, taps: list[Tap]) -> Iterator[tuple[Tap, Array]]:
    """Yield each tap with a mask of the outputs whose maximum is there: at a tie the first tap."""
    free = np.ones_like(y[whole], bool)
    nan = bool(np.isnan(y[whole]).any())
    last = taps[-1]
    everywhere = free[:, :, *last[0][2:]].shape == free.shape
    for tap in taps[:-1] if everywhere else taps:
        outputs, pixels = tap
        hit = np.equal(x[pixels], y[outputs])
        if nan:
            hit |= np.isnan(x[pixels])
        left = free[:, :, *outputs[2:]]
        hit &= left
        left ^= hit
        yield tap, hit
    if everywhere:  # no other tap is left
        yield last, free


def max_pool2d_gradient(
    g: Array, x: Array, y: Array, kernel: Pair, stride: Pair, padding: Pads = NO_PADS
) -> Array:
    """Return the gradient of `max_pool2d`: `g` added to the pixel of each maximum `y` of `x`."""
    if g.strides != y.strides:
        other, g = g, np.empty_like(y)
        g[...] = other
    dx = _empty(x, x.shape, g.dtype)
    apart = all(s >= k for s, k in zip(stride, kernel, strict=True))
    covered = [k * n for k, n in zip(kernel, g.shape[2:], strict=True)]
    tiled = kernel == stride and padding == NO_PADS and covered == list(x.shape[2:])

    def work(whole: Place, taps: list[Tap]) -> None:
        if not tiled:
            dx[whole] = 0
        for (outputs, pixels), hit in _first_hits(x, y, whole, taps):
            if apart:
                _keep(g[outputs], hit, dx[pixels])
            else:
                dx[pixels] += _keep(g[outputs], hit)

    _over_channels(work, x.shape, y.shape, kernel, stride, padding)
    return dx


def max_pool2d_gather(
    u: Array, x: Array, y: Array, kernel: Pair, stride: Pair, padding: Pads = NO_PADS
) -> Array:
    """Return the pixels of `u` where `x` has its maxima `y`: the adjoint of the gradient."""
    picked = _empty(y, y.shape, u.dtype)

    def work(whole: Place, taps: list[Tap]) -> None:
        picked[whole] = 0
        for (outputs, pixels), hit in _first_hits(x, y, whole, taps):
            picked[outputs] += _keep(u[pixels], hit)

    _over_channels(work, x.shape, y.shape, kernel, stride, padding)
    return picked


def avg_pool2d(x: Array, kernel: Pair, stride: Pair, padding: Pads = NO_PADS) -> Array:
    """Return the mean of every window of (N, C, H, W) images; padding counts as zeros."""
    y = _empty(x, _output_shape(x, kernel, stride, padding))

    def work(whole: Place, taps: list[Tap]) -> None:
        y[whole] = 0
        for outputs, pixels in taps:
            y[outputs] += x[pixels]
        y[whole] /= kernel[0] * kernel[1]

    _over_channels(work, x.shape, y.shape, kernel, stride, padding)
    return y


def avg_pool2d_gradient(
    g: Array, x_shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pads = NO_PADS
) -> Array:
    """Return the gradient of `avg_pool2d`, its adjoint: `g` / (KH * KW) added to every pixel."""
    dx = _empty(g, x_shape)

    def work(whole: Place, taps: list[Tap]) -> None:
        dx[whole] = 0
        share_of = g[whole] / (kernel[0] * kernel[1])
        for (_, _, *outputs), pixels in taps:
            dx[pixels] += share_of[:, :, *outputs]

    _over_channels(work, x_shape, g.shape, kernel, stride, padding)
    return dx
