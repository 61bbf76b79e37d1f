"""The networks of *Deep Learning from Scratch*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from minigrad.nn.activations import ReLU
from minigrad.nn.convolution import Conv2d, MaxPool2d, Pair
from minigrad.nn.init import Init
from minigrad.nn.layers import BatchNorm1d, Dropout, Flatten, Linear
from minigrad.nn.models.network import Network, activation_of, channels_of, options_of, values_after
from minigrad.nn.module import Module
from minigrad.random import Rng


# --------------------------------------------------------------------------- fully connected
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

    Raises
    ------
    TypeError
        If `hidden` is not a sequence.
    ValueError
        If `weight_decay` is negative, or a name is unknown.

    References
    ----------
    The book, chapter 6 (`MultiLayerNet` and `MultiLayerNetExtend` in its code).

    Examples
    --------
    >>> model = MultiLayerNet(784, [100, 100, 100, 100], 10, batch_norm=True)
    >>> sum(p.size for p in model.parameters())
    110610
    """

    def __init__(
        self,
        in_features: int,
        hidden: Sequence[int],
        classes: int,
        *,
        activation: str = "relu",
        init: Init = "he",
        weight_decay: float = 0.0,
        batch_norm: bool = False,
        dropout: float = 0.0,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        if not isinstance(hidden, Sequence):
            raise TypeError(f"MultiLayerNet: hidden must be a list of widths, got {hidden!r}")
        if not weight_decay >= 0:
            raise ValueError(f"MultiLayerNet: weight_decay must be >= 0, got {weight_decay!r}")
        kind, options = activation_of("MultiLayerNet", activation), options_of(init, rng, dtype)
        layers: list[Module] = []
        for units in hidden:
            layers += [Linear(in_features, units, **options)]
            layers += [BatchNorm1d(units, dtype=dtype)] if batch_norm else []
            layers += [kind()]
            layers += [Dropout(dropout, rng=options["rng"])] if dropout else []
            in_features = units
        layers += [Linear(in_features, classes, **options)]
        super().__init__(*layers)
        self.weight_decay = weight_decay


class TwoLayerNet(MultiLayerNet):
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

    Examples
    --------
    >>> model = TwoLayerNet(rng=0)
    >>> x, t = np.zeros((5, 784), np.float32), np.arange(5)
    >>> round(model.loss(x, t).item(), 4)
    2.3026
    """

    def __init__(
        self,
        in_features: int = 784,
        hidden: int = 50,
        classes: int = 10,
        *,
        init: Init = 0.01,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        super().__init__(in_features, [hidden], classes, init=init, rng=rng, dtype=dtype)


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

    Examples
    --------
    >>> SimpleConvNet()(np.zeros((5, 1, 28, 28), np.float32)).shape
    (5, 10)
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        filters: int = 30,
        kernel_size: Pair = 5,
        stride: Pair = 1,
        padding: Pair | str = 0,
        hidden: int = 100,
        classes: int = 10,
        *,
        init: Init = 0.01,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        options, channels = options_of(init, rng, dtype), channels_of("SimpleConvNet", in_shape)
        convolution = Conv2d(channels, filters, kernel_size, stride, padding, **options)
        layers: list[Module] = [convolution, ReLU(), MaxPool2d(2), Flatten()]
        layers += [Linear(values_after(layers, in_shape, dtype), hidden, **options), ReLU()]
        layers += [Linear(hidden, classes, **options)]
        super().__init__(*layers)


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
    last dropout acts on the logits, as in the book.

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

    Examples
    --------
    >>> DeepConvNet()(np.zeros((5, 1, 28, 28), np.float32)).shape
    (5, 10)
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        hidden: int = 50,
        classes: int = 10,
        *,
        dropout: float = 0.5,
        init: Init = "he",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        options, channels = options_of(init, rng, dtype), channels_of("DeepConvNet", in_shape)
        layers: list[Module] = []
        for filters, padding in [(16, 1), (32, 2), (64, 1)]:
            layers += [Conv2d(channels, filters, 3, padding=1, **options), ReLU()]
            layers += [Conv2d(filters, filters, 3, padding=padding, **options), ReLU()]
            layers += [MaxPool2d(2)]
            channels = filters
        layers += [Flatten()]
        layers += [Linear(values_after(layers, in_shape, dtype), hidden, **options), ReLU()]
        layers += [Dropout(dropout, rng=options["rng"])]
        layers += [Linear(hidden, classes, **options), Dropout(dropout, rng=options["rng"])]
        super().__init__(*layers)
