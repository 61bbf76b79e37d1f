"""What networks are written with: activations, layers as functions, losses."""

from minigrad.functional.activations import (
    erf,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
)
from minigrad.functional.layers import batch_norm, dropout, linear
from minigrad.functional.losses import (
    accuracy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l2_penalty,
    mse_loss,
    one_hot,
    sum_squared_error,
)
from minigrad.ops.convolution import conv2d, conv_transpose2d
from minigrad.ops.pooling import avg_pool2d, col2im, im2col, max_pool2d
from minigrad.ops.reduction import logsumexp

__all__ = [
    "accuracy",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "col2im",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "erf",
    "gelu",
    "im2col",
    "l2_penalty",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "max_pool2d",
    "mse_loss",
    "one_hot",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "sum_squared_error",
    "tanh",
]
