"""How activations, losses, normalisations, attention and recurrent layers are written in ONNX."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import functional as F
from minigrad.functional import (
    activations,
    attention,
    classification,
    gaussian,
    normalisation,
    recurrent,
)
from minigrad.kernels.gelu import CUBIC, SLOPE
from minigrad.onnx.builder import Builder, Merged, emit
from minigrad.onnx.trace import Spread


def _number(b: Builder, call: Merged, value: float) -> str:
    return b.constant(value, call.dtype)


# ------------------------------------------------------------------------------------- activations
@emit(F.silu)
def _silu(b: Builder, call: Merged, x: str) -> str:
    return b.op("Mul", x, b.op("Sigmoid", x))


@emit(activations._elu)
def _elu(b: Builder, call: Merged, x: str) -> str:
    y = b.op("Elu", x, alpha=call.keywords["alpha"])
    return b.op("Mul", y, _number(b, call, call.keywords["scale"]))


@emit(gaussian._gelu)
def _gelu(b: Builder, call: Merged, x: str) -> str:
    p = b.op("Erf", b.op("Mul", x, _number(b, call, math.sqrt(0.5))))
    return _half_of(b, call, x, p)


@emit(gaussian._gelu_tanh)
def _gelu_tanh(b: Builder, call: Merged, x: str) -> str:
    cubic = b.op("Mul", b.op("Mul", x, x), _number(b, call, SLOPE * CUBIC))
    inner = b.op("Mul", x, b.op("Add", cubic, _number(b, call, SLOPE)))
    return _half_of(b, call, x, b.op("Tanh", inner))


def _half_of(b: Builder, call: Merged, x: str, p: str) -> str:
    """Write x (1 + p) / 2."""
    twice = b.op("Mul", x, b.op("Add", p, _number(b, call, 1)))
    return b.op("Mul", twice, _number(b, call, 0.5))


# ------------------------------------------------------------------------------------------ losses
@emit(classification._cross_entropy)
def _cross_entropy(b: Builder, call: Merged, x: str, t: str, scale: str | None = None) -> str:
    each = call.keywords.get("each", False)
    if len(call.shapes[1]) == 1 and scale is None and not each:
        return b.op("SoftmaxCrossEntropyLoss", x, t)
    if len(call.shapes[1]) == 1:
        rows = b.op("SoftmaxCrossEntropyLoss", x, t, reduction="none")
    else:
        weighted = b.op("Mul", b.op("LogSoftmax", x, axis=1), t)
        rows = b.op("Neg", b.op("ReduceSum", weighted, b.ints([1]), keepdims=0))
    if scale is None:
        return rows if each else b.op("ReduceMean", rows, keepdims=0)
    rows = b.op("Mul", rows, scale)
    return rows if each else b.op("ReduceSum", rows, keepdims=0)


@emit(classification._kl_div)
def _kl_div(b: Builder, call: Merged, q: str, p: str) -> str:
    if call.keywords["log_target"]:
        return b.op("Mul", b.op("Exp", p), b.op("Sub", p, q))
    safe = b.op("Where", b.op("Equal", p, _number(b, call, 0)), _number(b, call, 1), p)
    return b.op("Mul", p, b.op("Sub", b.op("Log", safe), q))


# ----------------------------------------------------------------------------------- normalisation
@emit(normalisation._normalise)
def _normalise(
    b: Builder, call: Merged, x: str, weight: str | None = None, bias: str | None = None
) -> str:
    n, eps = call.static(call.shape[-1]), call.keywords["eps"]
    if call.keywords["centred"]:
        weight = weight or b.constant(np.ones(n), call.dtype)
        given = (weight,) if bias is None else (weight, bias)
        return b.op("LayerNormalization", x, *given, axis=-1, epsilon=eps)
    square = b.op("ReduceMean", b.op("Mul", x, x), b.ints([-1]), keepdims=1)
    y = b.op("Div", x, b.op("Sqrt", b.op("Add", square, _number(b, call, eps))))
    return y if weight is None else b.op("Mul", y, weight)


# --------------------------------------------------------------------------------------- attention
@emit(attention._attention)
def _attention(b: Builder, call: Merged, q: str, k: str, v: str) -> str:
    ndim, given = len(call.shape), call.keywords
    perm = [*range(ndim - 2), ndim - 1, ndim - 2]
    scaled = b.op("Mul", q, _number(b, call, given["scale"]))
    scores = b.op("MatMul", scaled, b.op("Transpose", k, perm=perm))
    if given["mask"] is not None or given["is_causal"]:
        added, shape = _added(call)
        seen = np.isfinite(added).any(axis=-1, keepdims=True)
        held = np.where(seen, added, 0)
        scores = b.op("Add", scores, b.constant(Spread(held, shape) if shape else held, call.dtype))
        if not seen.all():  # a query that sees no key gets 0
            v_of = b.op("MatMul", b.op("Softmax", scores, axis=-1), v)
            return b.op("Mul", v_of, b.constant(seen, call.dtype))
    return b.op("MatMul", b.op("Softmax", scores, axis=-1), v)


def _added(call: Merged) -> tuple[Any, tuple[Any, ...] | None]:
    """Return what is added to the scores, and its shape where that follows the batch."""
    mask, shape = call.keywords["mask"], None
    if isinstance(mask, Spread):
        mask, shape = mask.array, mask.shape
    added: Any = 0.0
    if mask is not None:
        added = np.where(mask, 0.0, -np.inf) if mask.dtype == bool else mask.astype(float)
    if call.keywords["is_causal"]:
        queries, keys = call.static((call.shapes[0][-2], call.shapes[1][-2]))
        added = added + np.where(np.tri(queries, keys, dtype=bool), 0.0, -np.inf)
    return added, shape


# -------------------------------------------------------------------------------- recurrent layers
# Ours and ONNX's order of the gates: where each of ONNX's stands in ours.
GATES = {"rnn": (0,), "gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}


@emit(*recurrent.ENTRIES.values())
def _recurrent(
    b: Builder, call: Merged, x: str, wx: str, wh: str, bx: str | None, bh: str | None,
    h: str, c: str | None = None,
) -> str:  # fmt: skip
    kind = next(name for name, entry in recurrent.ENTRIES.items() if entry is call.function)
    size = call.static(call.shape[-1])
    order = np.concatenate([np.arange(size) + size * gate for gate in GATES[kind]])
    zeros = b.constant(np.zeros(len(order)), call.dtype)

    def one_direction(name: str) -> str:
        return b.op("Unsqueeze", name, b.ints([0]))

    def in_order(name: str, axis: int) -> str:
        return b.op("Gather", name, b.constant(order), axis=axis)

    weights = [b.op("Transpose", in_order(w, 1), perm=[1, 0]) for w in (wx, wh)]
    bias = b.op("Concat", *[in_order(v or zeros, 0) for v in (bx, bh)], axis=0)
    inputs = [x, *map(one_direction, [*weights, bias]), _lengths(b, call)]
    states = [one_direction(s) for s in (h, c) if s is not None]
    how: dict[str, Any] = {"direction": "reverse" if call.keywords["reverse"] else "forward"}
    if kind == "gru":
        how["linear_before_reset"] = 1
    if kind == "rnn" and call.keywords["options"] == (True,):
        how["activations"] = ["Relu"]
    y, *last = b.several(kind.upper(), [*inputs, *states], 1 + len(states), hidden_size=size, **how)
    return b.op("Concat", b.op("Squeeze", y, b.ints([1])), *last, axis=0)


def _lengths(b: Builder, call: Merged) -> str | None:
    """Return how many steps each example has."""
    keep = call.keywords["keep"]
    if keep is None:
        return None
    if isinstance(keep, Spread):
        count = keep.array.sum(axis=0)[:, 0].astype(np.int32)
        return b.constant(Spread(count, (keep.shape[1],)))
    return b.constant(keep.sum(axis=0)[:, 0], np.int32)
