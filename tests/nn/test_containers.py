"""Sequential and Residual, hooks, frozen parameters, tied weights, parameters as a vector."""

import numpy as np
import pytest

from minigrad import Tensor, nn
from minigrad.nn.utils import parameters_to_vector, vector_to_parameters


def model():
    return nn.Sequential(nn.Linear(4, 3, rng=0), nn.ReLU(), head=nn.Linear(3, 2, rng=1))


X = np.random.default_rng(0).normal(size=(5, 4)).astype("f4")


# ------------------------------------------------------------------------------------ containers
def test_a_sequential_is_indexed_assigned_sliced_and_appended_to():
    net = model()
    assert net["head"] is net[-1] is net[2]
    part = net[1:]
    assert isinstance(part, nn.Sequential)
    assert [name for name, _ in part.named_parameters()] == ["head.weight", "head.bias"]
    assert part["head"] is net["head"]
    net[1] = nn.Identity()
    net["tail"] = nn.Softmax()
    assert net.append(nn.Tanh()) is net
    assert [type(m).__name__ for m in net] == ["Linear", "Identity", "Linear", "Softmax", "Tanh"]
    y = net.head(net[0](X))
    np.testing.assert_allclose(net(X).data, np.tanh(nn.Softmax()(y).data), rtol=1e-6)


def test_what_a_sequential_does_not_hold_is_an_error():
    with pytest.raises(KeyError, match="there is no module 'tail', but"):
        model()["tail"]
    with pytest.raises(IndexError):
        model()[3]
    with pytest.raises(TypeError, match="1 must be a module"):
        model()[1] = 3


def test_residual_adds_what_its_modules_make_of_the_input():
    inner, shortcut = nn.Linear(4, 4, rng=0), nn.Linear(4, 3, rng=1)
    np.testing.assert_allclose(nn.Residual(inner)(X).data, X + inner(X).data, rtol=1e-6)
    block = nn.Residual(nn.Linear(4, 3, rng=2), shortcut=shortcut)
    np.testing.assert_allclose(block(X).data, shortcut(X).data + block.body(X).data, rtol=1e-6)
    assert len(list(block.parameters())) == 4


# --------------------------------------------------------------------------------------- modules
def test_frozen_parameters_get_no_gradient_and_thaw():
    net = model()
    assert net[0].requires_grad_(False) is net[0]
    net(X).sum().backward()
    assert net[0].weight.grad is None
    assert net["head"].weight.grad is not None
    assert len(list(net.parameters())) == 4
    net.requires_grad_()
    net(X).sum().backward()
    assert net[0].weight.grad is not None


def test_a_forward_hook_looks_until_it_is_removed():
    net, seen = model(), []
    remove = net[0].register_forward_hook(lambda *call: seen.append(call))
    y = net[0](X)
    (module, inputs, output), *others = seen
    assert (module, output, others) == (net[0], y, [])
    assert inputs[0] is X
    remove()
    net(X)
    assert len(seen) == 1


class Tied(nn.Module):
    def __init__(self):
        self.tokens = nn.Embedding(6, 4, rng=0)
        self.head = nn.Linear(4, 6, bias=False, rng=0)
        self.head.weight = self.tokens.weight


def test_tied_weights_have_all_their_names_on_request():
    net = Tied()
    assert list(net.state_dict()) == ["tokens.weight"]
    both = net.state_dict(every_name=True)
    assert list(both) == ["tokens.weight", "head.weight"]
    for name in both:
        other = Tied()
        assert other.load_state_dict({name: both[name] + 1}) == ([], [])
        np.testing.assert_array_equal(other.tokens.weight.data, both[name] + 1)
    assert Tied().load_state_dict(both) == ([], [])


def test_loading_says_what_it_skipped():
    net = model()
    skipped = net.load_state_dict({"0.weight": np.ones((4, 3)), "more": 1}, strict=False)
    assert skipped.missing == ["0.bias", "head.weight", "head.bias"]
    assert skipped.unexpected == ["more"]
    with pytest.raises(ValueError, match=r"missing 0.bias; .*unexpected more"):
        net.load_state_dict({"0.weight": np.ones((4, 3)), "more": 1})


def test_parameters_are_a_vector_and_back():
    net, other = model(), model()
    vector = parameters_to_vector(net.parameters())
    assert vector.requires_grad
    vector_to_parameters(vector * 2, other.parameters())
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(2 * p.data, q.data)
    with pytest.raises(ValueError, match="expected a vector of 23 values, got shape"):
        vector_to_parameters(vector[1:], net.parameters())


# ---------------------------------------------------------------------------------- other layers
def test_dropout_rescales_on_request():
    x = Tensor(np.ones((200, 100), "f4"), requires_grad=True)
    for layer in (nn.Dropout(0.25, rescale=True, rng=0), nn.Dropout2d(0.25, rescale=True, rng=0)):
        given = x if isinstance(layer, nn.Dropout) and not isinstance(layer, nn.Dropout2d) else None
        given = x.reshape(200, 100, 1, 1) if given is None else given
        y = layer(given)
        assert {round(float(v), 4) for v in np.unique(y.data)} == {0.0, 1.3333}
        assert y.data.mean() == pytest.approx(1, abs=0.03)
        assert layer.eval()(given) is given


def test_an_embedding_looks_up_and_keeps_its_padding_zero():
    layer = nn.Embedding(5, 3, padding_idx=0, rng=0)
    codes = np.array([[0, 2], [2, 4]])
    y = layer(codes)
    np.testing.assert_array_equal(y.data, layer.weight.data[codes])
    assert not y.data[0, 0].any()
    y.sum().backward()
    assert layer.weight.grad.data[:, 0].tolist() == [0, 0, 2, 0, 1]
    assert nn.Sequential(layer, nn.Flatten()).summary(codes).parameters == 15
    with pytest.raises(ValueError, match=r"must lie in 0..4 for 5 vectors, but one is 5"):
        layer(codes + 1)
    with pytest.raises(TypeError, match="indices must be integers, got float64"):
        layer(codes * 1.0)


def test_layers_of_sequences_and_larger_images_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 4, 9))
    conv = nn.Conv1d(4, 6, 3, 2, 1, 2, 2, rng=0, dtype=np.float64)
    weight, bias = (torch.tensor(p.data) for p in (conv.weight, conv.bias))
    t = torch.tensor(x)
    for ours, theirs in [
        (conv, lambda v: torch.nn.functional.conv1d(v, weight, bias, 2, 1, 2, 2)),
        (nn.MaxPool1d(3, 2, 1), torch.nn.MaxPool1d(3, 2, 1)),
        (nn.AvgPool1d(3, 2, 1), torch.nn.AvgPool1d(3, 2, 1)),
        (nn.UpsampleNearest(3), torch.nn.Upsample(scale_factor=3)),
    ]:
        given = Tensor(x, requires_grad=True)
        y, u = ours(given), theirs(t.requires_grad_())
        np.testing.assert_allclose(y.data, u.detach(), rtol=1e-12, atol=1e-13)
        (slope,) = torch.autograd.grad(u.square().sum(), t)
        np.square(y).sum().backward()
        np.testing.assert_allclose(given.grad.data, slope, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("kind", [nn.LayerNorm, nn.RMSNorm])
def test_normalisation_says_what_it_expects(kind):
    assert kind(4)(X).shape == X.shape
    assert kind((5, 4), elementwise_affine=False)(X).shape == X.shape
    with pytest.raises(ValueError, match=r"x must end in the axes \(3,\)"):
        kind(3)(X)
    with pytest.raises(ValueError, match="normalized_shape must be a positive integer"):
        kind(0)
