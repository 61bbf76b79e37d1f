"""Rows of linear algebra and of the Fourier transforms, real and complex."""

import numpy as np
from rows import adjoint, complex_row, normal, positive, row, symmetric, z


# --------------------------------------------------------------- linear algebra, real and complex
def eigh_parts(a):
    w, v = np.linalg.eigh(symmetric(a))
    return [w, np.abs(v) ** 2, (v * np.sin(w)[..., None, :]) @ adjoint(v)]


def eig_parts(a):
    w, v = np.linalg.eig(a)
    return [w, np.abs(v) ** 2, (v * np.sin(w)[..., None, :]) @ np.linalg.inv(v)]


def svd_parts(a):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return [s, np.abs(u) ** 2, np.abs(vh) ** 2, u @ vh, (u * np.sin(s)[..., None, :]) @ vh]


def svd_full(a):
    u, s, vh = np.linalg.svd(a)
    k = s.shape[-1]
    left, right = u[..., k:], adjoint(vh)[..., k:]
    return [s, left @ adjoint(left), right @ adjoint(right)]


def qr_complete(a):
    q, r = np.linalg.qr(a, "complete")
    k = min(a.shape[-2:])
    return [q[..., :k], q[..., k:] @ adjoint(q[..., k:]), r]


def linear_algebra(add, d):
    square, single, batch = d(2, 3, 3) + 2 * np.eye(3), d(3, 3), d(2, 4, 3)
    add("inv", np.linalg.inv, square)
    add("solve", np.linalg.solve, square, d(3, 2))
    add("solve a vector", np.linalg.solve, square, d(3))
    add("det", np.linalg.det, square)
    add("slogdet", lambda a: list(np.linalg.slogdet(a)), square)
    add("pinv", np.linalg.pinv, batch)
    add("pinv wide", np.linalg.pinv, d(2, 4))
    add("cholesky", lambda a: np.linalg.cholesky(symmetric(a)), positive(square))
    add("cholesky upper", lambda a: np.linalg.cholesky(symmetric(a), upper=True), positive(single))
    add("eigvalsh", lambda a: np.linalg.eigvalsh(symmetric(a)), square)
    add("eigvalsh U", lambda a: np.linalg.eigvalsh(symmetric(a), "U"), square)
    add("eigh", eigh_parts, square)
    add("eigvals", np.linalg.eigvals, single)
    add("eig", eig_parts, d(2, 3, 3))
    for a in (batch, d(3, 4), d(3, 3)):
        add(f"svd {a.shape}", svd_parts, a)
        add(f"svd full {a.shape}", svd_full, a)
        add(f"svdvals {a.shape}", np.linalg.svdvals, a)
        add(f"qr {a.shape}", lambda a: list(np.linalg.qr(a)), a)
        add(f"qr complete {a.shape}", qr_complete, a)
        add(f"qr r {a.shape}", lambda a: np.linalg.qr(a, "r"), a)
        for _ord in ("fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf):
            add(
                f"matrix_norm {_ord} {a.shape}",
                lambda a, o=_ord: np.linalg.matrix_norm(a, ord=o),
                a,
            )
    for _ord in ("nuc", 2, 1):
        add(
            f"norm {_ord}",
            lambda a, o=_ord: np.linalg.norm(a, o, axis=(0, 2), keepdims=True),
            batch,
        )
        add(f"norm of a matrix {_ord}", lambda a, o=_ord: np.linalg.norm(a, o), single)
    for _ord in (None, 1, 3, np.inf):
        add(f"vector norm {_ord}", lambda a, o=_ord: np.linalg.norm(a, o, axis=-1), batch)
    for _n in (0, 1, 2, 5, -3):
        add(f"matrix_power {_n}", lambda a, n=_n: np.linalg.matrix_power(a, n), square)
    add("multi_dot", lambda *a: np.linalg.multi_dot(a), d(4), d(4, 3), d(3, 2))
    add("multi_dot more", lambda *a: np.linalg.multi_dot(a), d(2, 4), d(4, 3), d(3, 5), d(5))
    add("lstsq", lambda a, b: list(np.linalg.lstsq(a, b)[:2]), d(5, 3), d(5, 2))
    add("lstsq wide", lambda a, b: np.linalg.lstsq(a, b)[0], d(3, 5), d(3))
    for _p in (None, 2, -2, 1, "fro", np.inf):
        add(f"cond {_p}", lambda a, p=_p: np.real(np.linalg.cond(a, p)), square)
    add("tensorinv", np.linalg.tensorinv, d(2, 2, 4))
    add("tensorsolve", np.linalg.tensorsolve, d(2, 3, 6), d(2, 3))
    add(
        "tensorsolve axes", lambda a, b: np.linalg.tensorsolve(a, b, axes=(1,)), d(2, 6, 3), d(2, 3)
    )
    for _name in ("trace", "diagonal", "matrix_transpose"):
        add(f"linalg.{_name}", getattr(np.linalg, _name), batch)
    add("linalg.matmul", np.linalg.matmul, square, batch[:, :3])
    add("linalg.outer", np.linalg.outer, d(3), d(2))
    add("linalg.cross", np.linalg.cross, batch, d(3))
    add("linalg.vecdot", np.linalg.vecdot, batch, d(3))
    add("linalg.tensordot", lambda a, b: np.linalg.tensordot(a, b, axes=1), batch, d(3, 2))
    add("vdot", np.vdot, batch, d(2, 4, 3))
    # ------------------------------------------------------------------------- Fourier transforms
    for _norm in (None, "ortho", "forward"):
        for _name in ("fft", "ifft"):
            _f = getattr(np.fft, _name)
            for _n in (None, 3, 6):
                add(
                    f"{_name} {_n} {_norm}",
                    lambda x, f=_f, n=_n, m=_norm: f(x, n, 1, m),
                    d(2, 4, 2),
                )
        for _name in ("fft2", "ifft2", "fftn", "ifftn"):
            _f = getattr(np.fft, _name)
            add(f"{_name} {_norm}", lambda x, f=_f, m=_norm: f(x, norm=m), d(2, 4, 3))
        for _name in ("irfft", "hfft"):
            _f = getattr(np.fft, _name)
            for _n in (None, 1, 2, 5, 6, 9):
                add(f"{_name} {_n} {_norm}", lambda x, f=_f, n=_n, m=_norm: f(x, n, -1, m), d(2, 4))
        for _name in ("irfft2", "irfftn"):
            _f = getattr(np.fft, _name)
            add(f"{_name} {_norm}", lambda x, f=_f, m=_norm: f(x, norm=m), d(3, 4, 3))
    add("fftn s", lambda x: np.fft.fftn(x, s=(3, 5), axes=(0, 2)), d(2, 4, 3))
    add("irfftn s", lambda x: np.fft.irfftn(x, s=(3, 5), axes=(0, 2)), d(2, 4, 3))
    for _axes in (None, 1, (0, -1)):
        add(f"fftshift {_axes}", lambda x, a=_axes: np.fft.fftshift(x, a), d(3, 4, 5))
        add(f"ifftshift {_axes}", lambda x, a=_axes: np.fft.ifftshift(x, a), d(3, 4, 5))


linear_algebra(row, normal)
linear_algebra(complex_row, z)
row("eigh, vectors", lambda a: list(np.linalg.eigh(symmetric(a))), normal(2, 3, 3))
for _norm in (None, "ortho", "forward"):
    for _name in ("rfft", "ihfft"):
        _f = getattr(np.fft, _name)
        for _n in (None, 1, 3, 6):
            row(f"{_name} {_n} {_norm}", lambda x, f=_f, n=_n, m=_norm: f(x, n, 0, m), normal(4, 2))
    row(f"rfft2 {_norm}", lambda x, m=_norm: np.fft.rfft2(x, norm=m), normal(2, 4, 3))
    row(
        f"rfftn {_norm}",
        lambda x, m=_norm: np.fft.rfftn(x, s=(5, 3), axes=(0, 2), norm=m),
        normal(2, 4, 3),
    )
