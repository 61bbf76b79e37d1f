"""Recurrent layers over whole sequences, each one recorded operation: simple, GRU and LSTM."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import Array, bare, differentiable, gradients
from minigrad.functional.activations import relu, sigmoid
from minigrad.kernels import recurrent as kernels


def _parts(a: Any, n: int) -> list[Any]:
    size = a.shape[-1] // n
    return [a[:, i * size : (i + 1) * size] for i in range(n)]


def _rnn_step(a: Any, b: Any, h: Any, relu_: bool = False) -> tuple[Any, ...]:
    return (relu(a + b) if relu_ else np.tanh(a + b),)


def _gru_step(a: Any, b: Any, h: Any) -> tuple[Any, ...]:
    (ar, az, an), (br, bz, bn) = _parts(a, 3), _parts(b, 3)
    z, n = sigmoid(az + bz), np.tanh(an + sigmoid(ar + br) * bn)
    return (n + z * (h - n),)


def _lstm_step(a: Any, b: Any, _h: Any, c: Any) -> tuple[Any, ...]:
    i, f, n, o = _parts(a + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(n)
    return sigmoid(o) * np.tanh(c), c


def _times(x: Any, reverse: bool) -> range:
    return range(len(x) - 1, -1, -1) if reverse else range(len(x))


def _composed(
    step: Callable[..., Any], x: Any, weights: Sequence[Any], states: Sequence[Any],
    reverse: bool, keep: Array | None,
) -> Any:  # fmt: skip
    """Compute the same in recorded steps, of which gradients of any order can be taken."""
    wx, wh, bx, bh = weights
    ys: list[Any] = [None] * len(x)
    for t in _times(x, reverse):
        a, b = x[t] @ wx, states[0] @ wh
        new = step(a if bx is None else a + bx, b if bh is None else b + bh, *states)
        if keep is not None:
            new = [s + keep[t] * (n - s) for n, s in zip(new, states, strict=True)]
        states = new
        ys[t] = states[0] if keep is None else states[0] * keep[t]
    return np.stack([*ys, *states])


def _entry(
    forward: Callable[..., Any], backward: Callable[..., Any], step: Callable[..., Any], count: int
) -> Callable[..., Any]:
    """Make the recorded function `(x, w_x, w_h, b_x, b_h, *states) -> (T + states, N, H)`."""

    def pullback(
        needs: Any, g: Any, _y: Any, x: Any, wx: Any, wh: Any, bx: Any, bh: Any, h: Any,
        c: Any = None, *, reverse: bool, keep: Any, options: Any, residual: Any,
    ) -> Any:  # fmt: skip
        states = (h, c)[:count]
        inputs = [x, wx, wh, bx, bh, *states]
        if residual is None:  # recorded: the gradients of the same steps, one by one
            own = [np.positive(v) if need else v for v, need in zip(inputs, needs, strict=True)]
            again = _composed(
                lambda *a: step(*a, *options), own[0], own[1:5], own[5:], reverse, keep
            )
            wanted = [v for v, need in zip(own, needs, strict=True) if need]
            found = iter(gradients(again, wanted, g, create_graph=True))
            return [next(found) if need else None for need in needs]
        g = np.ascontiguousarray(g)
        if keep is not None:
            g = np.concatenate([g[: len(x)] * keep, g[len(x) :]])
        held, saved = residual
        w = kernels.Weights(wx, wh, bx, bh)
        dx, *others = backward(g, x, states, w, _times(x, reverse), keep, held, saved, *options)
        return [dx, *others[count:], *others[:count]]

    def run(x: Any, wx: Any, wh: Any, bx: Any, bh: Any, h: Any, c: Any = None, *,
            reverse: bool = False, keep: Any = None, options: Any = ()) -> Any:  # fmt: skip
        w = kernels.Weights(wx, wh, bx, bh)
        states = [np.ascontiguousarray(s) for s in (h, c)[:count]]
        y, saved = forward(np.ascontiguousarray(x), states, w, _times(x, reverse), keep, *options)
        shown = y
        if keep is not None:
            shown = y.copy()
            shown[: len(x)] *= keep
        return shown, (y, saved)

    run.__name__ = forward.__name__
    return differentiable(joint=pullback, residual=True, work=_work)(run)


def _work(_y: Any, x: Any, wx: Any, wh: Any, *_others: Any) -> int:
    """Count the products of all steps: T N (I + H) gates H."""
    return math.prod(x[:2]) * (wx[0] + wh[0]) * wx[1]


ENTRIES = {
    "rnn": _entry(kernels.rnn, kernels.rnn_gradients, _rnn_step, 1),
    "gru": _entry(kernels.gru, kernels.gru_gradients, _gru_step, 1),
    "lstm": _entry(kernels.lstm, kernels.lstm_gradients, _lstm_step, 2),
}


def _over_sequence(
    kind: str, x: Any, states: Sequence[Any], weights: Sequence[Any], lengths: Any, reverse: bool,
    options: tuple[Any, ...] = (),
) -> tuple[Any, ...]:  # fmt: skip
    """Check the shapes, run the entry, and take its result apart."""
    wx, wh, bx, bh = weights
    steps, n, _ = _check(kind, np.shape(x), np.shape(wx), np.shape(wh))
    expected = (n, np.shape(wh)[0])
    for state in states:
        if np.shape(state) != expected:
            raise ValueError(f"{kind}: a state must have shape {expected}, got {np.shape(state)}")
    for bias in (bx, bh):
        if bias is not None and np.shape(bias) != np.shape(wh)[1:]:
            raise ValueError(
                f"{kind}: a bias must have shape {np.shape(wh)[1:]}, got {np.shape(bias)}"
            )
    keep = None if lengths is None else _keep(kind, lengths, steps, n, bare(x).dtype)
    y = ENTRIES[kind](x, wx, wh, bx, bh, *states, reverse=reverse, keep=keep, options=options)
    return y[:steps], *(y[steps + i] for i in range(len(states)))


def _check(kind: str, x: Any, wx: Any, wh: Any) -> Any:
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    fits = len(x) == 3 and len(wx) == len(wh) == 2 and x[0] > 0
    if not fits or wx[0] != x[2] or wx[1] != wh[1] or wh[1] != gates * wh[0]:
        raise ValueError(
            f"{kind}: expected x (T, N, I) with T > 0, weights (I, {gates} H) and (H, {gates} H), "
            f"got x {x}, weights {wx} and {wh}"
        )
    return x


def _keep(kind: str, lengths: Any, steps: int, n: int, dtype: Any) -> Array:
    """Return 1 for the steps before an example's end, (T, N, 1)."""
    ends = np.asarray(lengths)
    if ends.shape != (n,) or ends.dtype.kind not in "iu" or not all(0 <= e <= steps for e in ends):
        raise ValueError(
            f"{kind}: lengths must be {n} integers in 0..{steps}, got {np.array2string(ends)}"
        )
    kept: Array = (np.arange(steps)[:, None] < ends).astype(dtype)
    return kept[:, :, None]


