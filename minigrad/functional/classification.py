"""Losses of classification: labels are checked, shapes are never broadcast."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import ArrayLike

from minigrad.autograd import Array, bare, differentiable
from minigrad.functional.labels import checked_labels, one_hot
from minigrad.functional.losses import beside, check_reduction, reduced
from minigrad.functional.softmaxes import softmax
from minigrad.kernels import cross_entropy as kernels
from minigrad.ops.reduction import divided
from minigrad.ops.types import T, Values

np: Any = numpy  # whose types don't know that its functions return Tensors for Tensors


# --------------------------------------------------------------------------------- cross-entropy
def _cross_entropy_pullback(
    g: Any, _y: Any, x: Any, targets: Any, scale: Any, *, residual: Any, each: bool = False
) -> Any:
    """(softmax(x) - onehot) / N; rows of targets that sum to s weigh the softmax by s."""
    g = g[:, None] if each else g
    if residual is not None:
        return g * residual
    rows = targets if targets.ndim == 2 else one_hot(targets, x.shape[1], x.dtype)
    slope = g * (softmax(x) * rows.sum(axis=1, keepdims=True) - rows)
    return divided(slope, x.shape[0]) if scale is None else slope * bare(scale)[:, None]


@differentiable(_cross_entropy_pullback, None, None, residual=True)
def _cross_entropy(x: Any, targets: Any, scale: Any, *, each: bool = False) -> Any:
    losses, slope = kernels.cross_entropy(x, targets, scale)
    loss = losses if each else losses.sum() if scale is not None else losses.sum() / len(x)
    if x.dtype == losses.dtype:
        return loss, slope
    return loss.astype(x.dtype), slope.astype(x.dtype)


def cross_entropy(
    logits: T,
    targets: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> T:
    """Return the mean over the batch of -log softmax(logits) at the target.

    Parameters
    ----------
    logits : array_like
        Shape (N, C), or (N, T, C) and so on, before the softmax.
    targets : array_like
        Integer labels, shape (N,), or rows of probabilities such as one-hot rows, shape (N, C).
    weight : array_like, optional
        Shape (C,), what each class counts. The mean over labels is a weighted one.
    ignore_index : int
        The label of rows that do not count.
    reduction : {"mean", "sum", "none"}
        "none" gives the loss of each row.
    label_smoothing : float
        In [0, 1]: this share of each target is spread evenly over all classes.

    Returns
    -------
    Tensor
        Shape (), or that of the labels. The gradient of the mean is (softmax - onehot) / N.

    Raises
    ------
    ValueError
        If shapes do not fit, the batch is empty, or a label is out of range.
    TypeError
        If labels are not integers, or if targets require a gradient.

    References
    ----------
    The book, section 4.2; label smoothing: Szegedy et al., "Rethinking the Inception
    Architecture", 2016.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> logits = Tensor([[2.0, 0.0], [0.0, 2.0]], requires_grad=True)
    >>> loss = cross_entropy(logits, [0, 0])
    >>> round(loss.item(), 4)
    1.1269
    """
    t, some = checked_labels("cross_entropy", logits, targets, ignore_index)
    shape, x = np.shape(bare(logits)), logits
    rows = t.shape == shape
    if len(shape) > 2:
        x, t = np.reshape(logits, (-1, shape[-1])), t.reshape(-1, *shape[-1:] * rows)
    usual = weight is None and label_smoothing == 0 and reduction == "mean"
    if usual and not rows and not some:
        return _cross_entropy(x, t, None)
    kind = np.result_type(bare(logits), np.float16)  # rows of another type must not widen the loss
    t = t.astype(kind) if rows else t
    if usual and rows:
        return _cross_entropy(x, t, None)
    kept = (t != ignore_index) if some else None
    check_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be in [0, 1], got {label_smoothing}")
    classes = _class_weights("cross_entropy", weight, shape[-1], kind)
    scale = np.ones(len(t), kind) if kept is None else kept.astype(kind)
    if kept is not None:
        t = np.where(kept, t, 0)
    count = len(t) if rows else (scale if classes is None else scale * classes[t]).sum()
    if classes is not None or label_smoothing:
        t = t if rows else one_hot(t, shape[-1], kind)
        t = t * (1 - label_smoothing) + label_smoothing / shape[-1]
        t = (t if classes is None else t * classes).astype(kind)
    if reduction == "mean":
        scale = scale / kind.type(count)
    loss = _cross_entropy(x, t, scale, each=reduction == "none")
    return np.reshape(loss, shape[:-1]) if reduction == "none" and len(shape) > 2 else loss


def _class_weights(name: str, weight: Any, classes: int, kind: Any) -> Array | None:
    if weight is None:
        return None
    values: Array = np.asarray(bare(weight), kind)
    if values.shape != (classes,):
        raise ValueError(
            f"{name}: weight must have one value for each of {classes} classes, got shape "
            f"{values.shape}"
        )
    return values


def nll_loss(
    log_probabilities: T,
    targets: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> T:
    """Return the mean of minus the log-probability at the label, as `log_softmax` gives it.

    Parameters
    ----------
    log_probabilities : array_like
        Shape (N, C), or (N, T, C) and so on.
    targets : array_like
        Integer labels, shape (N,).
    weight, ignore_index, reduction
        As for `cross_entropy`.

    Returns
    -------
    Tensor
        Shape (), or that of the targets.

    Raises
    ------
    ValueError, TypeError
        As for `cross_entropy`.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> nll_loss(Tensor([[-0.5, -1.0], [-2.0, -0.25]]), [0, 1]).item()
    0.375
    """
    check_reduction("nll_loss", reduction)
    t, _ = checked_labels("nll_loss", log_probabilities, targets, ignore_index)
    shape = np.shape(bare(log_probabilities))
    if t.shape == shape:
        raise ValueError(f"nll_loss: targets must be labels of shape {shape[:-1]}, got {t.shape}")
    kind = np.result_type(bare(log_probabilities), np.float16)
    kept = t.reshape(-1) != ignore_index
    labels = np.where(kept, t.reshape(-1), 0)
    classes = _class_weights("nll_loss", weight, shape[-1], kind)
    scale = kept.astype(kind) if classes is None else kept * classes[labels]
    picked = np.reshape(log_probabilities, (-1, shape[-1]))[np.arange(len(labels)), labels]
    if reduction == "none":
        return np.reshape(picked * -scale, shape[:-1])
    return np.sum(picked * (-scale / (scale.sum() if reduction == "mean" else kind.type(1))))


@differentiable(
    lambda g, _y, _q, p, *, log_target: g * -(np.exp(p) if log_target else p),
    lambda g, _y, q, p, *, log_target: (
        g * (np.exp(p) * (p - q + 1) if log_target else np.log(np.where(p == 0, 1, p)) - q + 1)
    ),
)
def _kl_div(q: Any, p: Any, *, log_target: bool = False) -> Any:
    if log_target:
        return np.exp(p) * (p - q)
    return p * (np.log(np.where(p == 0, p.dtype.type(1), p)) - q)


def kl_div(
    log_probabilities: T, target: Values, *, reduction: str = "mean", log_target: bool = False
) -> T:
    """Return sum(p (log p - log q)), the divergence of a target p from what log q predicts.

    Parameters
    ----------
    log_probabilities : array_like
        Log q, as `log_softmax` gives it.
    target : array_like
        p of the same shape, or log p with `log_target`; where p = 0 the term is 0.
    reduction : {"mean", "batchmean", "sum", "none"}
        "mean" is over all values, as PyTorch's is; "batchmean" over axis 0 is the divergence.
    log_target : bool
        Whether the target is log p.

    Returns
    -------
    Tensor
        Shape (), or that of the target.

    References
    ----------
    Kullback and Leibler, "On Information and Sufficiency", 1951.

    Examples
    --------
    >>> log_q = np.log(np.array([[0.5, 0.5]]))
    >>> print(kl_div(log_q, np.array([[1.0, 0.0]]), reduction="batchmean").round(4))
    0.6931
    """
    p = beside("kl_div", log_probabilities, target)
    terms = _kl_div(log_probabilities, p, log_target=bool(log_target))
    if reduction == "batchmean":
        return np.sum(terms) / np.shape(p)[0]
    return reduced("kl_div", terms, reduction)
