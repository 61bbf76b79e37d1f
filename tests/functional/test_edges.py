"""The functions of networks at their edges: kinks, extreme values, wrong input, and conventions."""

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, gradients

LOGITS = F.binary_cross_entropy_with_logits
LABELS = np.array([0, 3, 1, 1, 2])
X = np.random.default_rng(0).normal(size=(5, 4))
MEAN, VAR = np.array([0.3, -1.0, 0.0, 2.0]), np.array([0.5, 1.0, 2.0, 0.7])


# ----------------------------------------------------------------------------- kinks and extremes
@pytest.mark.parametrize(
    ("function", "x", "y", "slope"),
    [
        (F.relu, [-1, -0.0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1]),
        (F.leaky_relu, [-1, -0.0, 0, 1], [-0.01, 0, 0, 1], [0.01, 0.01, 0.01, 1]),
        (F.relu, [-np.inf, -1e38, 1e38, np.inf], [0, 0, 1e38, np.inf], [0, 0, 1, 1]),
        (F.leaky_relu, [-np.inf, 1e38], [-np.inf, 1e38], [0.01, 1]),
        (F.sigmoid, [-np.inf, -1e4, 0, 1e4, np.inf], [0, 0, 0.5, 1, 1], [0, 0, 0.25, 0, 0]),
        (F.tanh, [-np.inf, -1e4, 1e4, np.inf], [-1, -1, 1, 1], [0, 0, 0, 0]),
        (F.softplus, [-1e4, 0, 1e4], [0, np.log(2), 1e4], [0, 0.5, 1]),
        (F.softplus, [-np.inf, np.inf], [0, np.inf], [0, 1]),
        (F.erf, [-np.inf, -1e4, 1e4], [-1, -1, 1], [0, 0, 0]),
        (F.gelu, [-1e3, 1e3], [0, 1e3], [0, 1]),
        (lambda x: F.gelu(x, "tanh"), [-1e3, 1e3], [0, 1e3], [0, 1]),
        (F.softmax, [-1e4, 1e4, 1e4], [0, 0.5, 0.5], [0, 0, 0]),
        (F.softmax, [-np.inf, 0, 0], [0, 0.5, 0.5], [0, 0, 0]),
        (F.log_softmax, [0, 1e4], [-1e4, 0], [1, -1]),
        (lambda x: F.cross_entropy(x[None], [0]), [0, 1e4], 1e4, [-1, 1]),
        (lambda x: F.cross_entropy(x[None], [1]), [-np.inf, 1e4], 0, [0, 0]),
        (lambda x: F.binary_cross_entropy_with_logits(x, [1, 0]), [1e4, -1e4], 0, [0, 0]),
        (lambda x: F.binary_cross_entropy_with_logits(x, [0, 1]), [1e4, -1e4], 1e4, [0.5, -0.5]),
        (lambda x: F.batch_norm(x[:, None], np.ones(1), np.ones(1)), [3, 3, 3], [[1]] * 3, [0] * 3),
    ],
)
def test_kinks_and_extremes(function, x, y, slope):
    for dtype in (np.float32, np.float64):
        tensor = Tensor(np.array(x, dtype), requires_grad=True)
        result = function(tensor)
        result.backward(np.ones(result.shape))
        np.testing.assert_allclose(result.data, np.broadcast_to(y, result.shape), rtol=1e-6)
        np.testing.assert_allclose(tensor.grad.data, slope, rtol=1e-6, atol=1e-30)


def test_the_logarithm_of_no_exponentials_is_refused():
    for x in (np.zeros((3, 0)), np.zeros((0, 3)).T):
        with pytest.raises(ValueError, match="logsumexp"):
            F.logsumexp(Tensor(x), axis=-1)


def test_a_nan_is_passed_on_by_every_activation():
    for function in (F.relu, F.leaky_relu, F.sigmoid, F.tanh, F.softplus, F.erf, F.gelu):
        assert np.isnan(function(Tensor([np.nan])).data).all()


def test_confident_logits_keep_their_precision():
    values = np.array([-20.0, -12.0, 12.0, 20.0])
    targets = values > 0
    exact = np.log1p(np.exp(-np.abs(values))).mean()
    x = Tensor(values.astype("f4"), requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, targets)
    loss.backward()
    assert loss.item() == pytest.approx(exact, rel=1e-6)
    np.testing.assert_allclose(x.grad.data[:2], np.exp(values[:2]) / 4, rtol=1e-5)


