"""Products made of others: Kronecker's, the cross product, convolution, products of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minigrad.autograd import alike, compose
from minigrad.ops.complex_numbers import conj


@compose(np.kron)
def _kron(a: Any, b: Any) -> Any:
    a, b = alike([a, b])
    n = max(a.ndim, b.ndim)
    shapes = [(1,) * (n - x.ndim) + x.shape for x in (a, b)]
    left = np.reshape(a, [k for m in shapes[0] for k in (m, 1)])
    right = np.reshape(b, [k for m in shapes[1] for k in (1, m)])
    return np.reshape(left * right, [m * k for m, k in zip(*shapes, strict=True)])


@compose(np.cross)
def _cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = alike([a, b])
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"cross: expected vectors of 3, got shapes {a.shape} and {b.shape}")
    (a0, a1, a2), (b0, b1, b2) = ([x[..., i] for i in range(3)] for x in (a, b))
    parts = [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0]
    return np.stack(parts, axis=axisc)


# --------------------------------------------------------------------------- products of sequences
_MODES = {0: "valid", 1: "same", 2: "full", "v": "valid", "s": "same", "f": "full"}


def _slid(a: Any, v: Any, mode: Any, turned: bool) -> Any:
    """The convolution of two vectors, cut as NumPy does; `turned`: of the longer one second."""
    a, v = alike([a, v])
    a, v = np.atleast_1d(a), np.atleast_1d(v)
    n, m = a.shape[0], v.shape[0]
    if a.ndim != 1 or v.ndim != 1 or not n or not m:
        raise ValueError(f"convolve: expected vectors of 1 or more, got {a.shape} and {v.shape}")
    full = np.matmul(sliding_window_view(np.pad(a, m - 1), m), np.flip(v, 0))
    mode = _MODES.get(mode, mode)
    if mode == "full":
        return full
    if mode not in ("same", "valid"):
        raise ValueError(f"convolve: mode={mode!r} is none of full, same, valid")
    length = max(n, m) if mode == "same" else abs(n - m) + 1
    start = (min(n, m) - 1) // 2 if mode == "same" else min(n, m) - 1
    if turned and m > n:
        start = n + m - 1 - length - start
    return full[start : start + length]


compose(np.convolve)(lambda a, v, mode="full": _slid(a, v, mode, turned=False))


@compose(np.correlate)
def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    if (np.ndim(a), np.ndim(v)) != (1, 1):
        raise ValueError(f"correlate: expected vectors, got {np.shape(a)} and {np.shape(v)}")
    return _slid(a, conj(np.flip(v, 0)), mode, turned=True)


# ------------------------------------------------------------------------------ products of vectors
@compose(np.vecdot)
def _vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x1, x2 = alike([x1, x2])
    if not (x1.ndim and x2.ndim) or x1.shape[axis] != x2.shape[axis]:
        raise ValueError(f"vecdot: expected vectors of one length, got {x1.shape} and {x2.shape}")
    return np.sum(conj(np.moveaxis(x1, axis, -1)) * np.moveaxis(x2, axis, -1), axis=-1)


def _expect_matrix(name: str, a: Any, x: Any) -> None:
    if np.ndim(a) < 2 or not np.ndim(x):
        raise ValueError(f"{name}: no matrix and vector: shapes {np.shape(a)} and {np.shape(x)}")


if hasattr(np, "matvec"):  # since NumPy 2.2

    @compose(np.matvec)
    def _matvec(a: Any, x: Any, /) -> Any:
        _expect_matrix("matvec", a, x)
        return np.matmul(a, np.expand_dims(x, -1))[..., 0]

    @compose(np.vecmat)
    def _vecmat(x: Any, a: Any, /) -> Any:
        _expect_matrix("vecmat", a, x)
        return np.matmul(np.expand_dims(conj(x), -2), a)[..., 0, :]
