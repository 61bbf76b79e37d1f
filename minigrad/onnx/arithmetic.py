"""How arithmetic, reductions and products are written in ONNX."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minigrad import functional as F
from minigrad.functional import layers, losses
from minigrad.onnx.builder import INT, Builder, Merged, emit, emits
from minigrad.ops import elementwise, linalg, reduction

SAME_NAMES = {  # NumPy's, then ONNX's; inputs have the type of the output, and may be broadcast
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "power": "Pow",
    "float_power": "Pow", "negative": "Neg", "reciprocal": "Reciprocal", "sqrt": "Sqrt",
    "exp": "Exp", "log": "Log", "sin": "Sin", "cos": "Cos", "tan": "Tan", "arcsin": "Asin",
    "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh",
    "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh", "absolute": "Abs", "fabs": "Abs",
    "sign": "Sign", "floor": "Floor", "ceil": "Ceil", "rint": "Round", "maximum": "Max",
    "minimum": "Min", "matmul": "MatMul", "positive": "Identity", "copy": "Identity",
}  # fmt: skip


def _same(kind: str) -> Callable[..., str]:
    return lambda b, call, *inputs: b.op(kind, *inputs)


for _name, _kind in SAME_NAMES.items():
    emits[getattr(np, _name)] = _same(_kind)
for _function, _kind in [(F.relu, "Relu"), (F.sigmoid, "Sigmoid"), (F.softplus, "Softplus")]:
    emits[_function] = _same(_kind)
emits |= {F.erf: _same("Erf"), elementwise._where: _same("Where")}


# ------------------------------------------------------------------- elementwise, of several nodes
def _number(b: Builder, call: Merged, value: float) -> str:
    return b.constant(value, call.dtype)


def _scaled(factor: float, kind: str | None = None) -> Callable[..., str]:
    """Multiply by a factor, after an operation of one input."""

    def write(b: Builder, call: Merged, x: str) -> str:
        return b.op("Mul", b.op(kind, x) if kind else x, _number(b, call, factor))

    return write


emits |= {
    np.log2: _scaled(1 / math.log(2), "Log"),
    np.log10: _scaled(1 / math.log(10), "Log"),
    np.degrees: _scaled(180 / math.pi),
    np.rad2deg: _scaled(180 / math.pi),
    np.radians: _scaled(math.pi / 180),
    np.deg2rad: _scaled(math.pi / 180),
    np.square: lambda b, call, x: b.op("Mul", x, x),
    np.exp2: lambda b, call, x: b.op("Pow", _number(b, call, 2), x),
    np.expm1: lambda b, call, x: b.op("Sub", b.op("Exp", x), _number(b, call, 1)),
    np.log1p: lambda b, call, x: b.op("Log", b.op("Add", x, _number(b, call, 1))),
    np.trunc: lambda b, call, x: b.op("Mul", b.op("Sign", x), b.op("Floor", b.op("Abs", x))),
    np.floor_divide: lambda b, call, x, y: b.op("Floor", b.op("Div", x, y)),
    np.fmod: lambda b, call, x, y: b.op("Mod", x, y, fmod=1),
    np.hypot: lambda b, call, x, y: b.op("Sqrt", b.op("Add", b.op("Mul", x, x), b.op("Mul", y, y))),
    F.leaky_relu: lambda b, call, x, slope=None: (
        b.op("LeakyRelu", x, alpha=0.01) if slope is None else b.op("PRelu", x, slope)
    ),
    F.softmax: lambda b, call, x: b.op("Softmax", x, axis=call.keywords.get("axis", -1)),
    F.log_softmax: lambda b, call, x: b.op("LogSoftmax", x, axis=call.keywords.get("axis", -1)),
}


@emit(np.remainder)
def _remainder(b: Builder, call: Merged, x: str, y: str) -> str:
    return b.op("Sub", x, b.op("Mul", b.op("Floor", b.op("Div", x, y)), y))


@emit(np.cbrt)
def _cbrt(b: Builder, call: Merged, x: str) -> str:
    root = b.op("Pow", b.op("Abs", x), _number(b, call, 1 / 3))
    return b.op("Mul", b.op("Sign", x), root)


@emit(np.logaddexp)
def _logaddexp(b: Builder, call: Merged, x: str, y: str) -> str:
    gap = b.op("Neg", b.op("Abs", b.op("Sub", x, y)))
    return b.op("Add", b.op("Max", x, y), b.op("Softplus", gap))


@emit(np.round)
def _round(b: Builder, call: Merged, x: str) -> str:
    scale = _number(b, call, 10.0 ** call.keywords.get("decimals", 0))
    return b.op("Div", b.op("Round", b.op("Mul", x, scale)), scale)


@emit(elementwise.clip)
def _clip(b: Builder, call: Merged, x: str, low: str | None = None, high: str | None = None) -> str:
    x = x if low is None else b.op("Max", x, low)
    return x if high is None else b.op("Min", x, high)


# -------------------------------------------------------------------------------------- reductions
def _axes(call: Merged) -> list[int]:
    axis = call.keywords.get("axis")
    every = range(len(call.shapes[0]))
    return [*every] if axis is None else [*axis] if isinstance(axis, tuple) else [axis]


def _reduction(kind: str) -> Callable[..., str]:
    def write(b: Builder, call: Merged, x: str) -> str:
        if not call.shapes[0]:
            return b.op("Identity", x)
        keep = int(bool(call.keywords.get("keepdims", False)))
        return b.op(kind, x, b.constant(np.array(_axes(call), INT)), keepdims=keep)

    return write


for _reduce, _kind in [
    (np.sum, "Sum"), (np.mean, "Mean"), (np.prod, "Prod"), (np.max, "Max"), (np.amax, "Max"),
    (np.min, "Min"), (np.amin, "Min"), (F.logsumexp, "LogSumExp"), (reduction._euclidean, "L2"),
]:  # fmt: skip
    emits[_reduce] = _reduction(f"Reduce{_kind}")


@emit(np.var, np.std)
def _var(b: Builder, call: Merged, x: str) -> str:
    axes, keep = b.constant(np.array(_axes(call), INT)), int(call.keywords.get("keepdims", False))
    centred = b.op("Sub", x, b.op("ReduceMean", x, axes))
    y = b.op("ReduceMean", b.op("Mul", centred, centred), axes, keepdims=keep)
    if ddof := call.keywords.get("ddof", 0):
        n = math.prod(call.static([call.shapes[0][a] for a in _axes(call)]))
        y = b.op("Mul", y, _number(b, call, n / (n - ddof)))
    return y


@emit(np.std)
def _std(b: Builder, call: Merged, x: str) -> str:
    return b.op("Sqrt", _var(b, call, x))


@emit(np.cumsum)
def _cumsum(b: Builder, call: Merged, x: str) -> str:
    axis = call.keywords.get("axis")
    x = b.op("Reshape", x, b.ints([-1])) if axis is None else x
    return b.op("CumSum", x, b.constant(axis or 0, INT))


# ------------------------------------------------------------------------------ products and losses
@emit(layers.linear)
def _linear(b: Builder, call: Merged, x: str, w: str, bias: str | None = None) -> str:
    if bias is None:
        return b.op("MatMul", x, w)
    if len(call.shape) == 2:
        return b.op("Gemm", x, w, bias)
    return b.op("Add", b.op("MatMul", x, w), bias)


@emit(linalg._einsum)
def _einsum(b: Builder, call: Merged, *inputs: str) -> str:
    return b.op("Einsum", *inputs, equation=call.keywords["subscripts"])


@emit(losses._binary_cross_entropy)
def _binary_cross_entropy(b: Builder, call: Merged, x: str, t: str) -> str:
    return b.op("Sub", b.op("Softplus", x), b.op("Mul", x, t))
