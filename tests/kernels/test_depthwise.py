"""Convolution of each channel by itself is that of networks of one channel, and so its slopes."""

import itertools

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor
from minigrad.kernels import bands, depthwise

IMAGES = [(3, 4, 7, 9), (1, 3, 5, 5)]
KERNELS, STRIDES, DILATIONS = [(3, 3), (1, 2), (2, 3)], [1, (2, 1), (2, 3)], [1, (2, 1)]
PADDINGS = [0, (1, 2), "same"]


def slopes(x, w, b, **how):
    inputs = [Tensor(v, requires_grad=True) for v in (x, w, b)]
    y = F.conv2d(*inputs, **how)
    y.backward(np.cos(np.arange(y.size)).reshape(y.shape))
    return [y.data, *(v.grad.data for v in inputs)]


def one_by_one(x, w, b, **how):
    """Compute each filter by itself, and put the results together."""
    several, n = len(w) // x.shape[1], x.shape[1]
    leaves = [Tensor(v, requires_grad=True) for v in (x, w, b)]
    x_, w_, b_ = leaves
    ys = [
        F.conv2d(x_[:, o // several : o // several + 1], w_[o : o + 1], b_[o : o + 1], **how)
        for o in range(n * several)
    ]
    y = np.concatenate(ys, axis=1)
    y.backward(np.cos(np.arange(y.size)).reshape(y.shape))
    return [y.data, *(v.grad.data for v in leaves)]


@pytest.mark.parametrize("several", [1, 2])
@pytest.mark.parametrize("innermost", [False, True])
@pytest.mark.parametrize("block", [depthwise.BLOCK, 300])
@pytest.mark.parametrize("by_bands", [False, True])
def test_every_geometry(several, innermost, block, by_bands, monkeypatch):
    monkeypatch.setattr(depthwise, "BLOCK", block)
    monkeypatch.setattr(bands, "BLOCK", block)
    monkeypatch.setattr(bands, "FEWEST_PIXELS", 12)
    bands._bands.cache_clear()
    monkeypatch.setattr(bands, "MATRIX", 0 if by_bands else np.inf)
    monkeypatch.setattr(depthwise, "FEWEST_IMAGES", 2)
    rng = np.random.default_rng(0)
    for shape, kernel, stride, dilation, padding in itertools.product(
        IMAGES, KERNELS, STRIDES, DILATIONS, PADDINGS
    ):
        x = rng.normal(size=shape)
        x = np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2) if innermost else x
        w, b = (
            rng.normal(size=(shape[1] * several, 1, *kernel)),
            rng.normal(size=shape[1] * several),
        )
        if padding == "same" and stride != 1:
            continue
        how = {"stride": stride, "dilation": dilation, "padding": padding}
        found = slopes(x, w, b, groups=shape[1], **how)
        for one, expected in zip(found, one_by_one(x, w, b, **how), strict=True):
            np.testing.assert_allclose(one, expected, rtol=1e-11, atol=1e-12, err_msg=str(how))


def test_infinity_reaches_only_the_windows_that_read_it():
    x, w = np.ones((16, 2, 8, 8), np.float32), np.ones((2, 1, 3, 3), np.float32)
    x[3, 1, 4, 4] = np.inf
    assert bands.pays(x, w, x)
    y = F.conv2d(Tensor(x), w, padding=1, groups=2).data
    expected = np.zeros(y.shape, bool)
    expected[3, 1, 3:6, 3:6] = True
    np.testing.assert_array_equal(np.isinf(y), expected)
    assert not np.isnan(y).any()
