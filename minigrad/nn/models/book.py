"""The networks of *Deep Learning from Scratch*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.nn.activations import ReLU
from minigrad.nn.convolution import Conv2d, MaxPool2d
from minigrad.nn.init import Initializer
from minigrad.nn.layers import BatchNorm1d, Dropout, Flatten, Linear
from minigrad.nn.models.network import (
    Network,
    Rng,
    activation_of,
    channels_of,
    options_of,
    values_after,
)
from minigrad.nn.module import Module


# --------------------------------------------------------------------------- fully connected
class TwoLayerNet(Network):
    """The book's first network: linear - relu - linear.

    ======= ====== ==========
    layer   output parameters
    ======= ====== ==========
    linear1 50     39,250
    relu1   50     0
    linear2 10     510
    ======= ====== ==========

    39,760 parameters.

    Parameters
    ----------
    in_features, hidden, classes : int
        The widths.
    init, rng, dtype
        As for `Linear`.

    References
    ----------
    The book, sections 4.5 and 5.7.
    """

    def __init__(
        self,
        in_features: int = 784,
        hidden: int = 50,
        classes: int = 10,
        *,
        init: str | float | Initializer = 0.01,
        rng: Rng = None,
        dtype: Any = np.float32,
    ):
        options = options_of(init, rng, dtype)
        super().__init__(
            linear1=Linear(in_features, hidden, **options),
            relu1=ReLU(),
            linear2=Linear(hidden, classes, **options),
        )


class MultiLayerNet(Network):
    """The book's deep network: linear - [batch norm] - activation - [dropout], repeated; linear.

    For each hidden layer i of m units after n:

    =========== ====== ==========
    layer       output parameters
    =========== ====== ==========
    linear{i}   m      n m + m
    norm{i}     m      2 m
    relu{i}     m      0
    dropout{i}  m      0
    =========== ====== ==========

    and at the end the linear layer to the classes. 784-100-100-100-100-10 has 109,810 parameters
    without batch normalisation, 110,610 with it.

    Parameters
    ----------
    in_features : int
        Width of the input.
    hidden : sequence of int
        Widths of the hidden layers.
    classes : int
        Width of the output.
    activation : {"relu", "sigmoid", "tanh"}
        The activation of the hidden layers.
    init : str, float or callable
        How the weights begin, see `minigrad.nn.init.draw`: "he" suits relu, "xavier" the others.
    weight_decay : float
        The lambda of the penalty that `loss` adds.
    batch_norm : bool
        Whether to normalise before each activation.
    dropout : float
        The probability of dropping an activation; 0 for no dropout layers.
    rng, dtype
        As for `Linear`; `rng` draws the dropped activations too.

    References
    ----------
    The book, chapter 6 (`MultiLayerNet` and `MultiLayerNetExtend` in its code).
    """

    def __init__(
        self,
        in_features: int,
        hidden: Sequence[int],
        classes: int,
        *,
        activation: str = "relu",
        init: str | float | Initializer = "he",
        weight_decay: float = 0.0,
        batch_norm: bool = False,
        dropout: float = 0.0,
        rng: Rng = None,
        dtype: Any = np.float32,
    ):
        if not isinstance(hidden, Sequence):
            raise TypeError(f"MultiLayerNet: hidden must be a list of widths, got {hidden!r}")
        if not weight_decay >= 0:
            raise ValueError(f"MultiLayerNet: weight_decay must be >= 0, got {weight_decay!r}")
        kind, options = activation_of("MultiLayerNet", activation), options_of(init, rng, dtype)
        layers: dict[str, Module] = {}
        for i, units in enumerate(hidden, 1):
            layers[f"linear{i}"] = Linear(in_features, units, **options)
            if batch_norm:
                layers[f"norm{i}"] = BatchNorm1d(units, dtype=dtype)
            layers[f"{activation}{i}"] = kind()
            if dropout:
                layers[f"dropout{i}"] = Dropout(dropout, rng=options["rng"])
            in_features = units
        layers[f"linear{len(hidden) + 1}"] = Linear(in_features, classes, **options)
        super().__init__(**layers)
        self.weight_decay = weight_decay


# ----------------------------------------------------------------------------- convolutional
class SimpleConvNet(Network):
    """The book's first convolutional network: conv - relu - pool - linear - relu - linear.

    ======= ========== ==========
    layer   output     parameters
    ======= ========== ==========
    conv1   30, 24, 24 780
    relu1   30, 24, 24 0
    pool1   30, 12, 12 0
    flatten 4320       0
    linear1 100        432,100
    relu2   100        0
    linear2 10         1,010
    ======= ========== ==========

    433,890 parameters.

    Parameters
    ----------
    in_shape : tuple
        (C, H, W) of an image.
    filters, kernel_size, stride, padding
        Of the convolution.
    hidden, classes : int
        Widths of the linear layers.
    init, rng, dtype
        As for `Conv2d`.

    References
    ----------
    The book, section 7.5.
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        filters: int = 30,
        kernel_size: Any = 5,
        stride: Any = 1,
        padding: Any = 0,
        hidden: int = 100,
        classes: int = 10,
        *,
        init: str | float | Initializer = 0.01,
        rng: Rng = None,
        dtype: Any = np.float32,
    ):
        options, channels = options_of(init, rng, dtype), channels_of("SimpleConvNet", in_shape)
        layers: dict[str, Module] = {
            "conv1": Conv2d(channels, filters, kernel_size, stride, padding, **options),
            "relu1": ReLU(),
            "pool1": MaxPool2d(2),
            "flatten": Flatten(),
        }
        super().__init__(
            **layers,
            linear1=Linear(values_after(layers, in_shape, dtype), hidden, **options),
            relu2=ReLU(),
            linear2=Linear(hidden, classes, **options),
        )


