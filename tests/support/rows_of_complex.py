"""Rows of complex numbers."""

import numpy as np
from rows import complex_row, normal, z

# --------------------------------------------------------------------------------- complex numbers
Z, Y, X = z(3, 4), z(3, 4), normal(3, 4)
for name in (
    "negative positive reciprocal square sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan "
    "arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh absolute sign conjugate real imag "
    "angle sinc copy sum prod mean var std cumsum cumprod real_if_close nan_to_num diff trapezoid"
).split():
    complex_row(name, getattr(np, name), Z)
for name in "add subtract multiply divide power float_power".split():
    _f = getattr(np, name)
    complex_row(name, _f, Z, Y)
    complex_row(f"{name} by a real", _f, Z, np.abs(X))
    complex_row(f"{name} of a real", _f, np.abs(X[0]), Z)
for name, _f, *_x in [
    ("power 3", lambda x: x**3, Z),
    ("power 0.5", lambda x: x**0.5, Z),
    ("2 to the", lambda x: 2.0**x, Z),
    ("times 1j", lambda x: 1j * x - x * 2j + 1j, X),
    ("1j over", lambda x: (1 + 1j) / x, X),
    ("where", lambda x, y: np.where(X > 0, x, y), Z, X),
    ("angle deg", lambda x: np.angle(x, deg=True), Z),
    ("var axis", lambda x: np.var(x, axis=0, ddof=1), Z),
    ("std axis", lambda x: np.std(x, axis=(0, 1)), Z),
    ("var where", lambda x: np.var(x, axis=1, where=X > -1), Z),
    ("cov", np.cov, Z),
    ("corrcoef", np.corrcoef, Z),
    ("matmul", np.matmul, Z, z(4, 2)),
    ("dot", np.dot, Z, normal(4)),
    ("einsum", lambda a, b: np.einsum("ij,ij->i", a, b), Z, X),
    ("vecdot", np.vecdot, Z, Y),
    ("vecmat", lambda x, a: np.vecmat(x, a), z(3), Z),
    ("kron", np.kron, Z, z(2)),
    ("cross", np.cross, z(3), z(3)),
    ("outer", np.outer, Z[0], X[0]),
    ("inner", np.inner, Z, Y),
    ("convolve", np.convolve, Z[0], z(3)),
    ("correlate", np.correlate, Z[0], z(3)),
    ("polyval", np.polyval, z(3), Z),
    ("poly", np.poly, z(3)),
    ("stack", lambda a, b: np.stack([a, b]), Z, X),
    ("getitem", lambda x: x[[0, 0, 2], 1:], Z),
    ("linspace", lambda a, b: np.linspace(a, b, 4), Z, Y),
    ("roots", lambda p: np.sort(np.abs(np.roots(p))), z(4)),
    ("methods", lambda x: x.real * x.imag + x.conj(), Z),
    ("gradient", lambda x: np.gradient(x, axis=1), Z),
    ("average", lambda x, w: np.average(x, 1, w), Z, np.abs(X)),
    ("holomorphic chain", lambda x: np.sin(x * x) / (1 + np.exp(x)), Z),
    ("add.reduce", lambda x: np.add.reduce(x, axis=0), Z),
]:
    complex_row(name, _f, *_x)
