"""Scaled dot-product attention, as one operation."""

from __future__ import annotations

import math
from typing import Any

import numpy
from numpy.typing import ArrayLike

from minigrad.autograd import Tensor, bare, differentiable
from minigrad.functional.activations import plain
from minigrad.functional.softmaxes import softmax
from minigrad.kernels import attention as kernels
from minigrad.ops.types import Values

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors


def _heads(x: Any) -> Any:
    """Make one axis of all but the last two."""
    return np.ascontiguousarray(x).reshape(-1, *x.shape[-2:])


def _pullback(
    needs: Any, g: Any, y: Any, q: Any, k: Any, v: Any, *, mask: Any, is_causal: bool, scale: float,
    residual: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """With p the weights and dp = g v^T: ds = p (dp - sum(dp p)), and ds k, ds^T q, p^T g."""
    if residual is not None and plain(g, q, k, v):
        heads = q.shape[:-2]
        bias = kernels.bias_of(mask, is_causal, heads, q.dtype)
        scaled = _heads(q * q.dtype.type(scale))
        saved = kernels.Saved(scaled, _heads(k), _heads(v), _heads(y), residual)
        dq, dk, dv = kernels.attention_gradients(_heads(g), saved, bias, is_causal)
        dq *= scale
        return dq.reshape(q.shape), dk.reshape(k.shape), dv.reshape(v.shape)
    scores = (q * scale) @ np.swapaxes(k, -1, -2)
    added = _whole_bias(mask, is_causal, scores)
    p = softmax(scores if added is None else scores + added)
    dp = g @ np.swapaxes(v, -1, -2)
    ds = p * (dp - np.sum(dp * p, axis=-1, keepdims=True)) * scale
    return ds @ k, np.swapaxes(ds, -1, -2) @ q, np.swapaxes(p, -1, -2) @ g


def _whole_bias(mask: Any, is_causal: bool, scores: Any) -> Any:
    """Return what is added to all scores at once."""
    *heads, queries, keys = scores.shape
    found = kernels.bias_of(mask, is_causal, tuple(heads), scores.dtype)
    added = found(slice(None), slice(0, queries), keys)
    return added if added is None or added.ndim == 2 else added.reshape(scores.shape)


@differentiable(
    joint=_pullback,
    residual=True,
    work=lambda y, q, k, v: math.prod(q[:-1]) * k[-2] * (q[-1] + v[-1]),
)
def _attention(
    q: Any, k: Any, v: Any, *, mask: Any = None, is_causal: bool = False, scale: float
) -> Any:
    bias = kernels.bias_of(mask, is_causal, q.shape[:-2], q.dtype)
    scaled = _heads(q * q.dtype.type(scale))
    y, logs = kernels.attention(scaled, _heads(k), _heads(v), bias, is_causal)
    return y.reshape(*q.shape[:-1], v.shape[-1]), logs


def scaled_dot_product_attention(
    q: Values,
    k: Values,
    v: Values,
    mask: ArrayLike | Tensor | None = None,
    is_causal: bool = False,
    *,
    scale: float | None = None,
) -> Tensor:
    """Return softmax(q k^T / sqrt(D)) v: each query's mean of the values, weighted by its keys.

    It works in blocks and keeps no array of all queries by all keys, so that memory grows with
    the length of the sequence alone.

    Parameters
    ----------
    q : array_like
        Queries, shape (..., T, D).
    k : array_like
        Keys, shape (..., S, D).
    v : array_like
        Values, shape (..., S, E).
    mask : array_like, optional
        To be broadcast to (..., T, S): booleans, True where a query may see a key, or numbers that
        are added to the scores. It gets no gradient.
    is_causal : bool
        Whether query t sees only the keys up to t.
    scale : float, optional
        In place of 1 / sqrt(D).

    Returns
    -------
    Tensor
        Shape (..., T, E); 0 for a query that may see no key.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    TypeError
        If the mask requires a gradient.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", 2017; blocks: Rabe and Staats, "Self-attention
    Does Not Need O(n^2) Memory", 2021.

    Examples
    --------
    >>> q = k = np.zeros((1, 3, 4))
    >>> scaled_dot_product_attention(q, k, np.ones((1, 3, 2))).shape
    (1, 3, 2)
    """
    name = "scaled_dot_product_attention"
    shapes = np.shape(q), np.shape(k), np.shape(v)
    heads = {shape[:-2] for shape in shapes}
    if min(map(len, shapes)) < 2 or len(heads) > 1 or shapes[0][-1] != shapes[1][-1]:
        raise ValueError(
            f"{name}: expected q (..., T, D), k (..., S, D) and v (..., S, E) with the same "
            f"leading axes, got {shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    if shapes[1][-2] != shapes[2][-2]:
        raise ValueError(f"{name}: k has {shapes[1][-2]} keys but v {shapes[2][-2]} values")
    if isinstance(mask, Tensor) and mask.requires_grad:
        raise TypeError(f"{name}: the mask gets no gradient: pass mask.detach()")
    given: Any = None
    if mask is not None:
        given = np.asarray(bare(mask))
        whole = (*shapes[0][:-1], shapes[1][-2])
        try:
            given = np.broadcast_to(given, (*given.shape[:-2], *whole[-2:]))
            np.broadcast_to(given, whole)
        except ValueError:
            raise ValueError(
                f"{name}: mask has shape {given.shape}, which can't be broadcast to {whole}"
            ) from None
    scale = 1 / math.sqrt(shapes[0][-1]) if scale is None else float(scale)
    return _attention(q, k, v, mask=given, is_causal=bool(is_causal), scale=scale)
