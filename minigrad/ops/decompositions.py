"""Pullbacks of the decompositions of matrices: Cholesky, QR, eigenvalues, singular values.

Written for the adjoint B with dL = Re tr(B^H dA), which is the conjugate of our gradient; sources:
Murray, Differentiation of the Cholesky decomposition (2016); Walter and Lehmann, Algorithmic
differentiation of linear algebra functions (2010) for QR; Giles, An extended collection of matrix
derivative results (2008) for eigenvalues and singular values; Boeddeker et al., On the computation
of complex-valued gradients (2017) for eig; Wan and Zhang, Automatic differentiation for complex
valued SVD (2019).

Several results are packed into one array, the rows of one below those of the other, so that each
decomposition is one row of the table. Vectors that belong to equal eigenvalues or singular values
have no derivative: what would be divided by 0 is left out, which is right for a function that does
not depend on the choice of these vectors. Nor has their phase, if they are complex.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import bare, compose, differentiable
from minigrad.ops.complex_numbers import conj, is_complex


def transpose(a: Any) -> Any:
    """Swap the last two axes."""
    return np.swapaxes(a, -1, -2)


def adjoint(a: Any) -> Any:
    """Swap the last two axes, and conjugate."""
    return conj(transpose(a))


def _adjoint_of(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Make a pullback of a rule for adjoints, which are conjugate gradients."""
    return lambda g, y, _a, value: conj(rule(conj(g), y, _a.shape))


def _hermitian(a: Any) -> Any:
    return (a + adjoint(a)) * 0.5


def _diagonal(a: Any) -> Any:
    return np.real(np.diagonal(a, 0, -2, -1))


def _lower(a: Any) -> Any:
    """The lower triangle, with half of the diagonal."""
    return np.tril(a, -1) + 0.5 * (np.tril(a) - np.tril(a, -1))


def _right_divided(a: Any, b: Any) -> Any:
    """A B^-H."""
    return adjoint(np.linalg.solve(b, adjoint(a)))


def _inverse(d: Any) -> Any:
    """1 / d, and 0 where d is 0."""
    zero = bare(d) == 0
    return np.where(zero, 0, 1 / np.where(zero, 1, d))


def _gaps(w: Any) -> Any:
    """F[i, j] = 1 / (w_j - w_i), 0 where they are equal."""
    return _inverse(np.expand_dims(w, -2) - np.expand_dims(w, -1))


def _columns(w: Any) -> Any:
    """A factor for each column of a matrix."""
    return np.expand_dims(w, -2)


def _as_matrix(w: Any) -> Any:
    return np.expand_dims(w, -1) * np.eye(w.shape[-1], dtype=bare(w).dtype)


# ----------------------------------------------------------------------------------------- Cholesky
def _cholesky_rule(b: Any, y: Any, _shape: Any) -> Any:
    """L^-H (P + P^H) / 2 L^-1, where P is the lower half of L^H B."""
    inner = _hermitian(_lower(np.matmul(adjoint(y), b)))
    left = np.linalg.solve(adjoint(y), inner)
    return _right_divided(left, adjoint(y))


@differentiable(lambda g, y, _a: conj(_cholesky_rule(conj(g), y, None)))
def _cholesky(a: Any) -> Any:
    return np.linalg.cholesky(a)


@compose(np.linalg.cholesky)
def _cholesky_of(a: Any, /, *, upper: bool = False) -> Any:
    """Its gradient is Hermitian: that of f((A + A^H) / 2)."""
    return adjoint(_cholesky(adjoint(a))) if upper else _cholesky(a)


# ------------------------------------------------------------------------------------------ packing
def _packed(*parts: Any) -> Any:
    dtype = np.result_type(*parts)
    return np.concatenate([np.asarray(p, dtype) for p in parts], axis=-2)


def _row(packed: Any) -> Any:
    return packed[..., 0, :]


# ------------------------------------------------------------------------ eigenvalues: A = V w V^-1
class EigResult(NamedTuple):
    """Eigenvalues, and the matrix of which the columns are eigenvectors."""

    eigenvalues: Any
    eigenvectors: Any


