"""What an editor knows of the lines that users write: mypy checks it, and so does running them."""

from types import UnionType
from typing import TYPE_CHECKING, get_origin

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, differentiable, gradients, nn, no_grad, optim
from minigrad.autograd import Array

if TYPE_CHECKING:
    from typing import assert_type
else:

    def assert_type(value, kind):
        kind = kind if isinstance(kind, UnionType) else get_origin(kind) or kind
        assert isinstance(value, kind)


A = np.arange(1, 5, dtype=np.float32).reshape(2, 2)
IMAGES = np.ones((2, 3, 6, 6), np.float32)
LABELS = np.array([0, 1])


def leaf() -> Tensor:
    return Tensor(A, requires_grad=True)


def test_operators() -> None:
    x = leaf()
    assert_type(x + x, Tensor)
    assert_type(x - 1, Tensor)
    assert_type(2 * x, Tensor)
    assert_type(x * A, Tensor)
    assert_type(1 / x, Tensor)
    assert_type(x // 2, Tensor)
    assert_type(x % 2, Tensor)
    assert_type(x**2, Tensor)
    assert_type(2.0**x, Tensor)
    assert_type(x @ x, Tensor)
    assert_type(x @ A, Tensor)
    assert_type(-x, Tensor)
    assert_type(abs(x), Tensor)
    y = x * x
    y += 1
    assert_type(y, Tensor)


def test_comparisons_give_plain_arrays() -> None:
    x = leaf()
    assert_type(x > 0, Array)
    assert_type(x <= A, Array)
    assert_type(x == x.detach(), Array)
    assert_type(x != 1, Array)


def test_indexing_and_methods() -> None:
    x = leaf()
    assert_type(x[0], Tensor)
    assert_type(x[:, None, 1], Tensor)
    assert_type(x[x > 2], Tensor)
    assert_type(list(x), list[Tensor])
    assert_type(x.T, Tensor)
    assert_type(x.sum(), Tensor)
    assert_type(x.mean(axis=(0, 1), keepdims=True), Tensor)
    assert_type(x.max(axis=0), Tensor)
    assert_type(x.reshape(4, 1), Tensor)
    assert_type(x.clip(0, 1), Tensor)
    assert_type(x.astype(np.float64), Tensor)
    assert_type(x.argmax(axis=1), Array)


def test_leaving_the_graph() -> None:
    x = leaf()
    assert_type(x.detach(), Tensor)
    assert_type(x.detach().numpy(), Array)
    assert_type(x.data, Array)
    assert_type(x.sum().item(), float)
    assert_type(float(x.detach()[0, 0]), float)
    assert_type(x.shape, tuple[int, ...])
    assert_type(x.requires_grad, bool)
    assert_type(len(x), int)


def test_gradients() -> None:
    x = leaf()
    assert_type(x.grad, Tensor | None)
    (x * x).sum().backward()
    assert_type(x.grad, Tensor | None)
    assert_type(gradients((x * x).sum(), [x]), tuple[Tensor | None, ...])

    @no_grad()
    def halve(x: Tensor, times: int = 1) -> Tensor:
        return x * 0.5**times

    assert_type(halve(x, times=2), Tensor)


def test_functions_of_one_array_give_what_they_get() -> None:
    x = leaf()
    assert_type(F.relu(x), Tensor)
    assert_type(F.relu(A), Array)
    assert_type(F.leaky_relu(x, 0.1), Tensor)
    assert_type(F.sigmoid(A), Array)
    assert_type(F.tanh(x), Tensor)
    assert_type(F.gelu(x, approximate="tanh"), Tensor)
    assert_type(F.gelu(A), Array)
    assert_type(F.softmax(x, axis=0), Tensor)
    assert_type(F.log_softmax(A), Array)
    assert_type(F.logsumexp(x, axis=1), Tensor)
    assert_type(F.logsumexp(A, axis=1), Array)
    assert_type(F.dropout(x, 0.3, rng=0), Tensor)
    assert_type(F.dropout(A), Array)
    assert_type(F.max_pool2d(Tensor(IMAGES), 2), Tensor)
    assert_type(F.avg_pool2d(IMAGES, (2, 3), stride=1), Array)
    assert_type(F.im2col(IMAGES, 3, padding="same"), Array)


def test_layers_as_functions_give_tensors() -> None:
    w, b = leaf(), Tensor([0.0, 0.0], requires_grad=True)
    filters = Tensor(np.ones((4, 3, 3, 3)), requires_grad=True)
    assert_type(F.linear(A, w, b), Tensor)
    assert_type(F.linear(w, A), Tensor)
    assert_type(F.batch_norm(A, b, b), Tensor)
    assert_type(F.conv2d(IMAGES, filters, padding="same"), Tensor)
    assert_type(F.conv_transpose2d(IMAGES, filters.swapaxes(0, 1), stride=(2, 1)), Tensor)


def test_functions_of_sequences() -> None:
    x, w = leaf(), Tensor([1.0, 1.0], requires_grad=True)
    assert_type(F.silu(x), Tensor)
    assert_type(F.elu(A, 0.5), Array)
    assert_type(F.layer_norm(x, 2, w, w), Tensor)
    assert_type(F.rms_norm(A, 2), Array)
    assert_type(F.embedding(LABELS, x), Tensor)
    assert_type(F.scaled_dot_product_attention(x, x, A), Tensor)
    assert_type(F.huber_loss(x, A, delta=2.0), Tensor)
    assert_type(F.nll_loss(F.log_softmax(x), LABELS, reduction="sum"), Tensor)


def test_losses() -> None:
    x = leaf()
    assert_type(F.cross_entropy(x, LABELS), Tensor)
    assert_type(F.cross_entropy(x, [0, 1]), Tensor)
    assert_type(F.mse_loss(x, A), Tensor)
    assert_type(F.sum_squared_error(x, Tensor(A)), Tensor)
    assert_type(F.binary_cross_entropy_with_logits(x, A > 2), Tensor)
    assert_type(F.cross_entropy(x, LABELS) + F.l2_penalty([x], 0.1), Tensor)
    assert_type(F.accuracy(x, LABELS), float)
    assert_type(F.one_hot(LABELS, 3), Array)


def test_networks() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.first, self.norm = nn.Linear(2, 3, rng=0), nn.BatchNorm1d(3)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(self.norm(self.first(x)))

    model = Net()
    loss = F.cross_entropy(model(Tensor(A)), LABELS)
    assert_type(model(Tensor(A)), Tensor)
    assert_type(model.first.weight.grad, Tensor | None)
    assert_type(nn.Sequential(nn.Linear(2, 2), nn.ReLU())(A), Tensor)
    assert_type(loss, Tensor)
    loss.backward()
    optim.SGD(model.parameters(), lr=0.1).step()


def test_a_differentiable_function_keeps_its_signature() -> None:
    @differentiable(lambda g, _y, _x, factor=1.0: g * factor)
    def scale(x: Tensor, factor: float = 1.0) -> Tensor:
        return x * factor

    assert_type(scale(leaf()), Tensor)
    assert_type(scale(leaf(), factor=2.0), Tensor)
    with pytest.raises(TypeError, match="scale: can't be computed"):
        scale(leaf(), "twice")  # type: ignore[arg-type]
