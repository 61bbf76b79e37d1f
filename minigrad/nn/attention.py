"""Attention with several heads, and the layer of a transformer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad import functional as F
from minigrad.autograd import Array, Tensor, bare
from minigrad.nn import init as initial
from minigrad.nn.layers import Dropout, Linear, check_sizes
from minigrad.nn.module import Module
from minigrad.nn.normalisation import LayerNorm
from minigrad.nn.parameter import Parameter
from minigrad.random import Rng


class MultiheadAttention(Module):
    """Attention of several heads: each sees its own part of projected queries, keys and values.

    Parameters
    ----------
    embed_dim : int
        E, the length of the vectors.
    num_heads : int
        Into how many parts they are cut, a divisor of E.
    dropout : float
        The share of weights dropped in training, where the others are rescaled.
    bias : bool
        Whether the projections add a bias.
    batch_first : bool
        Whether sequences are (N, T, E) instead of (T, N, E).
    rng : Generator or int, optional
        Draws the weights, and what drops.
    dtype : dtype
        The type of the parameters.

    Attributes
    ----------
    in_proj_weight : Parameter
        Shape (E, 3 E): of the queries, the keys and the values. PyTorch's is transposed.
    in_proj_bias : Parameter or None
        Shape (3 E,).
    out_proj : Linear
        What mixes the heads again.

    Raises
    ------
    ValueError
        If the heads do not divide the length, or `dropout` is out of range.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", 2017.

    Examples
    --------
    >>> x = np.zeros((2, 5, 8), np.float32)
    >>> MultiheadAttention(8, 2, batch_first=True)(x, x, x)[0].shape
    (2, 5, 8)
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
        *,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        check_sizes("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim must be a multiple of num_heads, got {embed_dim} "
                f"and {num_heads}"
            )
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.weight_dropout = Dropout(dropout, rescale=True, rng=rng)
        weight = initial.draw("xavier", (embed_dim, 3 * embed_dim), embed_dim, rng, dtype)
        self.in_proj_weight = Parameter(weight, name="in_proj_weight")
        zeros = np.zeros(3 * embed_dim, dtype)
        self.in_proj_bias = Parameter(zeros, name="in_proj_bias") if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, init="xavier", rng=rng, dtype=dtype)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        *,
        key_padding_mask: Any = None,
        attn_mask: Any = None,
        is_causal: bool = False,
        need_weights: bool = False,
    ) -> Any:
        """Return the output, of the query's shape, and the weights of the heads or None.

        Parameters
        ----------
        query, key, value : Tensor
            Shapes (T, N, E), (S, N, E) and (S, N, E), or the batch first; key and value are the
            query and the key by default.
        key_padding_mask : array_like, optional
            Shape (N, S), True for keys that nobody sees.
        attn_mask : array_like, optional
            To be broadcast to (N, heads, T, S): True where a query does not see a key, or numbers
            that are added to the scores.
        is_causal : bool
            Whether query t sees only the keys up to t.
        need_weights : bool
            Whether to return the weights, (N, heads, T, S); it takes their memory, and time.
        """
        key = query if key is None else key
        value = key if value is None else value
        q, k, v = (self._projected(x, i) for i, x in enumerate((query, key, value)))
        mask = self._mask(attn_mask, key_padding_mask, q.dtype)
        weights = None
        if need_weights or (self.training and self.weight_dropout.p):
            weights = self._weights(q, k, mask, is_causal)
            y = self.weight_dropout(weights) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, mask, is_causal)
        order = (0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3)
        y = self.out_proj(np.reshape(np.transpose(y, order), np.shape(query)))
        return y, weights if need_weights else None

    def _projected(self, x: Any, i: int) -> Any:
        """Return queries, keys or values as (N, heads, T, E / heads)."""
        some = slice(i * self.embed_dim, (i + 1) * self.embed_dim)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[some]
        y: Any = F.linear(x, self.in_proj_weight[:, some], bias)
        y = np.reshape(y, (*y.shape[:2], self.num_heads, -1))
        return np.transpose(y, (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3))

    @staticmethod
    def _mask(attn_mask: Any, key_padding_mask: Any, dtype: Any) -> Array | None:
        """Return both masks as numbers that are added."""
        total: Any = None
        for mask, shown in ((attn_mask, ...), (key_padding_mask, np.s_[:, None, None, :])):
            if mask is not None:
                values = np.asarray(bare(mask))
                if values.dtype == bool:
                    values = np.where(values, dtype.type(-np.inf), dtype.type(0))
                values = values[shown].astype(dtype, copy=False)
                total = values if total is None else total + values
        return total  # type: ignore[no-any-return]

    @staticmethod
    def _weights(q: Any, k: Any, mask: Array | None, is_causal: bool) -> Any:
        scores = q @ np.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5
        if is_causal:
            queries, keys = scores.shape[-2:]
            hidden = np.arange(keys) > np.arange(queries)[:, None]
            scores = scores + np.where(hidden, scores.dtype.type(-np.inf), scores.dtype.type(0))
        return F.softmax(scores if mask is None else scores + mask)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.embed_dim}, num_heads={self.num_heads}, batch_first={self.batch_first}"


class TransformerEncoderLayer(Module):
    """Attention of a sequence to itself, then two linear layers, each added to its input.

    Parameters
    ----------
    d_model, nhead : int
        The length of the vectors, and the number of heads.
    dim_feedforward : int
        How many units there are between the linear layers.
    dropout : float
        The share of values dropped in training, where the others are rescaled.
    activation : str or callable
        "relu", "gelu", or a function.
    layer_norm_eps : float
        Added to the variances.
    batch_first : bool
        Whether sequences are (N, T, E) instead of (T, N, E).
    norm_first : bool
        Whether to normalise before the two parts, as most do now, or after them.
    bias : bool
        Whether linear layers and normalisations add a bias.
    rng : Generator or int, optional
        Draws the weights, and what drops.
    dtype : dtype
        The type of the parameters.

    Raises
    ------
    ValueError
        If the heads do not divide the length, or the activation is unknown.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", 2017; Xiong et al., "On Layer Normalization in the
    Transformer Architecture", 2020.

    Examples
    --------
    >>> layer = TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> layer(np.zeros((2, 5, 8), np.float32)).shape
    (2, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        activations = {"relu": F.relu, "gelu": F.gelu}
        if not callable(activation) and activation not in activations:
            raise ValueError(
                "TransformerEncoderLayer: activation must be 'relu', 'gelu' or a function, got "
                f"{activation!r}"
            )
        rng = None if rng is None else np.random.default_rng(rng)
        made: Any = {"rng": rng, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout, rescale=True, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, init="xavier", **made)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1 = Dropout(dropout, rescale=True, rng=rng)
        self.dropout2 = Dropout(dropout, rescale=True, rng=rng)
        self.activation = activations.get(activation, activation)
        self.norm_first = norm_first

    def forward(
        self, x: Tensor, mask: Any = None, key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        """Keep the shape; the masks are those of `MultiheadAttention`."""
        masks = {"attn_mask": mask, "key_padding_mask": key_padding_mask, "is_causal": is_causal}
        if self.norm_first:
            x = x + self.dropout1(self.self_attn(self.norm1(x), **masks)[0])
            return x + self._feed_forward(self.norm2(x))
        x = self.norm1(x + self.dropout1(self.self_attn(x, **masks)[0]))
        return self.norm2(x + self._feed_forward(x))

    def _feed_forward(self, x: Any) -> Any:
        inner = self.dropout(self.activation(self.linear1(x)))
        return self.dropout2(self.linear2(inner))
