"""Two convolutional networks that made history: LeNet-5 (1998) and AlexNet (2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from minigrad.nn.activations import ReLU
from minigrad.nn.convolution import AvgPool2d, Conv2d, LocalResponseNorm, MaxPool2d
from minigrad.nn.init import Init
from minigrad.nn.layers import Dropout, Flatten, Linear
from minigrad.nn.models.network import Network, activation_of, channels_of, options_of, values_after
from minigrad.nn.module import Module
from minigrad.random import Rng


class LeNet5(Network):
    """LeNet-5, the first convolutional network that read cheques.

    ======= ========== ==========
    layer   output     parameters
    ======= ========== ==========
    conv1   6, 28, 28  156
    pool1   6, 14, 14  0
    conv2   16, 10, 10 2,416
    pool2   16, 5, 5   0
    conv3   120, 1, 1  48,120
    flatten 120        0
    linear1 84         10,164
    linear2 10         850
    ======= ========== ==========

    61,706 parameters. All convolutions are 5x5, the first with padding 2 (the paper has images of
    32x32), and an activation follows each of them and linear1. Pools take the mean of 2x2. Where
    the paper has a trained factor and bias in each pool, a table of which channels conv2 sees, and
    an output of radial basis functions, this has what became customary.

    Parameters
    ----------
    in_shape : tuple
        (C, H, W) of an image, at least 28x28.
    classes : int
        Width of the output.
    activation : {"sigmoid", "tanh", "relu"}
        The first is the book's, the second, scaled, the paper's.
    init, rng, dtype
        As for `Conv2d`.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition",
    1998; the book, section 7.7.1.

    Examples
    --------
    >>> model = LeNet5(activation="tanh")
    >>> model(np.zeros((5, 1, 28, 28), np.float32)).shape
    (5, 10)
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        *,
        activation: str = "sigmoid",
        init: Init = "xavier",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        options, channels = options_of(init, rng, dtype), channels_of("LeNet5", in_shape)
        kind = activation_of("LeNet5", activation)
        layers: list[Module] = []
        layers += [Conv2d(channels, 6, 5, padding=2, **options), kind(), AvgPool2d(2)]
        layers += [Conv2d(6, 16, 5, **options), kind(), AvgPool2d(2)]
        layers += [Conv2d(16, 120, 5, **options), kind(), Flatten()]
        layers += [Linear(values_after(layers, in_shape, dtype), 84, **options), kind()]
        layers += [Linear(84, classes, **options)]
        super().__init__(*layers)


class AlexNet(Network):
    """AlexNet, which won ImageNet in 2012 and began the age of deep learning.

    ======= =========== ==========
    layer   output      parameters
    ======= =========== ==========
    conv1   96, 55, 55  34,944
    pool1   96, 27, 27  0
    conv2   256, 27, 27 307,456
    pool2   256, 13, 13 0
    conv3   384, 13, 13 885,120
    conv4   384, 13, 13 663,936
    conv5   256, 13, 13 442,624
    pool3   256, 6, 6   0
    flatten 9216        0
    linear1 4096        37,752,832
    linear2 4096        16,781,312
    linear3 1000        4,097,000
    ======= =========== ==========

    60,965,224 parameters. conv1 is 11x11 with stride 4, conv2 5x5, the others 3x3; conv2, conv4 and
    conv5 have two groups (the paper's two GPUs). A relu follows every layer with weights except
    the last. After the relus of conv1 and conv2 comes local response normalisation, after those of
    linear1 and linear2 dropout. Pools are 3x3 with stride 2.

    Parameters
    ----------
    in_shape : tuple
        (C, H, W) of an image, at least 67x67.
    classes : int
        Width of the output.
    dropout : float
        The probability of dropping a value.
    init : str, float or callable
        How the weights begin. The paper has 0.01, with biases of 1 in conv2, conv4, conv5, linear1
        and linear2; with He's deviation these are not needed.
    rng, dtype
        As for `Conv2d`; `rng` draws the dropped values too.

    References
    ----------
    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
    Networks", 2012; the book, section 7.7.2.

    Examples
    --------
    >>> model = AlexNet((3, 67, 67), classes=10)
    >>> model.conv1.weight.shape, model.linear3.weight.shape
    ((96, 3, 11, 11), (4096, 10))
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int] = (3, 227, 227),
        classes: int = 1000,
        *,
        dropout: float = 0.5,
        init: Init = "he",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ):
        options, channels = options_of(init, rng, dtype), channels_of("AlexNet", in_shape)
        layers: list[Module] = []
        layers += [Conv2d(channels, 96, 11, stride=4, **options), *_relu_norm_pool()]
        layers += [Conv2d(96, 256, 5, padding=2, groups=2, **options), *_relu_norm_pool()]
        layers += [Conv2d(256, 384, 3, padding=1, **options), ReLU()]
        layers += [Conv2d(384, 384, 3, padding=1, groups=2, **options), ReLU()]
        layers += [Conv2d(384, 256, 3, padding=1, groups=2, **options), ReLU(), MaxPool2d(3, 2)]
        layers += [Flatten()]
        for features in (values_after(layers, in_shape, dtype), 4096):
            layers += [Linear(features, 4096, **options), ReLU()]
            layers += [Dropout(dropout, rng=options["rng"])]
        layers += [Linear(4096, classes, **options)]
        super().__init__(*layers)


def _relu_norm_pool() -> list[Module]:
    return [ReLU(), LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0), MaxPool2d(3, 2)]