# -------------------------------------------------------------------------------------- by itself
@pytest.mark.parametrize("loss", [F.mse_loss, F.sum_squared_error, LOGITS])
@pytest.mark.parametrize("make", [np.asarray, Tensor, list])
def test_targets_of_float64_do_not_widen_float32(loss, make):
    x = Tensor(np.array([0.5, -1.0], np.float32), requires_grad=True)
    target = make(np.array([1.0, 0.0]))
    y = loss(x, target)
    assert y.dtype == np.float32
    assert gradients(y, [x])[0].dtype == np.float32
    learnt = Tensor([1.0, 0.0], requires_grad=True)
    assert gradients(loss(x, learnt), [learnt])[0].shape == (2,)


def test_a_row_with_a_nan_is_not_right():
    logits = np.array([[np.nan, 1.0], [1.0, 0.0], [0.0, np.nan]], np.float32)
    assert F.accuracy(logits, [0, 0, 1]) == pytest.approx(1 / 3)
    assert F.accuracy(Tensor(logits), np.eye(2)[[0, 0, 1]]) == pytest.approx(1 / 3)


@pytest.mark.parametrize("shape", [(2, 3, 0), (0, 3, 4), (2, 0, 4)])
def test_linear_of_empty_arrays(shape):
    x = Tensor(np.zeros(shape), requires_grad=True)
    w, b = Tensor(np.ones((shape[-1], 5)), requires_grad=True), Tensor(np.ones(5))
    y = F.linear(x, w, b)
    np.testing.assert_array_equal(y.data, np.zeros(shape) @ w.data + 1)
    for g, like in zip(gradients(np.sum(y), [x, w]), (x, w), strict=True):
        assert g.shape == like.shape
    y = F.linear(x, w)
    assert y.shape == (*shape[:-1], 5)
    assert not gradients(np.sum(y), [w])[0].data.any()


def test_batch_norm_of_one_value_a_channel_is_refused_in_training():
    mean, var, one = np.zeros(3), np.ones(3), np.ones(3)
    for x in (np.ones((1, 3)), np.ones((1, 3, 1, 1))):
        with pytest.raises(ValueError, match=r"^batch_norm: one value for each channel has no var"):
            F.batch_norm(Tensor(x), one, one, mean, var)
        F.batch_norm(Tensor(x), one, one, mean, var, training=False)
    assert mean.tolist() == [0, 0, 0]
    F.batch_norm(Tensor(np.ones((1, 3, 2))), one, one, mean, var)


def test_upstream_gradient_scales_the_loss():
    x = Tensor(X, requires_grad=True)
    (one,) = gradients(F.cross_entropy(x, LABELS), [x])
    (three,) = gradients(3 * F.cross_entropy(x, LABELS), [x])
    np.testing.assert_allclose(three.data, 3 * one.data, rtol=1e-15)


@pytest.mark.parametrize("make", [list, tuple, Tensor, np.uint8, lambda t: np.eye(4)[t]])
def test_targets_come_in_many_forms(make):
    expected = F.cross_entropy(Tensor(X), LABELS).item()
    assert F.cross_entropy(Tensor(X), make(LABELS)).item() == pytest.approx(expected, rel=1e-15)
    assert F.accuracy(Tensor(X), make(LABELS)) == (X.argmax(axis=1) == LABELS).mean()


def test_one_hot():
    assert F.one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert F.one_hot(Tensor(LABELS), 4, np.float64).dtype == np.float64
    assert F.one_hot(LABELS, 4).dtype == np.float32
    assert F.one_hot(np.zeros((2, 5), int), 4).shape == (2, 5, 4)
    assert F.one_hot(np.zeros(0, int), 4).shape == (0, 4)


def test_l2_penalty_counts_weights_alone():
    w, b = Tensor(np.full((2, 3), 2.0)), Tensor(np.full(3, 5.0))
    assert F.l2_penalty([w, b], 0.1).item() == pytest.approx(0.5 * 0.1 * 24)
    assert F.l2_penalty([b], 0.1) == 0


