"""Two ways to make a convolution's rows matrix products: directly, or by Winograd's F(2, 3).

Both unfold images along the kernel's width alone. `Direct` copies the image once for each column
of the kernel. `Winograd` makes pairs of outputs from four columns d of the image and three w of
the filter, by four products where six were needed:

    m = (d0 - d2) w0, (d1 + d2) (w0 + w1 + w2)/2, (d2 - d1) (w0 - w1 + w2)/2, (d1 - d3) w2
    y = m0 + m1 + m2, m1 - m2 - m3

Sums and halves are mild: the rounding error stays within a few times that of `Direct`, and an
output is infinite or NaN only if a pixel of its window is. Source: Lavin and Gray, "Fast
Algorithms for Convolutional Neural Networks", 2015.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from minigrad.kernels.columns import Array


class Lowering(ABC):
    """How images and filters become the matrices of `products` independent products.

    A unit is `step` neighbouring outputs of a row, and a column of the matrices.
    """

    products: int
    step: int

    def units(self, columns: int) -> int:
        """Return how many units so many columns of outputs are; the last may be cut short."""
        return -(-columns // self.step)

    @abstractmethod
    def lines(self, channels: int) -> int:
        """Return how many lines each row of the image makes."""

    @abstractmethod
    def reach(self, units: int) -> int:
        """Return how many columns of the image so many units read."""

    @abstractmethod
    def unfold(self, image: Array, lines: Array) -> None:
        """Write the lines (P, H, lines, units, N) of an image (H, C, W, N)."""

    @abstractmethod
    def filters(self, w: Array) -> Array:
        """Return the matrices (P, O, KH*lines) of filters (O, C, KH, KW)."""

    @abstractmethod
    def filters_gradient(self, total: Array, w_shape: tuple[int, ...]) -> Array:
        """Return the gradient (O, C, KH, KW) for that of `filters`, turned: (P, KH*lines, O)."""

    @abstractmethod
    def outputs(self, sums: Array, y: Array, bias: Array | None) -> None:
        """Write the outputs (O, rows, columns, N) for the products (P, O, rows, units, N)."""

    @abstractmethod
    def outputs_gradient(self, g: Array, sums: Array) -> None:
        """Write the gradient of the products for that of `outputs`."""


class Direct(Lowering):
    """Products of filters with copies of the image, shifted by each column of the kernel."""

    products = step = 1

    def __init__(self, kernel_width: int, stride: int, dilation: int):
        self.width, self.stride, self.dilation = kernel_width, stride, dilation

    def lines(self, channels: int) -> int:
        return channels * self.width

    def reach(self, units: int) -> int:
        return (units - 1) * self.stride + (self.width - 1) * self.dilation + 1

    def unfold(self, image: Array, lines: Array) -> None:
        h, c, _, n = image.shape
        units = lines.shape[3]
        shifted = lines.reshape(h, self.width, c, units, n)
        for j in range(self.width):
            first, last = j * self.dilation, (units - 1) * self.stride + j * self.dilation
            shifted[:, j] = image[:, :, first : last + 1 : self.stride]

    def filters(self, w: Array) -> Array:
        return w.transpose(0, 2, 3, 1).reshape(1, len(w), -1)

    def filters_gradient(self, total: Array, w_shape: tuple[int, ...]) -> Array:
        o, c, kh, kw = w_shape
        return total.reshape(kh, kw, c, o).transpose(3, 2, 0, 1)

    def outputs(self, sums: Array, y: Array, bias: Array | None) -> None:
        if bias is not None:
            sums += bias[:, None, None, None]
        if not np.may_share_memory(sums, y):
            y[...] = sums[0]

    def outputs_gradient(self, g: Array, sums: Array) -> None:
        if not np.may_share_memory(g, sums):
            sums[0] = g


class Winograd(Lowering):
    """Winograd's F(2, 3) along the width: for kernels of three columns, stride 1, dilation 1."""

    products, step = 4, 2

    def lines(self, channels: int) -> int:
        return channels

    def reach(self, units: int) -> int:
        return 2 * units + 2

    def unfold(self, image: Array, lines: Array) -> None:
        last = 2 * lines.shape[3] - 1
        d0, d1, d2, d3 = (image[:, :, k : k + last : 2] for k in range(4))
        np.subtract(d0, d2, out=lines[0])
        np.add(d1, d2, out=lines[1])
        np.subtract(d2, d1, out=lines[2])
        np.subtract(d1, d3, out=lines[3])

    def filters(self, w: Array) -> Array:
        w0, w1, w2 = w.transpose(3, 0, 2, 1)
        outer, inner = (w0 + w2) / 2, w1 / 2
        return np.stack([w0, outer + inner, outer - inner, w2]).reshape(4, len(w), -1)

    def filters_gradient(self, total: Array, w_shape: tuple[int, ...]) -> Array:
        o, c, kh, _ = w_shape
        t0, t1, t2, t3 = total.reshape(4, kh, c, o).transpose(0, 3, 2, 1)
        half = (t1 + t2) / 2
        return np.stack([t0 + half, (t1 - t2) / 2, half + t3], axis=-1)

    def outputs(self, sums: Array, y: Array, bias: Array | None) -> None:
        m0, m1, m2, m3 = sums
        if bias is not None:
            m1 += bias[:, None, None, None]
        odd = y.shape[2] // 2
        m0 += m1
        np.add(m0, m2, out=y[:, :, ::2])
        m1 -= m2
        np.subtract(m1[:, :, :odd], m3[:, :, :odd], out=y[:, :, 1::2])

    def outputs_gradient(self, g: Array, sums: Array) -> None:
        odd = g[:, :, 1::2]
        sums[0] = g[:, :, ::2]
        np.negative(odd, out=sums[3, :, :, : odd.shape[2]])
        sums[3, :, :, odd.shape[2] :] = 0
        np.subtract(sums[0], sums[3], out=sums[1])
        np.add(sums[0], sums[3], out=sums[2])


# Of a pair of outputs, Winograd saves a third of C * O * KH products and adds passes over memory
# for C + O numbers; images, columns and channels below these do not repay that.
FEWEST_IMAGES, FEWEST_COLUMNS, FEWEST_CHANNELS = 8, 4, 20


def lowering(
    images: int, width: int, w_shape: tuple[int, ...], stride: int, dilation: int,
    dtype: np.dtype[np.generic],
) -> Lowering:  # fmt: skip
    """Return the faster of the two for outputs of `width` columns and filters (O, C, KH, KW)."""
    o, c, _, kernel_width = w_shape
    fits = kernel_width == 3 and stride == dilation == 1 and dtype.kind == "f"
    mean = 2 * o * c / max(1, o + c)  # the harmonic mean
    pays = images >= FEWEST_IMAGES and width >= FEWEST_COLUMNS and mean >= FEWEST_CHANNELS
    return Winograd() if fits and pays else Direct(kernel_width, stride, dilation)
