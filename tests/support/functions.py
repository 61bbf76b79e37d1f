"""One table of the functions of networks: a call, where to try it, and PyTorch's counterpart."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import minigrad.functional as F

LABELS = np.array([0, 3, 1, 1, 2])
ROWS = np.random.default_rng(0).dirichlet(np.ones(4), size=5)


def spread(*shape):
    """Return values in (-3, 3) that keep clear of 0, where some functions have a kink."""
    n = math.prod(shape)
    return np.random.default_rng(n).permutation((np.arange(n) + 0.5) / n * 6 - 3.02).reshape(shape)


X, IMAGES, VECTOR = spread(5, 4), spread(3, 4, 2, 2), spread(4)
WEIGHT, BIAS = spread(4, 3), spread(3)
MEAN, VAR = spread(4) / 2, np.exp(spread(4) / 4)


class Case(NamedTuple):
    name: str
    function: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    torch: str | Callable[..., Any]  # a name, or (torch, torch.nn.functional, *inputs) -> the same


def normalize(x, w, b):
    return F.batch_norm(x, w, b, MEAN.astype(x.dtype), VAR.astype(x.dtype), training=False)


def torch_batch_norm(t, f, x, w, b):
    return f.batch_norm(x, None, None, w, b, training=True, eps=1e-6)


def torch_normalize(t, f, x, w, b):
    return f.batch_norm(x, t.tensor(MEAN), t.tensor(VAR), w, b, training=False, eps=1e-6)


def torch_linear(t, f, x, w, b=None):
    return f.linear(x, w.T, b)


def torch_cross_entropy(targets):
    return lambda t, f, x: f.cross_entropy(x, t.tensor(targets))


def torch_dropout(t, f, x):
    return x * t.tensor(F.dropout(np.ones(x.shape), 0.4, rng=7))


BIAS4, INDICES, ROW = spread(4) / 3, np.array([[0, 4, 4], [1, 2, 1]]), np.arange(5)[:, None]
QKV = spread(2, 3, 5, 4) / 2, spread(2, 3, 6, 4) / 2, spread(2, 3, 6, 2)
SEEN = np.random.default_rng(2).random((5, 6)) > 0.4
SEEN[:, 0] = True
MASKS = {
    "plain": {},
    "causal": {"is_causal": True},
    "booleans": {"mask": SEEN},
    "numbers": {"mask": np.random.default_rng(2).normal(size=(2, 1, 5, 6))},
}
SIGNS = np.sign(spread(5, 4)[::-1])
WIDE, STEPS = spread(2, 3, 40), np.array([[0, 39, 7], [7, 1, 2]])
CLASSES = np.random.default_rng(3).random(40)
TARGETS = 0.7 * np.eye(WIDE.shape[-1])[np.abs(STEPS)]
OPTIONS = [
    {},
    {"ignore_index": 7},
    {"reduction": "sum", "weight": CLASSES},
    {"reduction": "none"},
    {"weight": CLASSES, "label_smoothing": 0.1, "ignore_index": 7},
]


def torch_attention(t, f, *x, keywords):
    names = {"mask": "attn_mask"}
    given = {
        names.get(k, k): v if v is True else t.tensor(v, dtype=None) for k, v in keywords.items()
    }
    return f.scaled_dot_product_attention(*x, **given)


def labelled(x, keywords):
    return F.cross_entropy(x, STEPS, **keywords)


def torch_labelled(t, f, x, keywords):
    given = {k: t.tensor(v) if k == "weight" else v for k, v in keywords.items()}
    return f.cross_entropy(x.movedim(-1, 1), t.tensor(STEPS), **given)


CASES = [
    Case("relu", F.relu, (X,), "relu"),
    Case("relu of a scalar", F.relu, (np.array(1.3),), "relu"),
    Case("leaky_relu", F.leaky_relu, (X,), "leaky_relu"),
    Case(
        "leaky_relu 0.3", lambda x: F.leaky_relu(x, 0.3), (X,), lambda t, f, x: f.leaky_relu(x, 0.3)
    ),
    Case("sigmoid", F.sigmoid, (IMAGES,), "sigmoid"),
    Case("sigmoid of a scalar", F.sigmoid, (np.array(0.4),), "sigmoid"),
    Case("tanh", F.tanh, (X,), "tanh"),
    Case("softplus", F.softplus, (IMAGES,), "softplus"),
    Case("silu", F.silu, (IMAGES,), "silu"),
    Case("elu", F.elu, (X,), "elu"),
    Case("elu 0.3", lambda x: F.elu(x, 0.3), (X,), lambda t, f, x: f.elu(x, 0.3)),
    Case("selu", F.selu, (X,), "selu"),
    Case("erf", F.erf, (X,), lambda t, f, x: t.erf(x)),
    Case("gelu", F.gelu, (IMAGES,), "gelu"),
    Case(
        "gelu tanh",
        lambda x: F.gelu(x, "tanh"),
        (X,),
        lambda t, f, x: f.gelu(x, approximate="tanh"),
    ),
    Case("softmax", F.softmax, (X,), lambda t, f, x: f.softmax(x, -1)),
    Case("softmax axis 1", lambda x: F.softmax(x, 1), (IMAGES,), lambda t, f, x: f.softmax(x, 1)),
    Case("softmax of a vector", F.softmax, (VECTOR,), lambda t, f, x: f.softmax(x, 0)),
    Case("log_softmax", F.log_softmax, (X,), lambda t, f, x: f.log_softmax(x, -1)),
    Case(
        "log_softmax axis 1",
        lambda x: F.log_softmax(x, 1),
        (IMAGES,),
        lambda t, f, x: f.log_softmax(x, 1),
    ),
    Case(
        "logsumexp", lambda x: F.logsumexp(x, axis=1), (IMAGES,), lambda t, f, x: t.logsumexp(x, 1)
    ),
    Case("linear", F.linear, (X, WEIGHT, BIAS), torch_linear),
    Case("linear without bias", F.linear, (X, WEIGHT), torch_linear),
    Case("linear of a vector", F.linear, (VECTOR, WEIGHT, BIAS), torch_linear),
    Case("linear of four axes", F.linear, (spread(2, 3, 2, 4), WEIGHT, BIAS), torch_linear),
    Case(
        "linear of transposed",
        lambda x, w: F.linear(x.T, w.T),
        (spread(4, 5), spread(3, 4)),
        lambda t, f, x, w: f.linear(x.T, w),
    ),
    Case("batch_norm", F.batch_norm, (X, VECTOR, VECTOR + 1), torch_batch_norm),
    Case(
        "batch_norm of three axes",
        F.batch_norm,
        (spread(3, 4, 5), VECTOR, VECTOR + 1),
        torch_batch_norm,
    ),
    Case("batch_norm of images", F.batch_norm, (IMAGES, VECTOR, VECTOR + 1), torch_batch_norm),
    Case("batch_norm in evaluation", normalize, (IMAGES, VECTOR, VECTOR + 1), torch_normalize),
    Case(
        "layer_norm",
        lambda *x: F.layer_norm(x[0], 4, *x[1:]),
        (X, VECTOR, BIAS4),
        lambda t, f, x, w, b: f.layer_norm(x, (4,), w, b),
    ),
    Case(
        "layer_norm of two axes",
        lambda x: F.layer_norm(x, (2, 2)),
        (IMAGES,),
        lambda t, f, x: f.layer_norm(x, (2, 2)),
    ),
    Case(
        "rms_norm",
        lambda x, w: F.rms_norm(x, 4, w),
        (X, VECTOR),
        lambda t, f, x, w: f.rms_norm(x, (4,), w, 1e-5),
    ),
    Case(
        "group_norm",
        lambda x, w, b: F.group_norm(x, 2, w, b),
        (IMAGES, VECTOR, BIAS4),
        lambda t, f, x, w, b: f.group_norm(x, 2, w, b),
    ),
    Case(
        "embedding",
        lambda w: F.embedding(INDICES, w),
        (X,),
        lambda t, f, w: f.embedding(t.tensor(INDICES), w),
    ),
    Case(
        "embedding with padding",
        lambda w: F.embedding(INDICES, w * (ROW != 1), 1),
        (X,),
        lambda t, f, w: f.embedding(t.tensor(INDICES), w * t.tensor(ROW != 1), 1),
    ),
    *(
        Case(
            f"attention {name}",
            partial(F.scaled_dot_product_attention, **keywords),
            QKV,
            partial(torch_attention, keywords=keywords),
        )
        for name, keywords in MASKS.items()
    ),
    Case(
        "attention of three axes",
        F.scaled_dot_product_attention,
        tuple(x[0] for x in QKV),
        partial(torch_attention, keywords={}),
    ),
    Case("dropout", lambda x: F.dropout(x, 0.4, rng=7), (X,), torch_dropout),
    Case(
        "dropout in evaluation", lambda x: F.dropout(x, 0.4, False), (X,), lambda t, f, x: x * 0.6
    ),
    Case("cross_entropy", lambda x: F.cross_entropy(x, LABELS), (X,), torch_cross_entropy(LABELS)),
    Case(
        "cross_entropy of rows", lambda x: F.cross_entropy(x, ROWS), (X,), torch_cross_entropy(ROWS)
    ),
    Case(
        "cross_entropy of weights",
        lambda x: F.cross_entropy(x, 3 * ROWS),
        (X,),
        torch_cross_entropy(3 * ROWS),
    ),
    Case(
        "binary_cross_entropy_with_logits",
        F.binary_cross_entropy_with_logits,
        (X, ROWS),
        "binary_cross_entropy_with_logits",
    ),
    *(
        Case(
            f"cross_entropy {keywords}",
            partial(labelled, keywords=keywords),
            (WIDE,),
            partial(torch_labelled, keywords=keywords),
        )
        for keywords in OPTIONS
    ),
    Case(
        "cross_entropy of rows at each step",
        lambda x: F.cross_entropy(x, TARGETS, reduction="none"),
        (WIDE,),
        lambda t, f, x: f.cross_entropy(
            x.movedim(-1, 1), t.tensor(np.moveaxis(TARGETS, -1, 1)), reduction="none"
        ),
    ),
    Case(
        "cross_entropy of smoothed rows",
        lambda x: F.cross_entropy(x, ROWS, label_smoothing=0.2, weight=VECTOR + 4),
        (X,),
        lambda t, f, x: f.cross_entropy(
            x, t.tensor(ROWS), label_smoothing=0.2, weight=t.tensor(VECTOR + 4)
        ),
    ),
    Case(
        "nll_loss",
        lambda x: F.nll_loss(x, LABELS, weight=VECTOR + 4, ignore_index=1),
        (X,),
        lambda t, f, x: f.nll_loss(x, t.tensor(LABELS), t.tensor(VECTOR + 4), ignore_index=1),
    ),
    Case(
        "kl_div",
        lambda x, p: F.kl_div(x, p, reduction="batchmean"),
        (X, ROWS + 0.1),
        lambda t, f, x, p: f.kl_div(x, p, reduction="batchmean"),
    ),
    Case(
        "kl_div of logarithms",
        lambda x, p: F.kl_div(x, p, log_target=True, reduction="sum"),
        (X, X / 2),
        lambda t, f, x, p: f.kl_div(x, p, log_target=True, reduction="sum"),
    ),
    Case(
        "weighted bits",
        lambda x, r: F.binary_cross_entropy_with_logits(
            x, r, weight=VECTOR + 4, pos_weight=3.0, reduction="none"
        ),
        (X, ROWS),
        lambda t, f, x, r: f.binary_cross_entropy_with_logits(
            x, r, t.tensor(VECTOR + 4), pos_weight=t.tensor(3.0), reduction="none"
        ),
    ),
    Case("l1_loss", F.l1_loss, (X, ROWS), "l1_loss"),
    Case(
        "huber_loss",
        lambda x, y: F.huber_loss(x, y, delta=0.7),
        (X, ROWS),
        lambda t, f, x, y: f.huber_loss(x, y, delta=0.7),
    ),
    Case(
        "hinge_loss",
        lambda x, signs: F.hinge_loss(x, signs, reduction="sum"),
        (X, SIGNS),
        lambda t, f, x, signs: t.relu(1 - signs * x).sum(),
    ),
    Case("mse_loss", F.mse_loss, (X, ROWS), "mse_loss"),
    Case(
        "sum_squared_error",
        F.sum_squared_error,
        (X, ROWS),
        lambda t, f, x, y: 0.5 * f.mse_loss(x, y, reduction="sum"),
    ),
    Case(
        "l2_penalty",
        lambda *p: F.l2_penalty(p, 0.3),
        (X, IMAGES),
        lambda t, f, w, v: 0.15 * ((w**2).sum() + (v**2).sum()),
    ),
]