def _eigh_rule(b: Any, y: Any, _shape: Any) -> Any:
    """V (w' + F * V^H V') V^H, of which the Hermitian part."""
    w, v = np.real(_row(y)), y[..., 1:, :]
    inner = _as_matrix(np.real(_row(b))) + _gaps(w) * np.matmul(adjoint(v), b[..., 1:, :])
    return _hermitian(np.matmul(np.matmul(v, inner), adjoint(v)))


def _eig_rule(b: Any, y: Any, _shape: Any) -> Any:
    """V^-H (w' + F^* * (V^H V' - V^H V Re diag(V^H V'))) V^H: columns of V have length 1."""
    w, v = _row(y), y[..., 1:, :]
    vv = np.matmul(adjoint(v), b[..., 1:, :])
    inner = vv - np.matmul(adjoint(v), v) * _columns(_diagonal(vv))
    inner = _as_matrix(_row(b)) + conj(_gaps(w)) * inner
    return np.linalg.solve(adjoint(v), np.matmul(inner, adjoint(v)))


# The value is computed by who calls: the list is emptied, so that the graph does not keep it.
@differentiable(_adjoint_of(_eigh_rule))
def _eigh(a: Any, value: list[Any]) -> Any:
    return value.pop()


@differentiable(_adjoint_of(_eig_rule))
def _eig(a: Any, value: list[Any]) -> Any:
    return value.pop()


@compose(np.linalg.eigh)
def _eigh_of(a: Any, UPLO: Any = "L") -> EigResult:
    """Its gradient is Hermitian: that of f((A + A^H) / 2)."""
    w, v = np.linalg.eigh(bare(a), UPLO)
    packed = _eigh(a, value=[_packed(w[..., None, :], v)])
    return EigResult(np.real(_row(packed)), packed[..., 1:, :])


@compose(np.linalg.eig)
def _eig_of(a: Any) -> EigResult:
    w, v = np.linalg.eig(bare(a))
    packed = _eig(a, value=[_packed(w[..., None, :], v)])
    return EigResult(_row(packed), packed[..., 1:, :])


compose(np.linalg.eigvalsh)(lambda a, UPLO="L": np.linalg.eigh(a, UPLO).eigenvalues)
compose(np.linalg.eigvals)(lambda a: np.linalg.eig(a).eigenvalues)


# ------------------------------------------------------------------------- an orthogonal complement
@differentiable(
    # dU2 = -U1 dU1^H U2: of all choices the one that turns U2 least
    lambda g, y, u, value: -conj(np.matmul(np.matmul(y, transpose(g)), u)),
)
def _complement(u: Any, value: list[Any]) -> Any:
    return value.pop()


def _completed(u: Any, full: Any) -> Any:
    k = u.shape[-1]
    if full.shape[-1] == k:
        return u
    return np.concatenate([u, _complement(u, value=[full[..., k:]])], axis=-1)


# ------------------------------------------------------------------------- singular values: U S V^H
class SVDResult(NamedTuple):
    """Left singular vectors, singular values, and the adjoint of the right singular vectors."""

    U: Any
    S: Any
    Vh: Any


def _svd_rule(b: Any, y: Any, shape: Any) -> Any:
    """U ((J + J^H) S + S (K + K^H) + S') V^H, and what leaves the spaces of U and of V."""
    m = shape[-2]
    s, u, v = np.real(_row(y)), y[..., 1 : m + 1, :], y[..., m + 1 :, :]
    ds, du, dv = np.real(_row(b)), b[..., 1 : m + 1, :], b[..., m + 1 :, :]
    gaps, inverse = _gaps(s * s), _inverse(s)
    uu, vv = np.matmul(adjoint(u), du), np.matmul(adjoint(v), dv)
    j, k = gaps * uu, gaps * vv
    inner = (j + adjoint(j)) * _columns(s) + np.expand_dims(s, -1) * (k + adjoint(k))
    phase = 1j * np.imag(np.diagonal(uu, 0, -2, -1)) * inverse if is_complex(y) else 0
    inner = inner + _as_matrix(ds + phase)
    left = np.matmul(u, inner) + (du - np.matmul(u, uu)) * _columns(inverse)
    right = (dv - np.matmul(v, vv)) * _columns(inverse)
    return np.matmul(left, adjoint(v)) + np.matmul(u, adjoint(right))


