"""Recurrent layers and attention against PyTorch, over shapes that hypothesis chooses."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad.functional as F
from minigrad import Tensor, nn
from minigrad.kernels import attention as kernels
from minigrad.testing import check_gradients

sizes = st.integers(1, 4)


def torch_twin(torch, layer, *arguments, **keywords):
    """PyTorch's layer of the same name, with the same weights, its matrices transposed."""
    twin = getattr(torch.nn, type(layer).__name__)(*arguments, **keywords).double()
    twin.load_state_dict({k: torch.tensor(v.T) for k, v in layer.state_dict().items()})
    return twin


def flat(value):
    return [x for v in value for x in flat(v)] if isinstance(value, tuple | list) else [value]


def assert_same(torch, layer, twin, x, run=lambda f, x: f(x)):
    """Compare outputs and the gradients of input and weights."""
    rng = np.random.default_rng(0)
    ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ys = [y for y in flat(run(layer, ours)) if y is not None]
    ts = [t for t in flat(run(twin, theirs)) if t is not None]
    assert len(ys) == len(ts)
    weights = [rng.normal(size=y.shape) for y in ys]
    sum(np.sum(y * w) for y, w in zip(ys, weights, strict=True)).backward()
    sum((t * torch.tensor(w)).sum() for t, w in zip(ts, weights, strict=True)).backward()
    for y, t in zip(ys, ts, strict=True):
        np.testing.assert_allclose(y.data, t.detach(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.grad.data, theirs.grad, rtol=1e-9, atol=1e-11)
    named = dict(twin.named_parameters())
    for name, p in layer.named_parameters():
        np.testing.assert_allclose(p.grad.data.T, named[name].grad, rtol=1e-9, atol=1e-11)


# ------------------------------------------------------------------------------ recurrent layers
@settings(max_examples=12, deadline=None)
@given(
    kind=st.sampled_from(["RNN", "GRU", "LSTM"]),
    shape=st.tuples(sizes, sizes, sizes, sizes),
    layers=st.integers(1, 2),
    both=st.booleans(),
    first=st.booleans(),
    bias=st.booleans(),
)
def test_recurrent_layers_are_those_of_pytorch(kind, shape, layers, both, first, bias):
    torch = pytest.importorskip("torch")
    steps, n, inputs, hidden = shape
    how = {"num_layers": layers, "bidirectional": both, "batch_first": first, "bias": bias}
    layer = getattr(nn, kind)(inputs, hidden, **how, rng=0, dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(n, steps, inputs) if first else (steps, n, inputs))
    assert_same(torch, layer, torch_twin(torch, layer, inputs, hidden, **how), x)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("both", [False, True])
def test_sequences_of_several_lengths_are_packed_ones(kind, both):
    torch = pytest.importorskip("torch")
    lengths, x = [2, 5, 1], np.random.default_rng(1).normal(size=(5, 3, 2))
    layer = getattr(nn, kind)(2, 4, 2, bidirectional=both, rng=0, dtype=np.float64)

    def run(f, x):
        if isinstance(f, nn.Module):
            return f(x, lengths=lengths)
        rnn = torch.nn.utils.rnn
        y, last = f(rnn.pack_padded_sequence(x, lengths, enforce_sorted=False))
        return rnn.pad_packed_sequence(y)[0], last

    twin = torch_twin(torch, layer, 2, 4, 2, bidirectional=both)
    assert_same(torch, layer, twin, x, run)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("how", [{}, {"lengths": [3, 1], "reverse": True}], ids=str)
def test_recurrent_gradients_of_both_orders(kind, how):
    rng, gates = np.random.default_rng(0), {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    shapes = [(3, 2, 2), (2, 3), (2, 3 * gates), (3, 3 * gates), 3 * gates, 3 * gates]
    inputs = [rng.normal(size=shape) for shape in shapes]

    def run(x, h, *weights):
        states = (h, h * 0.5) if kind == "lstm" else h
        return flat(getattr(F, kind)(x, states, *weights, **how))

    check_gradients(run, *inputs)


def test_recurrent_layers_stay_float32_and_take_initial_states():
    x = np.ones((3, 2, 4), np.float32)
    for layer, states in ((nn.RNN(4, 5), 1), (nn.GRU(4, 5), 1), (nn.LSTM(4, 5), 2)):
        first = np.ones((1, 2, 5), np.float32)
        y, _ = layer(x, first if states == 1 else (first, first))
        y.sum().backward()
        assert {v.dtype for v in (y, *(p.grad for p in layer.parameters()))} == {np.dtype("f4")}
        assert np.any(y.data != layer(x)[0].data)
        with pytest.raises(ValueError, match=r"the initial state must have shape .* \(1, 2, 5\)"):
            layer(x, x if states == 1 else (x, x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.GRU(4, 5)(np.ones((3, 4))), r"GRU: expected \(T, N, I\) with I = 4"),
        (
            lambda: nn.GRU(4, 5)(np.ones((3, 1, 4)), lengths=[4]),
            "must be 1 integers in 0..3",
        ),
        (lambda: nn.RNN(4, 5, nonlinearity="elu"), "nonlinearity must be 'tanh' or 'relu'"),
        (lambda: F.gru(np.ones((2, 1, 3)), 0, np.ones((3, 4)), np.ones((2, 6))), "expected x"),
        (lambda: nn.MultiheadAttention(5, 2), "embed_dim must be a multiple of num_heads"),
        (
            lambda: F.scaled_dot_product_attention(*np.ones((2, 3, 4)), np.ones((2, 4))),
            "3 keys but",
        ),
        (lambda: F.scaled_dot_product_attention(*np.ones((3, 3, 4)), np.ones(2)), "mask has"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ------------------------------------------------------------------------------------- attention
@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(sizes, st.integers(1, 9), st.integers(1, 9), sizes, sizes),
    causal=st.booleans(),
    block=st.sampled_from([1 << 18, 128, 16]),
)
def test_blocks_of_any_size_give_the_same_attention(shape, causal, block):
    heads, t, s, d, e = shape
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=x) for x in ((2, heads, t, d), (2, heads, s, d), (2, heads, s, e)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "BLOCK", block)
        patch.setattr(kernels, "FEWEST_QUERIES", 2)
        xs = [Tensor(x, requires_grad=True) for x in (q, k, v)]
        y = F.scaled_dot_product_attention(*xs, is_causal=causal)
        g = rng.normal(size=y.shape)
        y.backward(g)
    zs = [Tensor(x, requires_grad=True) for x in (q, k, v)]
    scores = zs[0] @ np.swapaxes(zs[1], -1, -2) / d**0.5
    hidden = causal & (np.arange(s) > np.arange(t)[:, None])
    expected = F.softmax(np.where(hidden, -np.inf, scores)) @ zs[2]
    expected.backward(g)
    np.testing.assert_allclose(y.data, expected.data, rtol=1e-11, atol=1e-13)
    for x, z in zip(xs, zs, strict=True):
        np.testing.assert_allclose(x.grad.data, z.grad.data, rtol=1e-9, atol=1e-11)


def test_attention_survives_large_scores_and_rows_that_see_nothing():
    x = np.array([[300.0, -200.0], [1.0, 2.0]], np.float32)
    y = F.scaled_dot_product_attention(x * 50, x, x, np.array([[True, True], [False, False]]))
    np.testing.assert_array_equal(y, [[300, -200], [0, 0]])


def test_long_sequences_take_memory_by_their_length_alone():
    x = np.random.default_rng(0).normal(size=(1, 8192, 64)).astype(np.float32)
    q = Tensor(x, requires_grad=True)
    tracemalloc.start()
    try:
        F.scaled_dot_product_attention(q, q, q, is_causal=True).backward(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64e6


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_transformer_layers_are_those_of_pytorch(norm_first, batch_first):
    torch = pytest.importorskip("torch")
    how = {"norm_first": norm_first, "batch_first": batch_first, "activation": "gelu"}
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, **how, rng=0, dtype=np.float64)
    twin = torch_twin(torch, layer, 8, 2, 16, 0.0, **how)
    hidden = np.triu(np.ones((5, 5), bool), 1)
    padding = np.zeros((3, 5), bool)
    padding[1, 3:] = True

    def run(f, x):
        if isinstance(f, nn.Module):
            return f(x, hidden, padding)
        return f(x, src_mask=torch.tensor(hidden), src_key_padding_mask=torch.tensor(padding))

    x = np.random.default_rng(1).normal(size=(3, 5, 8))
    assert_same(torch, layer, twin, x if batch_first else x.swapaxes(0, 1).copy(), run)
    same = layer(Tensor(x), is_causal=True) if batch_first else None
    if same is not None:
        np.testing.assert_allclose(same.data, layer(Tensor(x), hidden).data, rtol=1e-12)


def test_weights_of_attention_are_shown_and_drop_in_training():
    layer = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True, rng=0)
    x = Tensor(np.random.default_rng(0).normal(size=(3, 5, 8)).astype("f4"))
    y, weights = layer.eval()(x, need_weights=True, is_causal=True)
    np.testing.assert_allclose(weights.data.sum(axis=-1), 1, rtol=1e-5)
    assert not np.triu(weights.data, 1).any()
    np.testing.assert_allclose(y.data, layer(x, is_causal=True)[0].data, rtol=1e-4, atol=1e-6)
    assert np.any(layer.train()(x)[0].data != layer(x)[0].data)
