"""One table of the differentiable operations: a call, where to try it, and PyTorch's counterpart.

Values keep clear of kinks and ties: no two of `distinct` are near each other, near zero, or near
a multiple of a half. `torch` is a name in PyTorch, a function of the module and the inputs, or
None where PyTorch has no such operation (or no derivative for it).
"""

import math
import operator
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import minigrad.functional as F


class Operation(NamedTuple):
    name: str
    function: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    torch: str | Callable[..., Any] | None


OPERATIONS: list[Operation] = []


def row(name, function, *inputs, torch):
    OPERATIONS.append(Operation(name, function, inputs, torch))


def distinct(*shape, seed=0):
    n = math.prod(shape)
    return ((np.random.default_rng(seed).permutation(n) + 0.5) / n * 3.88 - 1.909).reshape(shape)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def fix(x):
    with warnings.catch_warnings():  # of bare arrays NumPy advises trunc, since 2.5
        warnings.simplefilter("ignore", DeprecationWarning)
        return np.fix(x)


V, W = distinct(4), distinct(4, seed=3)
A, B = distinct(3, 4), distinct(3, 4, seed=1) + 0.017
C, D = distinct(2, 3, 4), normal(4, 5)
E, S = normal(2, 4, 5), normal(4, 4)
UNIT = np.abs(A) / 2.1 + 0.03  # in (0, 1)
ROW, COLUMN = np.array([0.35, 0.57, 0.27, 0.15]), UNIT[:, :1]
ZEROS = UNIT.copy()
ZEROS[[0, 1, 1], [1, 2, 3]] = 0  # rows with one zero, with two, and with none
MASK = C > 0.3
BIG = np.array([0.73, -1.31, 1.9, 0.57])

# ------------------------------------------------------------------------- elementwise, one array
for _name, _torch in {
    "negative": "negative", "positive": "positive", "reciprocal": "reciprocal",
    "square": "square", "sqrt": "sqrt", "cbrt": lambda t, x: x ** (1 / 3), "exp": "exp",
    "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10",
    "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "arcsin",
    "arccos": "arccos", "arctan": "arctan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "arcsinh": "arcsinh", "arctanh": "arctanh", "degrees": "rad2deg", "rad2deg": "rad2deg",
    "radians": "deg2rad", "deg2rad": "deg2rad", "conjugate": lambda t, x: x, "copy": "clone",
}.items():  # fmt: skip
    row(_name, getattr(np, _name), UNIT, torch=_torch)
for _name, _torch in {
    "absolute": "abs", "fabs": "abs", "sign": "sign", "floor": "floor", "ceil": "ceil",
    "trunc": "trunc", "rint": "round", "round": "round", "around": "round",
    "modf": lambda t, x: (x - t.trunc(x), t.trunc(x)),
}.items():  # fmt: skip
    row(_name, getattr(np, _name), A, torch=_torch)
row("fix", fix, A, torch="fix")
row("arccosh", np.arccosh, 1 + UNIT, torch="arccosh")
row("round decimals", lambda x: np.round(x, 1), A, torch=lambda t, x: t.round(x, decimals=1))
row("cbrt of negatives", np.cbrt, A, torch=lambda t, x: x.sign() * x.abs() ** (1 / 3))
row("nan_safe where", lambda x: np.where(x > 0, x, -x), A, torch="abs")
row("astype", lambda x: np.astype(x, np.float64), A, torch=lambda t, x: x)
for _power in (0, 1, 2, 3, -1, 0.5, -2.5):
    row(f"power {_power}", lambda x, p=_power: x**p, UNIT, torch=lambda t, x, p=_power: x**p)
row("2 to the power", lambda x: 2.0**x, A, torch=lambda t, x: 2.0**x)

# ------------------------------------------------------------------------ elementwise, two arrays
BINARY = {
    "add": "add", "subtract": "subtract", "multiply": "multiply", "divide": "divide",
    "power": "pow", "float_power": "float_power", "remainder": "remainder", "fmod": "fmod",
    "logaddexp": "logaddexp", "logaddexp2": "logaddexp2", "arctan2": "arctan2", "hypot": "hypot",
    "copysign": "copysign", "maximum": "maximum", "minimum": "minimum", "fmax": "fmax",
    "fmin": "fmin", "floor_divide": lambda t, a, b: t.div(a, b, rounding_mode="floor"),
    "heaviside": None,
    "divmod": lambda t, a, b: (t.div(a, b, rounding_mode="floor"), t.remainder(a, b)),
}  # fmt: skip
for _name, _torch in BINARY.items():
    _f = getattr(np, _name)
    row(_name, _f, UNIT, ROW, torch=_torch)
    row(f"{_name} column and row", _f, COLUMN, ROW + 0.043, torch=_torch)
    if "power" not in _name:
        row(f"{_name} both signs", _f, A, BIG, torch=_torch)
