"""Polynomials by their coefficients, the highest power first, as in `np.polyval`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import alike, bare, compose


def _vector(p: Any) -> Any:
    return np.atleast_1d(alike([p])[0])


@compose(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    """Horner's rule."""
    p, x = alike([p, x])
    y = x * 0
    for coefficient in p:
        y = y * x + coefficient
    return y


def _as_long(a: Any, b: Any) -> tuple[Any, Any]:
    a, b = alike([a, b])
    a, b = np.atleast_1d(a), np.atleast_1d(b)
    n = max(a.shape[0], b.shape[0])
    return np.pad(a, (n - a.shape[0], 0)), np.pad(b, (n - b.shape[0], 0))


compose(np.polyadd)(lambda a1, a2: np.add(*_as_long(a1, a2)))
compose(np.polysub)(lambda a1, a2: np.subtract(*_as_long(a1, a2)))


def _without_leading_zeros(p: Any) -> Any:
    if not p.shape[0]:
        return np.zeros(1, p.dtype)
    return p[np.argmax(bare(p) != 0) :] if np.any(bare(p) != 0) else p[-1:]


@compose(np.polymul)
def _polymul(a1: Any, a2: Any) -> Any:
    a1, a2 = (_without_leading_zeros(p) for p in alike([_vector(a1), _vector(a2)]))
    return np.convolve(a1, a2)


@compose(np.polydiv)
def _polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Long division: quotient and remainder."""
    u, v = alike([_vector(u), _vector(v)])
    u, v = u + 0.0 * v[0], v + 0.0 * u[0]
    n, m = u.shape[0], v.shape[0]
    quotient = []
    for k in range(max(n - m + 1, 0)):
        factor = u[k] / v[0]
        quotient.append(factor)
        u = u - np.pad(factor * v, (k, n - m - k))
    rest = u[max(n - m + 1, 0) :] if quotient else u
    q = np.stack(quotient) if quotient else 0 * v[:1]
    large = np.flatnonzero(~np.isclose(bare(rest), 0, rtol=1e-14))
    rest = rest[large[0] :] if len(large) else rest[-1:] if rest.shape[0] else u[-1:] * 0
    return q, rest


@compose(np.polyder)
def _polyder(p: Any, m: int = 1) -> Any:
    if m < 0:
        raise ValueError(f"polyder: the order must be 0 or more, got {m}")
    for _ in range(m):
        n = p.shape[0] - 1
        p = p[:-1] * np.arange(n, 0, -1)
    return p


@compose(np.polyint)
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    if m < 0:
        raise ValueError(f"polyint: the order must be 0 or more, got {m}")
    constants: Any = [0] * m if k is None else k
    constants = [constants] * m if np.ndim(constants) == 0 else constants
    for i in range(m):
        p, last = alike([p, constants[i]])
        p = np.concatenate([p / np.arange(p.shape[0], 0, -1), np.reshape(last, 1)])
    return p


@compose(np.vander)
def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    if x.ndim != 1:
        raise ValueError(f"vander: expected a vector, got shape {x.shape}")
    n = x.shape[0] if N is None else N
    powers = [x**0 if k == 0 else x**k for k in range(n)]
    if not powers:
        return np.zeros((x.shape[0], 0), x.dtype)
    return np.stack(powers if increasing else powers[::-1], axis=1)


@compose(np.poly)
def _poly(seq_of_zeros: Any) -> Any:
    """The coefficients of the product of (x - root); of a matrix, by its eigenvalues."""
    roots = seq_of_zeros
    if roots.ndim == 2:
        roots = np.linalg.eigvals(roots)
    p = roots[:0] * 0 + 1 if not roots.shape[0] else np.ones(1, roots.dtype)
    one = np.ones(1, roots.dtype)
    for root in roots:
        p = np.convolve(p, np.concatenate([one, np.reshape(-root, 1)]))
    pairs = np.sort_complex(bare(roots)), np.sort_complex(bare(roots).conj())
    return np.real(p) if np.iscomplexobj(bare(p)) and np.array_equal(*pairs) else p


@compose(np.roots)
def _roots(p: Any) -> Any:
    """The eigenvalues of the companion matrix; zeros at the end are roots that don't move."""
    inside = np.flatnonzero(bare(p) != 0)
    trailing = len(p) - 1 - inside[-1] if len(inside) else 0
    p = p[inside[0] : inside[-1] + 1] if len(inside) else p[:0]
    n = p.shape[0] - 1
    if n < 1:
        return np.concatenate([p[:0], np.zeros(trailing, p.dtype)])
    below = np.eye(n, k=-1, dtype=p.dtype)[1:]
    companion = np.concatenate([np.reshape(-p[1:] / p[0], (1, n)), below])
    roots = np.linalg.eigvals(companion)
    return np.concatenate([roots, np.zeros(trailing, roots.dtype)]) if trailing else roots


@compose(np.polyfit)
def _polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None) -> Any:
    """Least squares on powers of x, each scaled to length 1."""
    if full:
        raise TypeError("polyfit: full=True has no derivative here: use np.linalg.lstsq")
    x, y = alike([x, y])
    lhs, rhs = np.vander(x, deg + 1), y
    if w is not None:
        weights = alike([w, y])[0]
        lhs = lhs * np.expand_dims(weights, -1)
        rhs = rhs * (np.expand_dims(weights, -1) if y.ndim == 2 else weights)
    scale = np.sqrt(np.sum(lhs * lhs, axis=0))
    found = np.matmul(np.linalg.pinv(lhs / scale), rhs)
    return found / (np.expand_dims(scale, -1) if y.ndim == 2 else scale)
