"""Rows of what arranges arrays, of products and of polynomials."""

import numpy as np
from rows import HOLES, SCALAR, A, B, C, U, V, W, normal, row, symmetric

# -------------------------------------------------------------------- one argument, elementwise
row("sinc", np.sinc, np.concatenate([V * 3, [0.0, 1e-5, 0.31]]))
row("i0", np.i0, V * 4)
row("nan_to_num", lambda x: np.nan_to_num(x, nan=0.3), HOLES)
row("real", np.real, A)
row("imag", np.imag, A)
row("angle", np.angle, A)
row("real_if_close", np.real_if_close, A)
row("sign", np.sign, A)
row("unwrap", lambda x: np.unwrap(x * 4), V)
row("unwrap period", lambda x: np.unwrap(x * 4, period=3.0, axis=0), A)

# -------------------------------------------------------------------------------- shape, selection
for name, _f in {
    "rollaxis": lambda x: np.rollaxis(x, 2),
    "rot90": lambda x: np.rot90(x, 3, (0, 2)),
    "resize": lambda x: np.resize(x, (5, 7)),
    "block": lambda x: np.block([[x, x], [x * 2, x]]),
    "block of blocks": lambda x: np.block([[x[0], np.ones((3, 1))], [x[1], np.zeros((3, 1))]]),
    "insert": lambda x: np.insert(x, 1, 5.0, axis=1),
    "insert many": lambda x: np.insert(x, [0, 2], x[:, :2], axis=1),
    "insert flat": lambda x: np.insert(x, 3, x[0, 0]),
    "delete": lambda x: np.delete(x, [0, 2], axis=1),
    "delete flat": lambda x: np.delete(x, 3),
    "delete slice": lambda x: np.delete(x, slice(0, 2), 2),
    "meshgrid": lambda x: list(np.meshgrid(x[0, 0], x[0, :, 0], x[:, 0, 0])),
    "meshgrid ij": lambda x: list(np.meshgrid(x[0, 0], x[0, :, 0], indexing="ij", sparse=True)),
    "unstack": lambda x: list(np.unstack(x, axis=1)),
    "diagflat": lambda x: np.diagflat(x, 1),
    "compress": lambda x: np.compress([True, False, True], x, axis=1),
    "compress flat": lambda x: np.compress([True, False, True], x),
    "extract": lambda x: np.extract(C > 0, x),
    "trim_zeros": lambda x: np.trim_zeros(x[0, 0] * [0, 1, 0, 1]),
    "choose": lambda x: np.choose(np.array([[0, 1, 1, 0]] * 3), [x[0], x[1]]),
    "select": lambda x: np.select([C > 1, C > 0], [x * 2, np.sin(x)], 3.0),
    "select default": lambda x: np.select([C > 1, C > 0], [x, 2 * x]),
    "piecewise": lambda x: np.piecewise(x, [C < 0, C > 1], [np.sin, lambda v: v * v, 4.0]),
    "piecewise constants": lambda x: np.piecewise(x, [C < 0], [np.exp]),
    "sort": np.sort,
    "sort 0": lambda x: np.sort(x, axis=0),
    "sort flat": lambda x: np.sort(x, None),
    "partition": lambda x: np.sort(np.partition(x, 2)[..., :2]),
    "unique": np.unique,
    "unique more": lambda x: list(np.unique(np.round(x) * 0 + x, return_counts=True))[:1],
    "apply_along_axis": lambda x: np.apply_along_axis(lambda v: np.outer(v, v), 1, x),
    "apply_along_axis sum": lambda x: np.apply_along_axis(np.sum, 0, x),
    "apply_over_axes": lambda x: np.apply_over_axes(np.sum, x, [0, 2]),
    "reshape F": lambda x: np.reshape(x, (6, 4), order="F"),
    "ravel F": lambda x: np.ravel(x, order="F"),
    "take clip": lambda x: np.take(x, [0, 7, -2], axis=1, mode="clip"),
    "take wrap": lambda x: np.take(x, [0, 7, -2], axis=1, mode="wrap"),
    "concatenate dtype": lambda x: np.concatenate([x, x], dtype=np.float64),
    "vstack dtype": lambda x: np.vstack([x, x], dtype=np.float64),
    "hstack dtype": lambda x: np.hstack([x, x], dtype=None),
    "pad linear_ramp": lambda x: np.pad(
        x, ((0, 0), (2, 1), (1, 3)), "linear_ramp", end_values=(1, 0.5)
    ),
    "pad maximum": lambda x: np.pad(x, 2, "maximum"),
    "pad minimum": lambda x: np.pad(x, 1, "minimum", stat_length=2),
    "pad mean": lambda x: np.pad(
        x, ((1, 0), (0, 2), (1, 1)), "mean", stat_length=((1, 2), (2, 1), (3, 1))
    ),
    "pad median": lambda x: np.pad(x, 1, "median"),
    "pad pairs": lambda x: np.pad(x, 1, constant_values=((1, 2), (3, 4), (5, 6))),
    "pad odd": lambda x: np.pad(x, ((1, 0), (2, 1), (5, 4)), "reflect", reflect_type="odd"),
    "pad odd symmetric": lambda x: np.pad(x, 2, "symmetric", reflect_type="odd"),
    "diff ends": lambda x: np.diff(x, prepend=0.5, append=x[..., :2]),
    "ediff1d": lambda x: np.ediff1d(x, to_begin=[1.0, 2.0], to_end=x[0, 0]),
    "gradient": lambda x: list(np.gradient(x)),
    "gradient axis": lambda x: np.gradient(x, 0.5, axis=2, edge_order=2),
    "gradient uneven": lambda x: list(
        np.gradient(x, [0.0, 1.0, 3.0], [0.0, 1.0, 1.5, 4.0], axis=(1, 2))
    ),
    "gradient uneven 2": lambda x: np.gradient(x, [0.0, 1.0, 1.5, 4.0], axis=2, edge_order=2),
    "getitem method": lambda x: x.compress([True, False], axis=0) if hasattr(x, "compress") else 0,
}.items():
    row(name, _f, C)