row("power of exponents 0, 1, 2", np.power, UNIT, np.array([0.0, 1.0, 2.0, -0.0]), torch="pow")
row("ldexp", lambda x: np.ldexp(x, [1, -2, 0, 3]), A,
    torch=lambda t, x: x * t.tensor([2, 1 / 4, 1, 8]))  # fmt: skip
row("where", lambda a, b: np.where(A > 0, a, b), A, V,
    torch=lambda t, a, b: t.where(t.tensor(A > 0), a, b))  # fmt: skip
row("clip", lambda x: np.clip(x, -0.5, 0.5), A, torch=lambda t, x: t.clip(x, -0.5, 0.5))
row("clip low", lambda x: np.clip(x, -0.5, None), A, torch=lambda t, x: t.clip(x, min=-0.5))
row("clip high", lambda x: np.clip(x, None, 0.5), A, torch=lambda t, x: t.clip(x, max=0.5))
row("clip arrays", np.clip, A, B - 0.5, B + 0.5, torch="clip")
row("clip crossed", np.clip, A, np.array(0.4), np.array(-0.3), torch="clip")

# ------------------------------------------------------------------------------------- reductions
for _axis in (None, 0, 1, -1, (0, 1), (-1, 0)):
    for _keep in (False, True):
        _t = {"dim": _axis, "keepdim": _keep}
        _n = {"axis": _axis, "keepdims": _keep}
        _all = {"dim": () if _axis is None else _axis, "keepdim": _keep}
        _some = {"dim": tuple(range(2)) if _axis is None else _axis, "keepdim": _keep}
        for _name, _torch in {
            "sum": lambda t, x, k=_t: t.sum(x, **k),
            "mean": lambda t, x, k=_t: t.mean(x, **k),
            "var": lambda t, x, k=_t: t.var(x, correction=0, **k),
            "std": lambda t, x, k=_t: t.std(x, correction=0, **k),
            "max": lambda t, x, k=_all: t.amax(x, **k),
            "min": lambda t, x, k=_all: t.amin(x, **k),
            "ptp": lambda t, x, k=_all: t.amax(x, **k) - t.amin(x, **k),
            "prod": None if _axis in (None, (0, 1), (-1, 0)) else lambda t, x, k=_t: t.prod(x, **k),
        }.items():
            _f = getattr(np, _name)
            row(f"{_name} {_axis} {_keep}", lambda x, f=_f, k=_n: f(x, **k), A, torch=_torch)
        row(f"prod of zeros {_axis} {_keep}", lambda x, k=_n: np.prod(x, **k), ZEROS, torch=_torch)
        row(f"logsumexp {_axis} {_keep}", lambda x, k=_n: F.logsumexp(x, **k), A,
            torch=lambda t, x, k=_some: t.logsumexp(x, **k))  # fmt: skip
        row(f"norm {_axis} {_keep}", lambda x, k=_n: np.linalg.norm(x, **k), A,
            torch=lambda t, x, k=_t: t.linalg.vector_norm(x, **k))  # fmt: skip
row("amax", lambda x: np.amax(x, axis=1), A, torch=lambda t, x: t.amax(x, 1))
row("amin", lambda x: np.amin(x, axis=1), A, torch=lambda t, x: t.amin(x, 1))
row("sum of a scalar", lambda x: np.sum(x, axis=0), np.array(0.7), torch=lambda t, x: t.sum(x, 0))
row(
    "max of a scalar", lambda x: np.max(x, axis=-1), np.array(0.7), torch=lambda t, x: t.amax(x, -1)
)
row("prod of three axes", lambda x: np.prod(x, axis=(0, 2)), C, torch=None)
row("var ddof", lambda x: np.var(x, axis=0, ddof=1), A, torch=lambda t, x: t.var(x, 0))
row("std ddof", lambda x: np.std(x, axis=(0, 2), ddof=0.5, keepdims=True), C,
    torch=lambda t, x: t.std(x, (0, 2), correction=0.5, keepdim=True))  # fmt: skip