def rnn(
    x: Any, h: Any, weight_x: Any, weight_h: Any, bias_x: Any = None, bias_h: Any = None,
    *, nonlinearity: str = "tanh", lengths: Any = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """Run a simple recurrent layer over a sequence: h = tanh(x W_x + b_x + h W_h + b_h).

    Parameters
    ----------
    x : array_like
        Shape (T, N, I).
    h : array_like
        The state before the first step, shape (N, H).
    weight_x, weight_h : array_like
        Shapes (I, H) and (H, H).
    bias_x, bias_h : array_like, optional
        Shape (H,).
    nonlinearity : {"tanh", "relu"}
        What is applied to the sum.
    lengths : array_like, optional
        Shape (N,), how many steps each example has: then its state stays and its output is 0.
    reverse : bool
        Whether to go from the last step to the first.

    Returns
    -------
    tuple of Tensor
        The states after each step, shape (T, N, H), and the last one.

    Raises
    ------
    ValueError
        If shapes do not fit, or `nonlinearity` is neither.

    References
    ----------
    Elman, "Finding Structure in Time", 1990; the book's second volume, chapter 5.

    Examples
    --------
    >>> x, h, u, w = (np.ones(s) for s in [(5, 2, 3), (2, 4), (3, 4), (4, 4)])
    >>> [y.shape for y in rnn(x, h, u, w)]
    [(5, 2, 4), (2, 4)]
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"rnn: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
    weights, options = (weight_x, weight_h, bias_x, bias_h), (nonlinearity == "relu",)
    y, last = _over_sequence("rnn", x, (h,), weights, lengths, reverse, options)
    return y, last


def gru(
    x: Any, h: Any, weight_x: Any, weight_h: Any, bias_x: Any = None, bias_h: Any = None,
    *, lengths: Any = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """Run a gated recurrent unit over a sequence.

    r, z = sigmoid(x W + b + h U + c) for the first and second third of the weights' columns, then
    n = tanh(x W + b + r (h U + c)) for the last third; h = (1 - z) n + z h.

    Parameters
    ----------
    x, h, lengths, reverse
        As for `rnn`.
    weight_x, weight_h : array_like
        Shapes (I, 3 H) and (H, 3 H).
    bias_x, bias_h : array_like, optional
        Shape (3 H,).

    Returns
    -------
    tuple of Tensor
        The states after each step, shape (T, N, H), and the last one.

    References
    ----------
    Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.

    Examples
    --------
    >>> x, h, u, w = (np.ones(s) for s in [(5, 2, 3), (2, 4), (3, 12), (4, 12)])
    >>> [y.shape for y in gru(x, h, u, w)]
    [(5, 2, 4), (2, 4)]
    """
    weights = (weight_x, weight_h, bias_x, bias_h)
    y, last = _over_sequence("gru", x, (h,), weights, lengths, reverse)
    return y, last


def lstm(
    x: Any, states: tuple[Any, Any], weight_x: Any, weight_h: Any, bias_x: Any = None,
    bias_h: Any = None, *, lengths: Any = None, reverse: bool = False,
) -> tuple[Any, tuple[Any, Any]]:  # fmt: skip
    """Run a long short-term memory over a sequence.

    i, f, g, o are the quarters of x W + b + h U + c: c = sigmoid(f) c + sigmoid(i) tanh(g), and
    h = sigmoid(o) tanh(c).

    Parameters
    ----------
    x, lengths, reverse
        As for `rnn`.
    states : tuple of array_like
        h and c before the first step, each (N, H).
    weight_x, weight_h : array_like
        Shapes (I, 4 H) and (H, 4 H).
    bias_x, bias_h : array_like, optional
        Shape (4 H,).

    Returns
    -------
    tuple
        h after each step, shape (T, N, H), and the last h and c.

    References
    ----------
    Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; the book's second volume,
    chapter 6.

    Examples
    --------
    >>> x, h, c, u, w = (np.ones(s) for s in [(5, 2, 3), (2, 4), (2, 4), (3, 16), (4, 16)])
    >>> y, (h, c) = lstm(x, (h, c), u, w)
    >>> y.shape, h.shape, c.shape
    ((5, 2, 4), (2, 4), (2, 4))
    """
    weights = (weight_x, weight_h, bias_x, bias_h)
    y, h, c = _over_sequence("lstm", x, states, weights, lengths, reverse)
    return y, (h, c)