@differentiable(_adjoint_of(_svd_rule))
def _svd(a: Any, value: list[Any]) -> Any:
    return value.pop()


@compose(np.linalg.svd)
def _svd_of(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    u, s, vh = np.linalg.svd(bare(a), full_matrices, hermitian=hermitian)
    k, m = s.shape[-1], a.shape[-2]
    packed = _svd(a, value=[_packed(s[..., None, :], u[..., :k], adjoint(vh)[..., :k])])
    values = np.real(_row(packed))
    if not compute_uv:
        return values
    left, right = packed[..., 1 : m + 1, :], packed[..., m + 1 :, :]
    return SVDResult(_completed(left, u), values, adjoint(_completed(right, adjoint(vh))))


compose(np.linalg.svdvals)(lambda x, /: np.linalg.svd(x, compute_uv=False))


# ----------------------------------------------------------------------------------------------- QR
class QRResult(NamedTuple):
    """A matrix with orthonormal columns, and an upper triangular one."""

    Q: Any
    R: Any


def _qr_rule(b: Any, y: Any, shape: Any) -> Any:
    """(Q' + Q copy(R R'^H - Q'^H Q)) R^-H, where copy mirrors the lower triangle."""
    m = shape[-2]
    q, r = y[..., :m, :], y[..., m:, :]
    inner = np.matmul(r, adjoint(b[..., m:, :])) - np.matmul(adjoint(b[..., :m, :]), q)
    return _right_divided(b[..., :m, :] + np.matmul(q, 2 * _hermitian(_lower(inner))), r)


@differentiable(_adjoint_of(_qr_rule))
def _qr(a: Any, value: list[Any]) -> Any:
    return value.pop()


@compose(np.linalg.qr)
def _qr_of(a: Any, mode: str = "reduced") -> Any:
    """Of columns beyond the rows, R is Q^H A."""
    if mode not in ("reduced", "complete", "r"):
        raise TypeError(f"qr: mode={mode!r} has no derivative here: use reduced, complete or r")
    m, n = a.shape[-2:]
    first = a[..., :m]
    whole, r = np.linalg.qr(bare(first), "complete" if mode == "complete" else "reduced")
    packed = _qr(first, value=[_packed(whole[..., : min(m, n)], r[..., : min(m, n), :])])
    q, r = packed[..., :m, :], packed[..., m:, :]
    if n > m:
        r = np.concatenate([r, np.matmul(adjoint(q), a[..., m:])], axis=-1)
    if mode == "complete":
        q = _completed(q, whole)
        r = np.pad(r, [*[(0, 0)] * (a.ndim - 2), (0, m - r.shape[-2]), (0, 0)])
    return r if mode == "r" else QRResult(q, r)


# ----------------------------------------------------------------------------- what follows from it
@compose(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    if p is None or p in (2, -2):
        s = np.linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    axes: Any = {"axis": (-2, -1)}
    return np.linalg.norm(x, p, **axes) * np.linalg.norm(np.linalg.inv(x), p, **axes)


@compose(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norms of the matrices in the last two axes, of every order that NumPy knows."""
    axes: Any = {"axis": (-2, -1), "keepdims": keepdims}
    if ord in ("fro", None):
        return np.linalg.vector_norm(x, **axes)
    if 0 in x.shape[-2:] and ord in (1, 2, math.inf):
        return np.sum(np.abs(x), **axes)
    if ord in ("nuc", 2, -2):
        s = np.linalg.svdvals(x)
        y = np.sum(s, axis=-1) if ord == "nuc" else np.max(s, -1) if ord == 2 else np.min(s, -1)
        return np.expand_dims(y, (-2, -1)) if keepdims else y
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"norm: ord={ord!r} is no norm of matrices: fro, nuc, inf, 1, 2, or minus")
    sums = np.sum(np.abs(x), axis=-2 if abs(ord) == 1 else -1, keepdims=True)
    return np.max(sums, **axes) if ord > 0 else np.min(sums, **axes)