def test_batch_norm_moves_the_running_values_in_training_alone():
    mean, var = np.zeros(4), np.ones(4)
    F.batch_norm(X, np.ones(4), np.zeros(4), mean, Tensor(var), momentum=0.3)
    np.testing.assert_allclose(mean, 0.3 * X.mean(axis=0))
    np.testing.assert_allclose(var, 0.7 + 0.3 * X.var(axis=0))  # the biased variance
    before = mean.copy(), var.copy()
    F.batch_norm(X, np.ones(4), np.zeros(4), mean, var, training=False)
    np.testing.assert_array_equal((mean, var), before)


def test_evaluation_is_not_disturbed_by_training_before_its_backward():
    weight = Tensor(np.ones(4), requires_grad=True)
    mean, var = MEAN.copy(), VAR.copy()
    y = F.batch_norm(Tensor(X), weight, np.zeros(4), mean, var, training=False)
    F.batch_norm(X, np.ones(4), np.zeros(4), mean, var)
    y.backward(np.ones((5, 4)))
    expected = ((X - MEAN) / np.sqrt(VAR + 1e-6)).sum(axis=0)
    np.testing.assert_allclose(weight.grad.data, expected, rtol=1e-12)


def test_dropout_follows_the_book():
    x = Tensor(np.ones(10_000), requires_grad=True)
    y = F.dropout(x, 0.3, rng=0)
    assert set(np.unique(y.data)) == {0.0, 1.0}  # not rescaled
    assert (y.data == 0).mean() == pytest.approx(0.3, abs=0.02)
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(x.grad.data, y.data)
    np.testing.assert_allclose(F.dropout(x, 0.3, training=False).data, 0.7)
    np.testing.assert_array_equal(F.dropout(x, 0.3, rng=0).data, y.data)
    assert (F.dropout(x, 0.3, rng=1).data != y.data).any()
    np.testing.assert_array_equal(F.dropout(x, 0.0).data, x.data)