for _ord in (1, 3, 0.5, np.inf, -np.inf):
    row(f"norm {_ord}", lambda x, o=_ord: np.linalg.norm(x, o, 1), A,
        torch=lambda t, x, o=_ord: t.linalg.vector_norm(x, o, 1))  # fmt: skip
row("norm fro", lambda x: np.linalg.norm(x, "fro", axis=(0, 2)), C,
    torch=lambda t, x: t.linalg.matrix_norm(x, dim=(0, 2)))  # fmt: skip
row("vector_norm", lambda x: np.linalg.vector_norm(x, ord=3, keepdims=True), A,
    torch=lambda t, x: t.linalg.vector_norm(x, 3, keepdim=True))  # fmt: skip
for _axis in (0, 1, -1):
    row(f"cumsum {_axis}", lambda x, k=_axis: np.cumsum(x, k), A,
        torch=lambda t, x, k=_axis: t.cumsum(x, k))  # fmt: skip
row("cumsum None", np.cumsum, A, torch=lambda t, x: t.cumsum(x.ravel(), 0))

# --------------------------------------------------------------------------------------- products
for _a, _b in [
    (A, D), (V, D), (A, V), (V, W), (C, D), (C, E), (A, E), (E.swapaxes(1, 2), V), (V, E),
    (normal(2, 1, 3, 4), normal(5, 4, 2)), (C[:1], E), (C, D[:, 0]),
]:  # fmt: skip
    row(f"matmul {_a.shape} {_b.shape}", np.matmul, _a, _b, torch="matmul")
row("matmul operator", operator.matmul, A, D, torch="matmul")
for _a, _b in [(A, D), (C, D), (V, W), (A, V), (V, D)]:
    row(f"dot {_a.shape} {_b.shape}", np.dot, _a, _b, torch="matmul")
for _a, _b in [(C, E), (V, E)]:
    row(f"dot {_a.shape} {_b.shape}", np.dot, _a, _b,
        torch=lambda t, a, b: t.tensordot(a, b, ([-1], [1])))  # fmt: skip
row("dot of a scalar", np.dot, np.array(0.7), A, torch="multiply")
row("inner", np.inner, C, A, torch="inner")
row("inner of vectors", np.inner, V, W, torch="inner")
row("inner of a scalar", np.inner, A, np.array(0.7), torch="inner")
row("vdot", np.vdot, A, B, torch=lambda t, a, b: t.vdot(a.ravel(), b.ravel()))
row("outer", np.outer, V, UNIT, torch=lambda t, a, b: t.outer(a, b.ravel()))
for _axes in (([1, 2], [0, 1]), (-1, 1), 0, 1):
    _a, _b = (C, A) if _axes != 1 else (C, D)
    row(f"tensordot {_axes}", lambda a, b, k=_axes: np.tensordot(a, b, k), _a, _b,
        torch=lambda t, a, b, k=_axes: t.tensordot(a, b, ([-1], [1]) if k == (-1, 1) else k),
    )  # fmt: skip
for _subscripts, *_operands in [
    ("ij,jk->ik", A, D), ("ij,jk", A, D), ("ii->i", S), ("ii", S), ("ij->", A), ("ij->ji", A),
    ("...ij,...jk->...ik", C, E), ("ij,j,ij->i", A, V, B), ("i,j->ij", V, W), ("bij->bji", C),
    ("...j->...", C), ("iij->j", normal(3, 3, 2)), ("ij,kl->il", A, D), ("bij,jk->bik", C, D),
    (" i j , j -> i ", A, V), ("i...,i->...", A, normal(3)),
]:  # fmt: skip
    row(f"einsum {_subscripts}", lambda *x, s=_subscripts: np.einsum(s, *x), *_operands,
        torch=lambda t, *x, s=_subscripts: t.einsum(s, *x))  # fmt: skip
row("einsum broadcast", lambda a, b: np.einsum("ij,ij->i", a, b), A, COLUMN, torch=None)
row("einsum of lengths 1", lambda a, b: np.einsum("ij,jk", a, b), COLUMN, COLUMN, torch=None)
row("einsum optimize", lambda *x: np.einsum("ij,jk,kl", *x, optimize=True), A, S, D, torch=None)