class DeepConvNet(Network):
    """The book's deep network for MNIST: six convolutions of 3x3, dropout, 99.3 % right.

    ======== ========== ==========
    layer    output     parameters
    ======== ========== ==========
    conv1    16, 28, 28 160
    conv2    16, 28, 28 2,320
    pool1    16, 14, 14 0
    conv3    32, 14, 14 4,640
    conv4    32, 16, 16 9,248
    pool2    32, 8, 8   0
    conv5    64, 8, 8   18,496
    conv6    64, 8, 8   36,928
    pool3    64, 4, 4   0
    flatten  1024       0
    linear1  50         51,250
    relu7    50         0
    dropout1 50         0
    linear2  10         510
    dropout2 10         0
    ======== ========== ==========

    123,552 parameters. After every convolution stands a relu; padding is 1, that of conv4 2. The
    last dropout falls on the logits, as in the book.

    Parameters
    ----------
    in_shape : tuple
        (C, H, W) of an image.
    hidden, classes : int
        Widths of the linear layers.
    dropout : float
        The probability of dropping a value.
    init, rng, dtype
        As for `Conv2d`; `rng` draws the dropped values too.

    References
    ----------
    The book, section 8.1.
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        hidden: int = 50,
        classes: int = 10,
        *,
        dropout: float = 0.5,
        init: str | float | Initializer = "he",
        rng: Rng = None,
        dtype: Any = np.float32,
    ):
        options, channels = options_of(init, rng, dtype), channels_of("DeepConvNet", in_shape)
        layers: dict[str, Module] = {}
        for i, (filters, padding) in enumerate(
            [(16, 1), (16, 1), (32, 1), (32, 2), (64, 1), (64, 1)], 1
        ):
            layers[f"conv{i}"] = Conv2d(channels, filters, 3, padding=padding, **options)
            layers[f"relu{i}"] = ReLU()
            if i % 2 == 0:
                layers[f"pool{i // 2}"] = MaxPool2d(2)
            channels = filters
        layers["flatten"] = Flatten()
        super().__init__(
            **layers,
            linear1=Linear(values_after(layers, in_shape, dtype), hidden, **options),
            relu7=ReLU(),
            dropout1=Dropout(dropout, rng=options["rng"]),
            linear2=Linear(hidden, classes, **options),
            dropout2=Dropout(dropout, rng=options["rng"]),
        )