# ---------------------------------------------------------------------------------------- errors
ONES, PARAMETER = np.ones((5, 4)), Tensor(np.ones((5, 4)), requires_grad=True)
LOSSES = [F.mse_loss, F.sum_squared_error, F.binary_cross_entropy_with_logits]
VALUE_ERRORS = [
    (
        lambda: F.linear(np.ones((9, 64)), np.ones((784, 50))),
        (
            r"linear: x has 64 features \(shape \(9, 64\)\) but weight expects 784 \(shape "
            r"\(784, 50\)\): flatten or reshape x first"
        ),
    ),
    (
        lambda: F.linear(np.ones(()), np.ones((3, 2))),
        r"linear: x has no features \(shape \(\)\) but weight expects 3",
    ),
    (
        lambda: F.linear(ONES, np.ones(4)),
        r"linear: weight must have shape \(in_features, out_features\), got \(4,\)",
    ),
    (
        lambda: F.linear(PARAMETER, np.ones((4, 3)), np.ones(4)),
        (
            r"linear: bias has shape \(4,\), but weight \(4, 3\) makes 3 features: bias must "
            r"have shape \(3,\)"
        ),
    ),
    (
        lambda: F.batch_norm(np.ones(4), np.ones(4), np.ones(4)),
        (
            r"batch_norm: x must be \(N, C, ...\) with weight and bias of shape \(C,\), got x "
            r"\(4,\)"
        ),
    ),
    (
        lambda: F.batch_norm(ONES, np.ones(3), np.ones(4)),
        r"got x \(5, 4\), weight \(3,\), bias \(4,\)",
    ),
    (
        lambda: F.batch_norm(ONES, np.ones(4), np.ones(3)),
        r"got x \(5, 4\), weight \(4,\), bias \(3,\)",
    ),
    (
        lambda: F.batch_norm(ONES, np.ones(4), np.ones(4), training=False),
        "batch_norm: evaluation needs running_mean and running_var",
    ),
    (
        lambda: F.batch_norm(ONES, np.ones(4), np.ones(4), np.ones(4)),
        "batch_norm: pass both running_mean and running_var, or neither",
    ),
    (
        lambda: F.batch_norm(np.ones((0, 4)), np.ones(4), np.ones(4)),
        r"batch_norm: an empty batch has no mean: x has shape \(0, 4\)",
    ),
    (lambda: F.dropout(ONES, 1.0), r"dropout: p must be in \[0, 1\), got 1.0"),
    (lambda: F.dropout(ONES, -0.1), r"dropout: p must be in \[0, 1\), got -0.1"),
    (lambda: F.dropout(ONES, np.nan, False), r"dropout: p must be in \[0, 1\), got nan"),
    (lambda: F.gelu(ONES, "erf"), "gelu: approximate must be 'none' or 'tanh', got 'erf'"),
    (
        lambda: F.softmax(PARAMETER, axis=2),
        r"softmax: can't be computed for \(5, 4\) float64, axis=2: axis 2 is out of bounds",
    ),
    (
        lambda: F.embedding([0, 9, -1], ONES),
        r"embedding: indices must lie in 0\.\.4 for 5 vectors, but one is 9",
    ),
    (lambda: F.embedding([0, -1], ONES), "but one is -1"),
    (
        lambda: F.cross_entropy(ONES, LABELS[:3]),
        (
            r"cross_entropy: logits have shape \(5, 4\), so targets must be 5 labels \(shape "
            r"\(5,\)\) or one-hot rows \(shape \(5, 4\)\), got shape \(3,\)"
        ),
    ),
    (
        lambda: F.cross_entropy(ONES, LABELS[:, None]),
        r"so targets must be 5 labels .* got shape \(5, 1\)",
    ),
    (
        lambda: F.cross_entropy(ONES[0], 1),
        r"cross_entropy: logits must have shape \(N, C\) with N > 0, got \(4,\)",
    ),
    (
        lambda: F.cross_entropy(ONES[:0], LABELS[:0]),
        r"cross_entropy: logits must have shape \(N, C\) with N > 0, got \(0, 4\)",
    ),
    (
        lambda: F.cross_entropy(ONES, LABELS + 1),
        "cross_entropy: labels must lie in 0..3 for 4 classes, but label 1 is 4",
    ),
    (
        lambda: F.cross_entropy(ONES, LABELS - 1),
        "labels must lie in 0..3 for 4 classes, but label 0 is -1",
    ),
    (
        lambda: F.cross_entropy(ONES, (LABELS - 3).astype(np.int8)),
        "labels must lie in 0..3 for 4 classes, but label 0 is -3",
    ),
    (lambda: F.accuracy(ONES, LABELS[:3]), r"accuracy: logits have shape \(5, 4\), so targets"),
    (
        lambda: F.one_hot([0, 3], 3),
        "one_hot: labels must lie in 0..2 for 3 classes, but label 1 is 3",
    ),
    (
        lambda: F.one_hot([[0, 1], [-1, 0]], 3),
        "one_hot: labels must lie in 0..2 for 3 classes, but label 1, 0 is -1",
    ),
    *[
        (
            lambda loss=loss: loss(Tensor(np.ones((5, 1))), np.ones(5)),
            rf"{loss.__name__}: prediction has shape \(5, 1\) but target \(5,\): broadcasting them",
        )
        for loss in LOSSES
    ],
]
TYPE_ERRORS = [
    (lambda: F.relu(PARAMETER, inplace=True), "relu: the keyword inplace=True has no derivative"),
    (lambda: F.relu(PARAMETER, 2), "relu: takes 1 arrays, got 2"),
    (lambda: F.sigmoid(np.array(["a"])), "sigmoid: expected numbers, got <U1"),
    (
        lambda: F.cross_entropy(ONES, LABELS * 1.0),
        (
            r"cross_entropy: labels must be integers, got float64: convert with "
            r"labels.astype\(int\)"
        ),
    ),
    (lambda: F.cross_entropy(ONES, LABELS > 1), "cross_entropy: labels must be integers, got bool"),
    (
        lambda: F.cross_entropy(ONES, PARAMETER),
        r"cross_entropy: targets get no gradient: pass targets.detach\(\)",
    ),
    (lambda: F.one_hot([0.5], 3), "one_hot: labels must be integers, got float64"),
]


@pytest.mark.parametrize(("call", "message"), VALUE_ERRORS)
def test_wrong_values_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("call", "message"), TYPE_ERRORS)
def test_wrong_types_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()