# ------------------------------------------------------------------------------------------ shape
for _name, _f, _torch in [
    ("reshape", lambda x: np.reshape(x, (2, -1)), lambda t, x: x.reshape(2, -1)),
    ("ravel", np.ravel, "ravel"),
    ("transpose", np.transpose, lambda t, x: x.permute(2, 1, 0)),
    ("transpose axes", lambda x: np.transpose(x, (2, 0, -2)), lambda t, x: x.permute(2, 0, 1)),
    ("matrix_transpose", np.matrix_transpose, lambda t, x: x.mT),
    ("swapaxes", lambda x: np.swapaxes(x, 0, -1), lambda t, x: x.swapaxes(0, -1)),
    ("moveaxis", lambda x: np.moveaxis(x, [0, 1], [-1, 0]),
     lambda t, x: t.movedim(x, (0, 1), (-1, 0))),
    ("squeeze", lambda x: np.squeeze(x[:1], 0), lambda t, x: x[:1].squeeze(0)),
    ("squeeze all", lambda x: np.squeeze(x[:1, :, :1]), lambda t, x: x[:1, :, :1].squeeze()),
    ("expand_dims", lambda x: np.expand_dims(x, (0, -1)), lambda t, x: x[None, ..., None]),
    ("broadcast_to", lambda x: np.broadcast_to(x[:, :1], (5, 2, 3, 4)),
     lambda t, x: t.broadcast_to(x[:, :1], (5, 2, 3, 4))),
    ("broadcast_arrays", lambda x: np.broadcast_arrays(x, x[0]),
     lambda t, x: t.broadcast_tensors(x, x[0])),
    ("flip", lambda x: np.flip(x, (0, 2)), lambda t, x: t.flip(x, (0, 2))),
    ("flip all", np.flip, lambda t, x: t.flip(x, (0, 1, 2))),
    ("flipud", np.flipud, "flipud"),
    ("fliplr", np.fliplr, "fliplr"),
    ("roll", lambda x: np.roll(x, (1, 2), (0, 1)), lambda t, x: t.roll(x, (1, 2), (0, 1))),
    ("roll flat", lambda x: np.roll(x, 5), lambda t, x: t.roll(x, 5)),
    ("tril", np.tril, "tril"),
    ("triu", lambda x: np.triu(x, 1), lambda t, x: t.triu(x, 1)),
    ("triu of a vector", lambda x: np.triu(x[0, 0]), lambda t, x: t.triu(x[0, 0].expand(4, 4))),
    ("tril of a vector", lambda x: np.tril(x[0, 0]), lambda t, x: t.tril(x[0, 0].expand(4, 4))),
    ("concatenate", lambda x: np.concatenate([x, x * 2], 1), lambda t, x: t.cat([x, x * 2], 1)),
    ("concatenate flat", lambda x: np.concatenate([x, x[0] * 2], axis=None),
     lambda t, x: t.cat([x.ravel(), x[0].ravel() * 2])),
    ("stack", lambda x: np.stack([x, x * x], -1), lambda t, x: t.stack([x, x * x], -1)),
    ("vstack", lambda x: np.vstack([x[0, 0], x[1]]), lambda t, x: t.vstack([x[0, 0], x[1]])),
    ("hstack", lambda x: np.hstack([x, x]), lambda t, x: t.hstack([x, x])),
    ("hstack of vectors", lambda x: np.hstack([x[0, 0], x[1, 1]]),
     lambda t, x: t.hstack([x[0, 0], x[1, 1]])),
    ("dstack", lambda x: np.dstack([x[0, 0], x[1, 1]]), lambda t, x: t.dstack([x[0, 0], x[1, 1]])),
    ("column_stack", lambda x: np.column_stack([x[0], x[1, :, 0]]),
     lambda t, x: t.column_stack([x[0], x[1, :, 0]])),
    ("append", lambda x: np.append(x, x[0]), lambda t, x: t.cat([x.ravel(), x[0].ravel()])),
    ("append axis", lambda x: np.append(x, x, axis=1), lambda t, x: t.cat([x, x], 1)),
    ("atleast_1d", lambda x: np.atleast_1d(x[0, 0, 0], x),
     lambda t, x: t.atleast_1d(x[0, 0, 0], x)),
    ("atleast_2d", lambda x: np.atleast_2d(x[0, 0]), lambda t, x: t.atleast_2d(x[0, 0])),
    ("atleast_3d", lambda x: np.atleast_3d(x[0], x[0, 0]),
     lambda t, x: t.atleast_3d(x[0], x[0, 0])),
    ("split", lambda x: np.split(x, 2, 2), lambda t, x: t.tensor_split(x, 2, 2)),
    ("split at", lambda x: np.split(x, [1, 3], -1), lambda t, x: t.tensor_split(x, (1, 3), -1)),
    ("array_split", lambda x: np.array_split(x, 3, 2), lambda t, x: t.tensor_split(x, 3, 2)),
    ("vsplit", lambda x: np.vsplit(x, 2), lambda t, x: t.vsplit(x, 2)),
    ("hsplit", lambda x: np.hsplit(x, 3), lambda t, x: t.hsplit(x, 3)),
    ("dsplit", lambda x: np.dsplit(x, [1]), lambda t, x: t.dsplit(x, [1])),
    ("repeat", lambda x: np.repeat(x, 3, 1), lambda t, x: t.repeat_interleave(x, 3, 1)),
    ("repeat each", lambda x: np.repeat(x, [1, 0, 2], 1),
     lambda t, x: t.repeat_interleave(x, t.tensor([1, 0, 2]), 1)),
    ("repeat flat", lambda x: np.repeat(x, 2), lambda t, x: t.repeat_interleave(x, 2)),
    ("tile", lambda x: np.tile(x, (2, 1, 3)), lambda t, x: t.tile(x, (2, 1, 3))),
    ("tile last", lambda x: np.tile(x, 2), lambda t, x: t.tile(x, (2,))),
    ("tile more", lambda x: np.tile(x, (2, 1, 1, 2)), lambda t, x: t.tile(x, (2, 1, 1, 2))),
    ("pad", lambda x: np.pad(x, ((1, 0), (0, 2), (1, 1)), constant_values=0.5),
     lambda t, x: t.nn.functional.pad(x, (1, 1, 0, 2, 1, 0), value=0.5)),
    ("pad symmetric", lambda x: np.pad(x, [(0, 0), (0, 0), (2, 1)], mode="symmetric"), None),
    *((f"pad {_mode}", lambda x, m=_mode: np.pad(x, ((0, 0), (0, 0), (2, 1)), mode=m),
       lambda t, x, m=_same: t.nn.functional.pad(x, (2, 1), mode=m))
      for _mode, _same in [("edge", "replicate"), ("reflect", "reflect"), ("wrap", "circular")]),
]:  # fmt: skip
    row(_name, _f, C, torch=_torch)

