"""Bad input to convolution and pooling: the message has the operation, the shapes, the sums."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import minigrad.functional as F
from minigrad import Tensor, nn

X = Tensor(np.ones((2, 4, 6, 5), np.float32), requires_grad=True)
W = Tensor(np.ones((8, 4, 3, 3), np.float32), requires_grad=True)
T = Tensor(np.ones((4, 2, 3, 3), np.float32), requires_grad=True)
THREE = np.ones(3, np.float32)
WHOLE = np.arange(16).reshape(1, 1, 4, 4)


def conv(x=X, w=W, b=None, **options):
    return lambda: F.conv2d(x, w, b, **options)


def transposed(x=X, w=T, b=None, **options):
    return lambda: F.conv_transpose2d(x, w, b, **options)


NUMBER = "{} must be an integer of at least {}, or a pair of them, got "

MISTAKES = [
    # ------------------------------------------------------------------------------- convolution
    (
        conv(X[:, :3]),
        (
            r"conv2d: x has 3 channels (shape (2, 3, 6, 5)) but weight expects 4 * groups "
            r"= 4 (shape (8, 4, 3, 3), groups=1)"
        ),
    ),
    (conv(groups=2), "weight expects 4 * groups = 8 (shape (8, 4, 3, 3), groups=2)"),
    (
        conv(X[:, :, :2]),
        (
            "conv2d: the kernel does not fit: along H it covers dilation * (kernel - 1)"
            " + 1 = 1 * (3 - 1) + 1 = 3 pixels, but the padded image has 2 + 0 + 0 = 2 (x has "
            "shape (2, 4, 2, 5))"
        ),
    ),
    (
        conv(dilation=(1, 4), padding=1),
        (
            "along W it covers dilation * (kernel - 1) + 1 = 4 * (3 - 1)"
            " + 1 = 9 pixels, but the padded image has 5 + 1 + 1 = 7"
        ),
    ),
    (
        conv(X[0]),
        (
            "conv2d: x must be images of shape (N, C, H, W), got shape (4, 6, 5): add the "
            "batch axis with x[None]"
        ),
    ),
    (conv(X[0, 0]), "(N, C, H, W), got shape (6, 5)"),
    (conv(w=W[0]), "conv2d: weight must be (O, C // groups, KH, KW), none of them 0, got (4, 3, 3"),
    (conv(w=W[:, :, :0]), "none of them 0, got (8, 4, 0, 3)"),
    (conv(stride=0), "conv2d: " + NUMBER.format("stride", 1) + "0"),
    (conv(stride=(1, -1)), NUMBER.format("stride", 1) + "(1, -1)"),
    (conv(stride=1.5), NUMBER.format("stride", 1) + "1.5"),
    (conv(stride=None), NUMBER.format("stride", 1) + "None"),
    (conv(stride=(1, 1, 1)), NUMBER.format("stride", 1) + "(1, 1, 1)"),
    (conv(dilation=0), NUMBER.format("dilation", 1) + "0"),
    (conv(padding=-1), NUMBER.format("padding", 0) + "-1"),
    (
        conv(padding="SAME"),
        ("conv2d: padding must be a number, a pair, 'same' or 'valid', got 'SAME'"),
    ),
    (conv(padding="same", stride=2), "conv2d: padding='same' needs stride 1, got (2, 2)"),
    (conv(groups=3), "conv2d: groups=3 must divide 4 channels of x and 8 filters of weight"),
    (conv(groups=0), "conv2d: groups must be an integer of at least 1, got 0"),
    (conv(groups=1.0), "conv2d: groups must be an integer of at least 1, got 1.0"),
    (conv(b=THREE), "conv2d: bias must have shape (8,), got (3,)"),
    (conv(b=1.0), "conv2d: bias must have shape (8,), got ()"),
    # ---------------------------------------------------------------------- transposed convolution
    (
        transposed(X[:, :3]),
        (
            "conv_transpose2d: x must be (N, C, H, W) and weight (C, O // groups, "
            "KH, KW), with the same C and none of weight's 0, got x (2, 3, 6, 5) and weight (4, 2, "
            "3, 3)"
        ),
    ),
    (transposed(X[0]), "got x (4, 6, 5) and weight (4, 2, 3, 3)"),
    (transposed(w=T[:, :0]), "none of weight's 0, got x (2, 4, 6, 5) and weight (4, 0, 3, 3)"),
    (transposed(groups=3), "conv_transpose2d: groups=3 must divide 4 channels of x"),
    (transposed(groups=0), "conv_transpose2d: groups must be an integer of at least 1, got 0"),
    (
        transposed(output_padding=1),
        ("conv_transpose2d: output_padding must be less than the stride (1, 1), got (1, 1)"),
    ),
    (
        transposed(padding=5),
        ("conv_transpose2d: the output would have size (-2, -3) for x of shape (2, 4, 6, 5)"),
    ),
    (transposed(b=THREE), "conv_transpose2d: bias must have shape (2,), got (3,)"),
    # ----------------------------------------------------------------------------------- pooling
    (
        lambda: F.max_pool2d(X[0], 2),
        (
            "max_pool2d: x must be images of shape (N, C, H, W), got shape "
            "(4, 6, 5): add the batch axis"
        ),
    ),
    (lambda: F.avg_pool2d(X, 7), "avg_pool2d: the kernel does not fit: along H it covers"),
    (lambda: F.max_pool2d(X, 0), "max_pool2d: " + NUMBER.format("kernel_size", 1) + "0"),
    (lambda: F.max_pool2d(X, 2, 0), NUMBER.format("stride", 1) + "0"),
    (
        lambda: F.max_pool2d(X, 2, padding=2),
        (
            "max_pool2d: padding must be less than the kernel, or "
            "windows would hold padding alone: got padding=2, kernel_size=(2, 2)"
        ),
    ),
    # ----------------------------------------------------------------------------------- columns
    (lambda: F.im2col(X[0], 2), "im2col: x must be images of shape (N, C, H, W), got shape"),
    (lambda: F.im2col(X, 9), "im2col: the kernel does not fit"),
    (
        lambda: F.col2im(np.ones((3, 3)), (2, 4, 6, 5), 2),
        ("col2im: images of shape (2, 4, 6, 5) have windows of shape (40, 16), got (3, 3)"),
    ),
    (
        lambda: F.col2im(np.ones((3, 3)), (6, 5), 2),
        ("col2im: input_shape must be (N, C, H, W), got (6, 5)"),
    ),
    (lambda: F.col2im(np.ones((3, 3)), (-1, 1, 6, 5), 2), "input_shape must be (N, C, H, W), got"),
    (lambda: sliding_window_view(X, (9, 9), (2, 3)), "window shape cannot be larger than input"),
    # ------------------------------------------------------------------------------------ layers
    (lambda: nn.Conv2d(3, 8, 3)(X), "x has 4 channels (shape (2, 4, 6, 5)) but weight expects 3"),
    (
        lambda: nn.Conv2d(4, 6, 3, groups=4),
        ("Conv2d: groups=4 must divide 4 in channels and 6 out channels"),
    ),
    (lambda: nn.ConvTranspose2d(4, 6, 3, groups=0), "ConvTranspose2d: groups must be an integer"),
    (lambda: nn.Conv2d(0, 6, 3), "Conv2d: in_channels must be a positive integer, got 0"),
    (lambda: nn.Conv2d(4, 6.0, 3), "Conv2d: out_channels must be a positive integer, got 6.0"),
    (lambda: nn.Conv2d(4, 6, (1, 2, 3)), "Conv2d: " + NUMBER.format("kernel_size", 1) + "(1, 2, 3"),
    (lambda: nn.Conv2d(4, 6, 3, stride=0), "Conv2d: " + NUMBER.format("stride", 1) + "0"),
    (lambda: nn.Conv2d(4, 6, 3, 2, padding="same"), "Conv2d: padding='same' needs stride 1, got"),
    (lambda: nn.ConvTranspose2d(4, 6, 3, output_padding=-1), NUMBER.format("output_padding", 0)),
    (lambda: nn.MaxPool2d(0), "MaxPool2d: " + NUMBER.format("kernel_size", 1) + "0"),
    (lambda: nn.AvgPool2d(2, 0), "AvgPool2d: " + NUMBER.format("stride", 1) + "0"),
    (lambda: nn.GlobalAvgPool2d()(X[0]), "GlobalAvgPool2d: x must be (N, C, H, W), got shape (4,"),
    (lambda: nn.BatchNorm2d(3)(X), "BatchNorm2d: expected (N, C, H, W) with C = 3, got shape (2,"),
    (lambda: nn.BatchNorm2d(4)(X[:, :, 0, 0]), "(N, C, H, W) with C = 4, got shape (2, 4)"),
    (lambda: nn.Dropout2d(1.0), "Dropout2d: p must be in [0, 1), got 1.0"),
    (lambda: nn.Dropout2d()(X[0]), "Dropout2d: x must be (N, C, H, W), got shape (4, 6, 5)"),
    (lambda: nn.LocalResponseNorm(0), "LocalResponseNorm: size must be at least 1, got 0"),
    (lambda: nn.LocalResponseNorm(5)(X[0, 0]), "x must be (N, C, ...), got shape (6, 5)"),
]


@pytest.mark.parametrize(("mistake", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_explained(mistake, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        mistake()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: F.avg_pool2d(WHOLE, 2), "avg_pool2d: can't pool int64: convert x with x.astype"),
        (lambda: F.max_pool2d(WHOLE > 3, 2), "max_pool2d: can't pool bool: convert x with"),
        (lambda: sliding_window_view(X, 2, 0, writeable=True), "writeable"),
        (lambda: sliding_window_view(X, (2, 2), (0, 0)), "axis=(0, 0) names an axis twice"),
    ],
)
def test_a_wrong_type_is_explained(mistake, message):
    with pytest.raises(TypeError) as caught:
        mistake()
    assert message in str(caught.value)


def test_whole_numbers_are_pooled_and_convolved_as_numpy_would():
    assert F.max_pool2d(Tensor(WHOLE), 2).numpy().tolist() == [[[[5, 7], [13, 15]]]]
    y = F.conv2d(WHOLE, np.ones((1, 1, 2, 2), int))
    assert y.tolist() == [[[[10, 14, 18], [26, 30, 34], [42, 46, 50]]]]


def test_an_error_in_a_network_says_in_which_layer():
    model = nn.Sequential(stem=nn.Conv2d(4, 2, 3), head=nn.Conv2d(3, 2, 3))
    with pytest.raises(ValueError, match="x has 2 channels") as caught:
        model(X)
    assert caught.value.__notes__ == ["in head: Conv2d"]
