"""Pullbacks of what solves linear equations: inverses, determinants, powers, least squares."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import alike, bare, compose, define, differentiable, on_arrays
from minigrad.ops.complex_numbers import conj, is_complex, squared
from minigrad.ops.decompositions import adjoint, transpose


def _inverse_gradient(g: Any, y: Any, _a: Any) -> Any:
    """With dY = -Y dA Y."""
    return -np.matmul(np.matmul(transpose(y), g), transpose(y))


define(np.linalg.inv, _inverse_gradient)


@differentiable(
    # A X = B: dX = A^-1 (dB - dA X)
    lambda g, y, a, _b: -np.matmul(np.linalg.solve(transpose(a), g), transpose(y)),
    lambda g, _y, a, _b: np.linalg.solve(transpose(a), g),
)
def _solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


@compose(np.linalg.solve)
def _solve_of(a: Any, b: Any) -> Any:
    a, b = alike([a, b])
    return _solve(a, np.expand_dims(b, -1))[..., 0] if b.ndim == 1 else _solve(a, b)


def _pinv_gradient(
    g: Any, y: Any, a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = None
) -> Any:
    """Golub and Pereyra (1973): dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P."""
    b, p = adjoint(conj(g)), adjoint(y)
    left = np.matmul(np.matmul(b, y), p)  # P'^H P P^H
    right = np.matmul(np.matmul(p, y), b)  # P^H P P'^H
    inner = left - np.matmul(a, np.matmul(y, left)) + right - np.matmul(np.matmul(right, y), a)
    return conj(inner - np.matmul(np.matmul(p, conj(g)), p))


define(np.linalg.pinv, _pinv_gradient)


# ------------------------------------------------------------------------------------- determinants
def _det_gradient(g: Any, y: Any, a: Any) -> Any:
    """The transposed adjugate: det(A) A^-T, or the minors where a matrix has no inverse."""
    if np.all(bare(y) != 0):
        return np.expand_dims(g * y, (-2, -1)) * transpose(np.linalg.inv(a))
    n = a.shape[-1]
    others = np.array([[j for j in range(n) if j != i] for i in range(n)], int).reshape(n, n - 1)
    minors = np.linalg.det(a[..., others[:, None, :, None], others[None, :, None, :]])
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    return np.expand_dims(g, (-2, -1)) * minors * signs.astype(bare(a).real.dtype)


define(np.linalg.det, _det_gradient)


class SlogdetResult(NamedTuple):
    """The sign of a determinant, of length 1 if it is complex, and the logarithm of its size."""

    sign: Any
    logabsdet: Any


@differentiable(
    lambda g, _y, a: np.expand_dims(g, (-2, -1)) * transpose(np.linalg.inv(a))  # Re tr(A^-1 dA)
)
def _logabsdet(a: Any) -> Any:
    return np.linalg.slogdet(a)[1]


def _sign_gradient(g: Any, y: Any, a: Any) -> Any:
    """0 for real matrices; a complex sign turns by Im tr(A^-1 dA)."""
    if not is_complex(a):
        return np.zeros(a.shape, bare(a).dtype)
    return np.expand_dims(1j * np.imag(g * y), (-2, -1)) * transpose(np.linalg.inv(a))


@differentiable(_sign_gradient)
def _sign_of_det(a: Any) -> Any:
    return np.linalg.slogdet(a)[0]


compose(np.linalg.slogdet)(lambda a: SlogdetResult(_sign_of_det(a), _logabsdet(a)))
on_arrays(np.linalg.matrix_rank)


# ----------------------------------------------------------------------------- what follows from it
@compose(np.linalg.matrix_power)
def _matrix_power(a: Any, n: int) -> Any:
    if n == 0:
        return a * 0 + np.eye(a.shape[-1], dtype=a.dtype)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    half = _matrix_power(a, n // 2) if n > 1 else None
    squares = a if half is None else np.matmul(half, half)
    return np.matmul(squares, a) if n > 1 and n % 2 else squares


@compose(np.linalg.multi_dot)
def _multi_dot(arrays: Any) -> Any:
    """The best order of the products is left to `einsum`."""
    arrays = alike(arrays)
    letters = [chr(ord("a") + i) for i in range(len(arrays) + 1)]
    names = ["".join(pair) for pair in pairwise(letters)]
    names[0], names[-1] = names[0][2 - arrays[0].ndim :], names[-1][: arrays[-1].ndim]
    output = names[0][: arrays[0].ndim - 1] + names[-1][1:]
    return np.einsum(f"{','.join(names)}->{output}", *arrays, optimize=True)


@compose(np.linalg.lstsq)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """By the pseudoinverse; the derivative is that at a constant rank."""
    a, b = alike([a, b])
    if a.ndim != 2:
        raise np.linalg.LinAlgError(f"lstsq: expected one matrix, got shape {a.shape}")
    x = np.matmul(np.linalg.pinv(a, **({} if rcond is None else {"rcond": rcond})), b)
    rank, (m, n) = np.linalg.matrix_rank(bare(a)), a.shape
    squares = np.sum(squared(b - np.matmul(a, x)), axis=0)
    if m <= n or rank < n:
        squares = np.zeros(0, squares.dtype)
    return x, np.atleast_1d(squares), rank, np.linalg.svdvals(a)


@compose(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    if axes is not None:
        a = np.moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    shape = a.shape[np.ndim(b) :]
    n = math.prod(shape)
    return np.reshape(np.linalg.solve(np.reshape(a, (-1, n)), np.ravel(b)), shape)


@compose(np.linalg.tensorinv)
def _tensorinv(a: Any, ind: int = 2) -> Any:
    n = math.prod(a.shape[ind:])
    inverse = np.linalg.inv(np.reshape(a, (-1, n)))
    return np.reshape(inverse, (*a.shape[ind:], *a.shape[:ind]))


@compose(np.linalg.outer)
def _outer(x1: Any, x2: Any, /) -> Any:
    if (np.ndim(x1), np.ndim(x2)) != (1, 1):
        raise ValueError(f"outer: expected vectors, got {np.shape(x1)} and {np.shape(x2)}")
    return np.outer(x1, x2)


for _name in ("cross", "matmul", "matrix_transpose", "tensordot", "vecdot"):
    compose(getattr(np.linalg, _name))(getattr(np, _name))
compose(np.linalg.diagonal)(lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1))
compose(np.linalg.trace)(lambda x, /, *, offset=0: np.trace(x, offset, -2, -1))