# --------------------------------------------------------------------------------------- indexing
for _name, _key in {
    "an integer": 0, "negative": -1, "slices": (slice(None), slice(1, None), slice(None, None, 2)),
    "a new axis": (..., None, -1), "a list": [0, 0, 1], "a matrix": np.array([[0, 1], [1, 1]]),
    "a mask": MASK, "a list and a slice": ([0, 1, 0], slice(1, None)), "nothing": [],
    "two lists": (slice(None), [0, 2, 2], [1, 1, 1]),
    "a mask of an axis": (slice(None), np.array([True, False, True])), "mixed": (0, [1, 1]),
    "lists apart": ([0, 1, 1], slice(None), [2, 2, 2]), "negative, repeated": [-1, 1, -1],
    "a NumPy integer": np.int64(1), "one value": (1, 2, 3),
}.items():  # fmt: skip
    row(f"getitem {_name}", lambda x, k=_key: x[k], C, torch=lambda t, x, k=_key: x[k])
_along = np.array([[[0, 0, 1, 2]], [[2, 2, 2, 2]]])
for _name, _f, _torch in [
    ("getitem reversed", lambda x: x[::-1, :, ::-2], None),
    ("iterate", lambda x: sum(v * v for v in x), lambda t, x: (x * x).sum(0)),
    ("iterate a vector", lambda x: sum(v * v for v in x[0, 0]), lambda t, x: (x * x)[0, 0].sum()),
    ("take", lambda x: np.take(x, [0, 0, 2], 1),
     lambda t, x: t.index_select(x, 1, t.tensor([0, 0, 2]))),
    ("take flat", lambda x: np.take(x, [0, 0, 5]), lambda t, x: t.take(x, t.tensor([0, 0, 5]))),
    ("take nothing", lambda x: np.take(x, [], 1), lambda t, x: x[:, :0]),
    ("take by booleans", lambda x: np.take(x, [True, False], 1), lambda t, x: x[:, [1, 0]]),
    ("take one", lambda x: np.take(x, 2, -1), lambda t, x: x[..., 2]),
    ("take_along_axis", lambda x: np.take_along_axis(x, _along, 1),
     lambda t, x: t.take_along_dim(x, t.tensor(_along), 1)),
    ("take_along_axis flat", lambda x: np.take_along_axis(x, np.array([3, 3]), None),
     lambda t, x: t.take_along_dim(x, t.tensor([3, 3]))),
    ("diag", lambda x: np.diag(x[0, 0], 1), lambda t, x: t.diag(x[0, 0], 1)),
    ("diag below", lambda x: np.diag(x[0, 0], -2), lambda t, x: t.diag(x[0, 0], -2)),
    ("diag of a matrix", lambda x: np.diag(x[0]), lambda t, x: t.diag(x[0])),
    ("diagonal", lambda x: np.diagonal(x, 1, 1, 2), lambda t, x: t.diagonal(x, 1, 1, 2)),
    ("diagonal below", lambda x: np.diagonal(x, -1, 2, 0), lambda t, x: t.diagonal(x, -1, 2, 0)),
    ("trace", lambda x: np.trace(x, 0, 1, 2), lambda t, x: t.diagonal(x, 0, 1, 2).sum(-1)),
    ("diff", np.diff, "diff"),
    ("diff twice", lambda x: np.diff(x, 2, 1), lambda t, x: t.diff(x, 2, 1)),
    ("bincount", lambda x: np.bincount([0, 2, 2, 0], x[0, 0], minlength=5),
     lambda t, x: t.zeros(5, dtype=x.dtype).index_add(0, t.tensor([0, 2, 2, 0]), x[0, 0])),
]:  # fmt: skip
    row(_name, _f, C, torch=_torch)