row("pad by a value", lambda x, v: np.pad(x, 1, constant_values=v), A, SCALAR)
row("insert values", lambda x, v: np.insert(x, 1, v, axis=0), A, W)
row("full_like", np.full_like, A, SCALAR)
row("linspace", lambda a, b: np.linspace(a, b, 7), W, W + U[0])
row(
    "linspace open",
    lambda a, b: list(np.linspace(a, b, 5, endpoint=False, retstep=True)),
    SCALAR,
    SCALAR + 1,
)
row("linspace axis", lambda a, b: np.linspace(a, b, 4, axis=-1), W, SCALAR)
row("logspace", lambda a, b: np.logspace(a, b, 5, base=2.0), W, W + 1)
row("geomspace", lambda a, b: np.geomspace(a, b, 5), U, U + 1)
row("interp", np.interp, V, np.array([-1.55, -0.2, 0.9, 1.3]), W)
row("interp ends", lambda x, f: np.interp(x, [-1.0, 0.01, 1.1], f, left=9.0, right=-9.0), V, W[:3])
row("interp period", lambda x, f: np.interp(x, [0.11, 0.62, 0.35], f, period=0.9), V, W[:3])

# ------------------------------------------------------------------------------------ products
row("kron", np.kron, A, B[:2])
row("kron of a vector", np.kron, W, A)
row("cross", np.cross, C[..., :3], B[:, :3])
row("cross axes", lambda a, b: np.cross(a, b, axisa=1, axisb=0, axisc=0), C, B[:, 0])
row("cross axis", lambda a, b: np.cross(a, b, axis=0), A, B)
for _mode in ("full", "same", "valid"):
    for a, b in ((V, W), (W, V), (V, V[:5]), (W[:1], V)):
        for name in ("convolve", "correlate"):
            _f = getattr(np, name)
            row(f"{name} {_mode} {a.size} {b.size}", lambda a, b, f=_f, m=_mode: f(a, b, m), a, b)
row("einsum lists", lambda a, b: np.einsum(a, [0, 1], b, [2, 1], [0, 2]), A, B)
row("einsum lists, implicit", lambda a: np.einsum(a, [..., 1, 0]), C)
row("vecdot", np.vecdot, C, A)
row("vecdot axis", lambda a, b: np.vecdot(a, b, axis=1), C, A[None])
row("matvec", lambda a, x: np.matvec(a, x), C, W)
row("vecmat", lambda x, a: np.vecmat(x, a), W[:3], C)

# ------------------------------------------------------------------------------------ polynomials
P, Q = np.array([0.7, -1.2, 0.4, 0.9]), np.array([1.3, 0.6])
for name, _f, *_x in [
    ("polyval", np.polyval, P, A),
    ("polyadd", np.polyadd, P, Q),
    ("polysub", np.polysub, Q, P),
    ("polymul", np.polymul, P, Q),
    ("polydiv", lambda u, v: list(np.polydiv(u, v)), P, Q),
    ("polyder", lambda p: np.polyder(p, 2), P),
    ("polyint", lambda p: np.polyint(p, 2, [1.0, 2.0]), P),
    ("polyfit", lambda x, y: np.polyfit(x, y, 2), V, V[::-1] ** 2),
    (
        "polyfit weights",
        lambda x, y: np.polyfit(x, y, 1, w=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        V,
        V[::-1] ** 2,
    ),
    ("polyfit matrix", lambda x, y: np.polyfit(x, y, 2), V, np.stack([V, V**2], 1)),
    ("poly", np.poly, P),
    ("poly of a matrix", lambda s: np.real(np.poly(s)), symmetric(normal(3, 3))),
    ("vander", np.vander, W),
    ("vander more", lambda x: np.vander(x, 6, increasing=True), W),
    ("roots", lambda p: np.sort(np.abs(np.roots(p))), np.array([1.0, 0.3, -2.2, 0.4])),
]:
    row(name, _f, *_x)
for name, _f in [
    ("histogram", lambda x, w: list(np.histogram(x, 3, weights=w))),
    ("histogram edges", lambda x, w: np.histogram_bin_edges(x * 2, 4) * w[0]),
    ("histogram density", lambda x, w: list(np.histogram(x, 3, density=True, weights=np.abs(w)))),
    ("intersect1d", lambda x, w: np.intersect1d(np.concatenate([x, w]), x)),
    ("setdiff1d", lambda x, w: np.setdiff1d(np.concatenate([x, w]), w[:2])),
    ("setxor1d", np.setxor1d),
    ("union1d", np.union1d),
    ("unique_counts", lambda x, w: np.unique_counts(x)[0]),
    ("unique_inverse", lambda x, w: np.unique_inverse(x)[0]),
    ("unique_all", lambda x, w: np.unique_all(x)[0]),
    ("unique_values", lambda x, w: np.sort(np.unique_values(x))),
    ("nextafter", np.nextafter),
    ("spacing", lambda x, w: np.spacing(x)),
    ("frexp", lambda x, w: np.frexp(x)[0]),
]:
    row(name, _f, V, V[::-1] * 0.97 + 0.003)
