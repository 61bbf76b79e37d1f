"""What networks are written with: activations, layers as functions, losses."""

from collections.abc import Callable
from typing import Any

from minigrad.autograd import Primitive, messages, rules
from minigrad.functional import activations, classification, gaussian, losses, softmaxes
from minigrad.functional.activations import elu as elu
from minigrad.functional.activations import leaky_relu as leaky_relu
from minigrad.functional.activations import relu as relu
from minigrad.functional.activations import selu as selu
from minigrad.functional.activations import sigmoid as sigmoid
from minigrad.functional.activations import silu as silu
from minigrad.functional.activations import softplus as softplus
from minigrad.functional.activations import tanh as tanh
from minigrad.functional.attention import (
    scaled_dot_product_attention as scaled_dot_product_attention,
)
from minigrad.functional.classification import cross_entropy as cross_entropy
from minigrad.functional.classification import kl_div as kl_div
from minigrad.functional.classification import nll_loss as nll_loss
from minigrad.functional.embedding import embedding as embedding
from minigrad.functional.gaussian import erf as erf
from minigrad.functional.gaussian import gelu as gelu
from minigrad.functional.labels import accuracy as accuracy
from minigrad.functional.labels import one_hot as one_hot
from minigrad.functional.layers import batch_norm as batch_norm
from minigrad.functional.layers import dropout as dropout
from minigrad.functional.layers import linear as linear
from minigrad.functional.losses import (
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
)
from minigrad.functional.losses import hinge_loss as hinge_loss
from minigrad.functional.losses import huber_loss as huber_loss
from minigrad.functional.losses import l1_loss as l1_loss
from minigrad.functional.losses import l2_penalty as l2_penalty
from minigrad.functional.losses import mse_loss as mse_loss
from minigrad.functional.losses import sum_squared_error as sum_squared_error
from minigrad.functional.normalisation import group_norm as group_norm
from minigrad.functional.normalisation import layer_norm as layer_norm
from minigrad.functional.normalisation import rms_norm as rms_norm
from minigrad.functional.recurrent import gru as gru
from minigrad.functional.recurrent import lstm as lstm
from minigrad.functional.recurrent import rnn as rnn
from minigrad.functional.softmaxes import log_softmax as log_softmax
from minigrad.functional.softmaxes import logsumexp as logsumexp
from minigrad.functional.softmaxes import softmax as softmax
from minigrad.ops.convolution import conv2d as conv2d
from minigrad.ops.convolution import conv_transpose2d as conv_transpose2d
from minigrad.ops.pooling import avg_pool2d as avg_pool2d
from minigrad.ops.pooling import col2im as col2im
from minigrad.ops.pooling import im2col as im2col
from minigrad.ops.pooling import max_pool2d as max_pool2d


def _of_real(forward: Callable[..., Any], name: str) -> Callable[..., Any]:
    def run(x: Any, *others: Any, **keywords: Any) -> Any:
        if x.dtype.kind == "c":
            raise TypeError(messages.no_order(name))
        return forward(x, *others, **keywords)

    return run


# These compare with 0, or with the largest, which is nothing for complex numbers.
_FILES = activations, classification, gaussian, losses, softmaxes
_REAL = [module.__name__ for module in _FILES]
for _entry in rules.values():
    if isinstance(_entry, Primitive) and getattr(_entry.function, "__module__", "") in _REAL:
        _entry.forward = _of_real(_entry.forward, _entry.name)