# ------------------------------------------------------------------- windows: convolution, pooling
IMAGES, FILTERS, BIAS = distinct(2, 4, 5, 6), normal(4, 4, 3, 2), normal(4)
SMALL = IMAGES[..., :3, :4]  # a transposed convolution makes many numbers of few
for _name, _function, _images, _keywords in [
    ("conv2d", F.conv2d, IMAGES, {}),
    ("conv2d strided", F.conv2d, IMAGES,
     {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}),
    ("conv_transpose2d", F.conv_transpose2d, SMALL, {}),
    ("conv_transpose2d strided", F.conv_transpose2d, SMALL,
     {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2), "dilation": (2, 1)}),
]:  # fmt: skip
    row(_name, partial(_function, **_keywords), _images, FILTERS, BIAS,
        torch=lambda t, *x, f=_function.__name__, k=_keywords: getattr(t.nn.functional, f)(*x, **k)
    )  # fmt: skip
row("conv2d groups", partial(F.conv2d, groups=2), IMAGES, FILTERS[:, :2],
    torch=lambda t, x, w: t.nn.functional.conv2d(x, w, groups=2))  # fmt: skip
for _name in ("max_pool2d", "avg_pool2d"):
    row(_name, partial(getattr(F, _name), kernel_size=(3, 2), stride=(1, 2), padding=1), IMAGES,
        torch=lambda t, x, f=_name: getattr(t.nn.functional, f)(x, (3, 2), (1, 2), 1),
    )  # fmt: skip
row("im2col", partial(F.im2col, kernel_size=(3, 2), stride=2, padding=1), IMAGES,
    torch=lambda t, x: t.nn.functional.unfold(x, (3, 2), padding=1, stride=2).mT.reshape(24, 24),
)  # fmt: skip
row("col2im", lambda c: F.col2im(c, (2, 4, 5, 6), (3, 2), stride=2, padding=1), normal(24, 24),
    torch=lambda t, c: t.nn.functional.fold(
        c.reshape(2, 12, 24).mT, (5, 6), (3, 2), padding=1, stride=2
    ))  # fmt: skip
row("sliding_window_view", lambda x: sliding_window_view(x, (2, 3), (0, 2)), C,
    torch=lambda t, x: x.unfold(0, 2, 1).unfold(2, 3, 1))  # fmt: skip
