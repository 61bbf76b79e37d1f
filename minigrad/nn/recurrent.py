"""Recurrent layers: simple, GRU and LSTM, over whole sequences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.nn.layers import check_sizes
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.random import Rng, generator, keep


class Recurrent(Module):
    """Layers of recurrent cells, each over the whole sequence; in both directions, if wanted."""

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if not 0 <= dropout < 1:
            raise ValueError(f"{name}: dropout must be in [0, 1), got {dropout}")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.batch_first, self.dropout, self.bidirectional = batch_first, dropout, bidirectional
        self.rng = keep(rng)
        draw, most = generator(rng), 1 / math.sqrt(hidden_size)
        for layer in range(num_layers):
            size = input_size if layer == 0 else hidden_size * (1 + bidirectional)
            for suffix in self._directions:
                weights = [("weight_ih", (size,)), ("weight_hh", (hidden_size,))]
                biases: list[Any] = [("bias_ih", ()), ("bias_hh", ())]
                for kind, shape in [*weights, *biases] if bias else weights:
                    path = f"{kind}_l{layer}{suffix}"
                    values = draw.uniform(-most, most, (*shape, self.gates * hidden_size))
                    setattr(self, path, Parameter(values.astype(dtype), name=path))

    @property
    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _run(self, x: Any, states: Any, weights: Any, **how: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def _layers(
        self, x: Any, lengths: Any, states: list[tuple[Any, ...]]
    ) -> tuple[Any, list[tuple[Any, ...]]]:
        """Run all layers on x (T, N, I); return the output and the last states."""
        last, places = [], iter(states)
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout, rescale=True, rng=self.rng)
            ys = []
            for suffix in self._directions:
                names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                weights = [getattr(self, f"{n}_l{layer}{suffix}", None) for n in names]
                how = {"lengths": lengths, "reverse": bool(suffix)}
                y, state = self._run(x, next(places), weights, **how)
                ys.append(y)
                last.append(state if isinstance(state, tuple) else (state,))
            x = ys[0] if len(ys) == 1 else np.concatenate(ys, axis=-1)
        return x, last

    def _first(self, x: Any, states: Any, several: int) -> list[tuple[Any, ...]]:
        """Return the states to begin with, by layer and direction."""
        count = self.num_layers * len(self._directions)
        shape = (count, x.shape[1], self.hidden_size)
        if states is None:
            zeros = np.zeros(shape[1:], self._dtype)
            return [(zeros,) * several] * count
        states = states if several > 1 else (states,)
        for state in states:
            if np.shape(state) != shape:
                raise ValueError(
                    f"{type(self).__name__}: the initial state must have shape (layers * "
                    f"directions, N, hidden_size) = {shape}, got {np.shape(state)}"
                )
        return [tuple(state[i] for state in states) for i in range(count)]

    @property
    def _dtype(self) -> Any:
        return next(self.parameters()).dtype

    def _prepared(self, x: Any) -> Any:
        x = x if hasattr(x, "ndim") else np.asarray(x, self._dtype)
        if x.ndim != 3 or x.shape[-1] != self.input_size:
            layout = "(N, T, I)" if self.batch_first else "(T, N, I)"
            raise ValueError(
                f"{type(self).__name__}: expected {layout} with I = {self.input_size}, got shape "
                f"{x.shape}"
            )
        return np.swapaxes(x, 0, 1) if self.batch_first else x

    def _several(self, x: Any, states: Any, lengths: Any, several: int) -> tuple[Any, list[Any]]:
        x = self._prepared(x)
        y, last = self._layers(x, lengths, self._first(x, states, several))
        y = np.swapaxes(y, 0, 1) if self.batch_first else y
        return y, [np.stack(some) for some in zip(*last, strict=True)]

    def forward(self, x: Tensor, states: Any = None, lengths: Any = None) -> Any:
        """Map (T, N, input_size) to (T, N, directions * hidden_size), and give the last states.

        With `batch_first` the first two axes are exchanged, but not those of the states, which are
        (layers * directions, N, hidden_size) and 0 at first. `lengths` (N,) says how many steps
        each example has; beyond them the output is 0.
        """
        y, (h,) = self._several(x, states, lengths, 1)
        return y, h

    def extra_repr(self) -> str:
        """Return the sizes and what is not at its default."""
        facts = [f"{self.input_size}, {self.hidden_size}"]
        rare = {"num_layers": 1, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        facts += [f"{k}={getattr(self, k)}" for k, v in rare.items() if getattr(self, k) != v]
        return ", ".join(facts)


class RNN(Recurrent):
    """Simple recurrent layers: h = tanh(x W + b + h U + c).

    Parameters
    ----------
    input_size, hidden_size : int
        I and H, the lengths of the last axis before and after.
    num_layers : int
        How many layers there are, each on the output of the one before.
    nonlinearity : {"tanh", "relu"}
        What is applied to the sum.
    bias : bool
        Whether to have b and c.
    batch_first : bool
        Whether sequences are (N, T, I) instead of (T, N, I).
    dropout : float
        The share of values dropped between layers in training, where the others are rescaled.
    bidirectional : bool
        Whether each layer also goes from the last step to the first, with weights of its own; the
        outputs of both stand side by side.
    rng : Generator or int, optional
        Draws the weights, uniformly within 1 / sqrt(hidden_size), and what drops.
    dtype : dtype
        The type of the parameters.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0 : Parameter
        W (I, gates H) and U (H, gates H) of the first layer; PyTorch's are transposed. Those of
        others end in `_l1`, `_l0_reverse` and so on.
    bias_ih_l0, bias_hh_l0 : Parameter
        b and c (gates H,).

    Raises
    ------
    ValueError
        If a size, `dropout` or `nonlinearity` is none.

    References
    ----------
    Elman, "Finding Structure in Time", 1990; the book's second volume, chapter 5.

    Examples
    --------
    >>> y, h = RNN(3, 4, batch_first=True)(np.zeros((2, 5, 3), np.float32))
    >>> y.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        how = (num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(input_size, hidden_size, *how, rng=rng, dtype=dtype)
        self.nonlinearity = nonlinearity

    def _run(self, x: Any, states: Any, weights: Any, **how: Any) -> tuple[Any, Any]:
        return F.rnn(x, *states, *weights, nonlinearity=self.nonlinearity, **how)


class GRU(Recurrent):
    """Gated recurrent units, see `minigrad.functional.gru`.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng, dtype
        As for `RNN`; the weights have three gates: reset, update, new.

    References
    ----------
    Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.

    Examples
    --------
    >>> y, h = GRU(3, 4, batch_first=True)(np.zeros((2, 5, 3), np.float32))
    >>> y.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    gates = 3

    def _run(self, x: Any, states: Any, weights: Any, **how: Any) -> tuple[Any, Any]:
        return F.gru(x, *states, *weights, **how)


class LSTM(Recurrent):
    """Long short-term memories, see `minigrad.functional.lstm`.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng, dtype
        As for `RNN`; the weights have four gates: input, forget, new, output.

    References
    ----------
    Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; the book's second volume,
    chapter 6.

    Examples
    --------
    >>> y, (h, c) = LSTM(3, 4, batch_first=True)(np.zeros((2, 5, 3), np.float32))
    >>> y.shape, h.shape, c.shape
    ((2, 5, 4), (1, 2, 4), (1, 2, 4))
    """

    gates = 4

    def _run(self, x: Any, states: Any, weights: Any, **how: Any) -> tuple[Any, Any]:
        return F.lstm(x, states, *weights, **how)

    def forward(self, x: Tensor, states: Any = None, lengths: Any = None) -> Any:
        """As for `RNN`, but the states are two, (h, c), and so are the last ones."""
        y, (h, c) = self._several(x, states, lengths, 2)
        return y, (h, c)
