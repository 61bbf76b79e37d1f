"""The layers of convolutional networks: they are their functions, and PyTorch's layers."""

import numpy as np
import pytest
from windows import compare, distinct

import minigrad.functional as F
from minigrad import Tensor, nn
from minigrad.testing import check_gradients


def test_layers_are_their_functions():
    x = distinct(2, 4, 7, 6)
    w = distinct(4, 4, 3, 3)
    convolution, transposed = (
        kind(4, 4, 3, 2, 1, dtype=np.float64) for kind in (nn.Conv2d, nn.ConvTranspose2d)
    )
    convolution.weight.data = transposed.weight.data = w
    pairs_of_results = [
        (nn.MaxPool2d(3, 2, 1)(x), F.max_pool2d(x, 3, 2, 1)),
        (nn.AvgPool2d((2, 3))(x), F.avg_pool2d(x, (2, 3))),
        (nn.GlobalAvgPool2d()(x), x.mean((2, 3))),
        (convolution(x).data, F.conv2d(x, w, None, 2, 1)),
        (transposed(x).data, F.conv_transpose2d(x, w, None, 2, 1)),
    ]
    for ours, expected in pairs_of_results:
        np.testing.assert_array_equal(ours, expected)


def test_local_response_norm_is_pytorchs():
    torch = pytest.importorskip("torch")
    for size in (1, 2, 5):
        ours = nn.LocalResponseNorm(size, alpha=0.3, beta=0.7, k=1.5)
        theirs = torch.nn.LocalResponseNorm(size, alpha=0.3, beta=0.7, k=1.5)
        compare(ours, theirs, distinct(2, 7, 3, 2))


def test_batch_norm_2d_is_that_of_every_pixel_of_a_channel():
    x = distinct(3, 4, 2, 5)
    images, rows = nn.BatchNorm2d(4, dtype=np.float64), nn.BatchNorm1d(4, dtype=np.float64)
    flat = x.transpose(0, 2, 3, 1).reshape(-1, 4)
    for _ in range(2):
        y = images(x).data.transpose(0, 2, 3, 1).reshape(-1, 4)
        np.testing.assert_allclose(y, rows(flat).data, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(images.running_mean, rows.running_mean)
        np.testing.assert_allclose(images.running_var, rows.running_var)
        for layer in (images, rows):
            layer.eval()
    check_gradients(lambda x: nn.BatchNorm2d(4, dtype=np.float64)(x), x, rtol=1e-4)


def test_dropout_2d_drops_whole_channels():
    layer = nn.Dropout2d(0.25, rng=0)
    x = Tensor(np.ones((50, 40, 3, 2)), requires_grad=True)
    y = layer(x)
    channels = y.data.reshape(2000, 6)
    assert set(channels.sum(axis=1)) == {0.0, 6.0}
    assert channels.mean() == pytest.approx(0.75, abs=0.05)
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(x.grad.data, y.data)
    np.testing.assert_allclose(layer.eval()(x).data, 0.75)


def test_layers_show_what_they_are_made_of():
    shown = {
        repr(layer)
        for layer in [
            nn.Conv2d(3, 8, 3, dilation=2),
            nn.ConvTranspose2d(4, 6, (2, 3), 2, groups=2),
            nn.MaxPool2d(3, 2, 1),
            nn.LocalResponseNorm(5),
        ]
    }
    assert shown == {
        "Conv2d(weight (8, 3, 3, 3), stride=1, padding=0, dilation=2)",
        "ConvTranspose2d(weight (4, 3, 2, 3), stride=2, padding=0, groups=2)",
        "MaxPool2d(3, stride=2, padding=1)",
        "LocalResponseNorm(5, alpha=0.0001, beta=0.75, k=1.0)",
    }
