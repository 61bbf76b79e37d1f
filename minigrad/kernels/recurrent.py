"""Recurrent layers over a whole sequence, and their backpropagation through time.

The gates lie one after the other, (gates, T, N, H): a step's product with the recurrent weights is
then one small product a gate, which BLAS does without packing, and each gate is one run of memory.
What of the gradients does not depend on later steps is computed for all steps at once, before the
loop. A sigmoid is (1 + tanh(x / 2)) / 2, half the time of an exponential; the half is put into the
weights.

Each forward function returns the states after every step, (T, N, H), followed by the last ones, and
what its gradient needs. `keep` (T, N, 1) is 0 where an example has ended: its state stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.kernels.columns import Array


class Weights(NamedTuple):
    """Those of one layer: from the input (I, gates H), from the state (H, gates H), the biases."""

    x: Array
    h: Array
    bias_x: Array | None
    bias_h: Array | None


def split(w: Array, order: Sequence[int]) -> Array:
    """Return (I, gates H) as (gates, I, H), in an order."""
    return np.stack([w.reshape(len(w), len(order), -1)[:, i] for i in order])


def join(w: Array, order: Sequence[int]) -> Array:
    """Undo `split`."""
    y = np.empty((w.shape[1], len(order), w.shape[2]), w.dtype)
    for part, i in zip(w, order, strict=True):
        y[:, i] = part
    return y.reshape(len(y), -1)


def _from_inputs(x: Array, w: Weights, order: Sequence[int], halved: int) -> Array:
    """Return what the inputs add to the gates, (gates, T, N, H), the first `halved` of them / 2."""
    t, n, _ = x.shape
    of_x = _halved(split(w.x, order), halved)
    a = np.matmul(x.reshape(t * n, -1), of_x)
    if w.bias_x is not None:
        a += _halved(split(w.bias_x[None], order), halved)
    gates: Array = a.reshape(len(order), t, n, -1)
    return gates


def _halved(w: Array, gates: int) -> Array:
    w[:gates] *= 0.5
    return w


def _bias_h(w: Weights, order: Sequence[int], n: int) -> Array:
    """Return the recurrent bias as (gates, N, H), spread out."""
    gates, size = len(order), w.h.shape[0]
    if w.bias_h is None:
        return np.zeros((gates, n, size), w.h.dtype)
    return np.broadcast_to(split(w.bias_h[None], order), (gates, n, size)).copy()


def _hold(new: Array, old: Array, keep: Array | None, t: int) -> None:
    """Let examples that have ended keep their state."""
    if keep is not None:
        new -= old
        new *= keep[t]
        new += old


def before(states: Array, first: Array, times: Sequence[int]) -> Array:
    """Return the state before each step."""
    previous = np.empty_like(states)
    if times[0] == 0:
        previous[0], previous[1:] = first, states[:-1]
    else:
        previous[-1], previous[:-1] = first, states[1:]
    return previous


def weight_gradients(
    x: Array, previous: Array, d_x: Array, d_h: Array, w: Weights, order: Sequence[int]
) -> tuple[Array, ...]:
    """Return the gradients of x and of the weights from those of the gates, (gates, T, N, H)."""
    gates, t, n, size = d_x.shape
    flat_x, flat_h = (d.reshape(gates, t * n, size) for d in (d_x, d_h))
    ones = np.ones(t * n, x.dtype)
    dx = np.matmul(flat_x, split(w.x, order).swapaxes(1, 2)).sum(axis=0).reshape(x.shape)
    of_x = np.matmul(x.reshape(t * n, -1).T, flat_x)
    of_h = np.matmul(previous.reshape(t * n, size).T, flat_h)
    bias_x = join((ones @ flat_x)[:, None], order)[0]
    bias_h = bias_x.copy() if d_h is d_x else join((ones @ flat_h)[:, None], order)[0]
    return dx, join(of_x, order), join(of_h, order), bias_x, bias_h


# ----------------------------------------------------------------------------------- simple layer
def rnn(
    x: Array, states: Sequence[Array], w: Weights, times: Sequence[int], keep: Array | None,
    relu: bool = False,
) -> tuple[Array, Any]:  # fmt: skip
    """H = tanh(x W + b + h U + c), or max(0, ...)."""
    a = _from_inputs(x, w, [0], 0)[0]
    (h,) = states
    if w.bias_h is not None:
        a += w.bias_h
    y = np.empty((len(x) + 1, *h.shape), x.dtype)
    s = np.empty_like(h)
    for t in times:
        np.matmul(h, w.h, out=s)
        new = y[t]
        np.add(a[t], s, out=new)
        if relu:
            new.clip(0, np.inf, out=new)
        else:
            np.tanh(new, out=new)
        a[t] = new
        _hold(new, h, keep, t)
        h = new
    y[-1] = h
    return y, (a,)


def rnn_gradients(
    g: Array, x: Array, states: Sequence[Array], w: Weights, times: Sequence[int],
    keep: Array | None, y: Array, saved: Any, relu: bool = False,
) -> tuple[Array, ...]:  # fmt: skip
    """Return the gradients of x, the state, and the weights."""
    (a,) = saved
    slope = (a > 0).astype(a.dtype) if relu else 1 - a * a
    d = np.empty((1, *a.shape), a.dtype)
    of_h, carry = np.ascontiguousarray(w.h.T), g[-1].copy()
    for t in reversed(times):
        carry += g[t]
        held = None if keep is None else carry * (1 - keep[t])
        np.multiply(carry, slope[t], out=d[0, t])
        if keep is not None:
            d[0, t] *= keep[t]
        carry = d[0, t] @ of_h
        carry = carry if held is None else carry + held
    previous = before(y[:-1], states[0], times)
    dx, *others = weight_gradients(x, previous, d, d, w, [0])
    return dx, carry, *others


# -------------------------------------------------------------------------------------------- gru
GRU = (0, 1, 2)  # reset, update, new


def gru(
    x: Array, states: Sequence[Array], w: Weights, times: Sequence[int], keep: Array | None
) -> tuple[Array, Any]:
    """r, z = sigmoid(...); n = tanh(x W + b + r (h U + c)); h = (1 - z) n + z h."""
    a = _from_inputs(x, w, GRU, 2)
    (h,) = states
    of_h, bias = (_halved(v, 2) for v in (split(w.h, GRU), _bias_h(w, GRU, len(h))))
    a[:2] += bias[:2, None]
    inner = np.empty(a.shape[1:], a.dtype)
    y = np.empty((len(x) + 1, *h.shape), x.dtype)
    s = np.empty((3, *h.shape), x.dtype)
    for t in times:
        np.matmul(h, of_h, out=s)
        gates, n, i, new = a[:2, t], a[2, t], inner[t], y[t]
        gates += s[:2]
        np.tanh(gates, out=gates)
        gates *= 0.5
        gates += 0.5
        np.add(s[2], bias[2], out=i)
        np.multiply(gates[0], i, out=s[0])
        n += s[0]
        np.tanh(n, out=n)
        np.subtract(h, n, out=new)
        new *= gates[1]
        new += n
        _hold(new, h, keep, t)
        h = new
    y[-1] = h
    return y, (a, inner)


def gru_gradients(
    g: Array, x: Array, states: Sequence[Array], w: Weights, times: Sequence[int],
    keep: Array | None, y: Array, saved: Any,
) -> tuple[Array, ...]:  # fmt: skip
    """Return the gradients of x, the state, and the weights."""
    (r, z, n), inner = saved
    previous = before(y[:-1], states[0], times)
    by_z = (previous - n) * z * (1 - z)
    by_n = (1 - z) * (1 - n * n)
    by_r = inner * r * (1 - r)
    d = np.empty((4, *n.shape), n.dtype)  # of r, z, the product within n, n
    of_h = np.ascontiguousarray(split(w.h, GRU).swapaxes(1, 2))
    carry, s = g[-1].copy(), np.empty((3, *n.shape[1:]), n.dtype)
    for t in reversed(times):
        carry += g[t]
        held = None if keep is None else carry * (1 - keep[t])
        if keep is not None:
            carry *= keep[t]
        np.multiply(carry, by_n[t], out=d[3, t])
        np.multiply(d[3, t], by_r[t], out=d[0, t])
        np.multiply(carry, by_z[t], out=d[1, t])
        np.multiply(d[3, t], r[t], out=d[2, t])
        np.matmul(d[:3, t], of_h, out=s)
        carry *= z[t]
        for part in s:
            carry += part
        if held is not None:
            carry += held
    dx, *others = weight_gradients(x, previous, d[[0, 1, 3]], d[:3], w, GRU)
    return dx, carry, *others


# ------------------------------------------------------------------------------------------- lstm
LSTM = (3, 0, 1, 2)  # output, input, forget, new: the sigmoids together, as what flows into c


def lstm(
    x: Array, states: Sequence[Array], w: Weights, times: Sequence[int], keep: Array | None
) -> tuple[Array, Any]:
    """o, i, f = sigmoid(...); c = f c + i tanh(...); h = o tanh(c)."""
    (h, c), biases = states, [b for b in (w.bias_x, w.bias_h) if b is not None]
    a = _from_inputs(x, w._replace(bias_x=sum(biases[1:], biases[0]) if biases else None), LSTM, 3)
    of_h = _halved(split(w.h, LSTM), 3)
    cells, roots = np.empty(a.shape[1:], a.dtype), np.empty(a.shape[1:], a.dtype)
    y = np.empty((len(x) + 2, *h.shape), x.dtype)
    s = np.empty((4, *h.shape), x.dtype)
    for t in times:
        np.matmul(h, of_h, out=s)
        gates, new, cell = a[:, t], y[t], cells[t]
        gates += s
        np.tanh(gates, out=gates)
        gates[:3] *= 0.5
        gates[:3] += 0.5
        np.multiply(gates[1], gates[3], out=cell)
        np.multiply(gates[2], c, out=s[0])
        cell += s[0]
        np.tanh(cell, out=roots[t])
        np.multiply(gates[0], roots[t], out=new)
        _hold(cell, c, keep, t)
        _hold(new, h, keep, t)
        h, c = new, cell
    y[-2], y[-1] = h, c
    return y, (a, cells, roots)


def lstm_gradients(
    g: Array, x: Array, states: Sequence[Array], w: Weights, times: Sequence[int],
    keep: Array | None, y: Array, saved: Any,
) -> tuple[Array, ...]:  # fmt: skip
    """Return the gradients of x, the two states, and the weights."""
    (o, i, f, n), cells, roots = saved
    by_o = roots * o * (1 - o)
    by_c = o * (1 - roots * roots)
    by_gates = np.empty((3, *n.shape), n.dtype)  # of i, f, n
    np.multiply(n, i * (1 - i), out=by_gates[0])
    np.multiply(before(cells, states[1], times), f * (1 - f), out=by_gates[1])
    np.multiply(i, 1 - n * n, out=by_gates[2])
    d = np.empty((4, *n.shape), n.dtype)
    of_h = np.ascontiguousarray(split(w.h, LSTM).swapaxes(1, 2))
    dh, dc, s = g[-2].copy(), g[-1].copy(), np.empty((4, *n.shape[1:]), n.dtype)
    for t in reversed(times):
        dh += g[t]
        held = None if keep is None else (dh * (1 - keep[t]), dc * (1 - keep[t]))
        if keep is not None:
            dh *= keep[t]
            dc *= keep[t]
        np.multiply(dh, by_o[t], out=d[0, t])
        dh *= by_c[t]
        dc += dh
        np.multiply(dc, by_gates[:, t], out=d[1:, t])
        dc *= f[t]
        np.matmul(d[:, t], of_h, out=s)
        dh = s.sum(axis=0)
        if held is not None:
            dh += held[0]
            dc += held[1]
    previous = before(y[:-2], states[0], times)
    dx, *others = weight_gradients(x, previous, d, d, w, LSTM)
    return dx, dh, dc, *others
