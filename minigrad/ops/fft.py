"""Pullbacks of the discrete Fourier transforms: their matrices are symmetric, so each is its own.

Four are rows: fft, ifft, and those between real numbers and half a spectrum. The rest is made of
them, axis by axis, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from minigrad.autograd import bare, compose, define
from minigrad.ops.complex_numbers import conj, is_complex

_SWAPPED: dict[str | None, Any] = {
    None: "forward",
    "backward": "forward",
    "ortho": "ortho",
    "forward": "backward",
}


def _resized(x: Any, n: int, axis: int) -> Any:
    """Cut an axis, or fill it with zeros, to length n."""
    axis = normalize_axis_index(axis, x.ndim)
    if x.shape[axis] >= n:
        return x[(slice(None),) * axis + (slice(n),)]
    return np.pad(x, [(0, n - x.shape[axis] if a == axis else 0) for a in range(x.ndim)])


def _own_gradient(transform: Any) -> Any:
    """F is symmetric: the gradient is the transform of g, at the length of the input."""
    return lambda g, _y, _a, n=None, axis=-1, norm=None: _resized(
        transform(g, axis=axis, norm=norm), _a.shape[axis], axis
    )


def _rfft_gradient(
    g: Any, _y: Any, _a: Any, n: int | None = None, axis: int = -1, norm: Any = None
) -> Any:
    """That of fft, for a half spectrum: the other half of g is 0."""
    n = _a.shape[axis] if n is None else n
    full = np.fft.fft(_resized(g, n, axis), axis=axis, norm=norm)
    return _resized(np.real(full), _a.shape[axis], axis)


def _irfft_gradient(
    g: Any, _y: Any, _a: Any, n: int | None = None, axis: int = -1, norm: Any = None
) -> Any:
    """Each value but the first, and the last of an even length, stands for two."""
    n = g.shape[axis]
    half = conj(np.fft.rfft(g, axis=axis, norm=_SWAPPED[norm]))
    half = half if is_complex(_a) else np.real(half)
    weights = np.full(n // 2 + 1, 2, bare(g).dtype)
    weights[0] = weights[n // 2 if n % 2 == 0 else 0] = 1
    shape = [-1 if a == axis % half.ndim else 1 for a in range(half.ndim)]
    return _resized(half * weights.reshape(shape), _a.shape[axis], axis)


define(np.fft.fft, _own_gradient(np.fft.fft))
define(np.fft.ifft, _own_gradient(np.fft.ifft))
define(np.fft.rfft, _rfft_gradient)
define(np.fft.irfft, _irfft_gradient)

compose(np.fft.hfft)(
    lambda a, n=None, axis=-1, norm=None: np.fft.irfft(conj(a), n, axis, _SWAPPED[norm])
)
compose(np.fft.ihfft)(
    lambda a, n=None, axis=-1, norm=None: conj(np.fft.rfft(a, n, axis, _SWAPPED[norm]))
)


# ----------------------------------------------------------------------------------- several axes
def _lengths_and_axes(a: Any, s: Any, axes: Any) -> tuple[Sequence[Any], Sequence[int]]:
    if axes is None:
        axes = range(a.ndim) if s is None else range(-len(s), 0)
    lengths = [None] * len(axes) if s is None else [None if n == -1 else n for n in s]
    if len(lengths) != len(axes):
        raise ValueError(f"fft: {len(lengths)} lengths in s={s}, but axes={axes}")
    return lengths, axes


def _over_axes(transform: Callable[..., Any], last: Any = None, first: Any = None) -> Any:
    """Make a transform over several axes, the last of them by another transform if given."""

    def run(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
        lengths, axes = _lengths_and_axes(a, s, axes)
        pairs = list(zip(lengths, axes, strict=True))
        if last is not None:
            a = last(a, *pairs[-1], norm)
        for n, axis in reversed(pairs[:-1] if last or first else pairs):
            a = transform(a, n, axis, norm)
        return first(a, *pairs[-1], norm) if first is not None else a

    return run


def _of_two(function: Callable[..., Any]) -> Any:
    return lambda a, s=None, axes=(-2, -1), norm=None: function(a, s, axes, norm)


_SEVERAL: list[tuple[Any, Any, Any]] = [
    (np.fft.fftn, np.fft.fft2, _over_axes(np.fft.fft)),
    (np.fft.ifftn, np.fft.ifft2, _over_axes(np.fft.ifft)),
    (np.fft.rfftn, np.fft.rfft2, _over_axes(np.fft.fft, last=np.fft.rfft)),
    (np.fft.irfftn, np.fft.irfft2, _over_axes(np.fft.ifft, first=np.fft.irfft)),
]
for _n, _two, _rule in _SEVERAL:
    compose(_n)(_rule)
    compose(_two)(_of_two(_rule))


# ---------------------------------------------------------------------------------------- shifting
def _shifted(x: Any, axes: Any, sign: int) -> Any:
    axes = range(x.ndim) if axes is None else axes if np.ndim(axes) else (axes,)
    halves = [sign * x.shape[a] // 2 if sign > 0 else -(x.shape[a] // 2) for a in axes]
    return np.roll(x, tuple(halves), tuple(axes))


compose(np.fft.fftshift)(lambda x, axes=None: _shifted(x, axes, 1))
compose(np.fft.ifftshift)(lambda x, axes=None: _shifted(x, axes, -1))
