"""The update rules: one loop for all, whatever the shapes, types, groups, and missing gradients."""

import numpy as np
import pytest
from updates import RULES, SHAPES, assert_same, each_rule, gradient, run, starts

import minigrad.functional as F
from minigrad import Tensor, optim
from minigrad.optim import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSprop, blocks


# ------------------------------------------------------------------------------------- the rules
@each_rule
@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_step_is_update(rule, decay):
    options = {**RULES[rule], "weight_decay": decay}
    params, others = starts(), starts()
    opt, other = rule(params, **options), rule(**options)
    for t in range(5):
        run(opt, params, 1, first=t)
        arrays = {i: q.data for i, q in enumerate(others)}
        other.update(arrays, {i: gradient(q, t) for i, q in enumerate(others)})
    assert_same(params, others)
    tensors = starts()
    other = rule(**options)
    for t in range(5):
        other.update(
            dict(enumerate(tensors)), {i: Tensor(gradient(q, t)) for i, q in enumerate(tensors)}
        )
    assert_same(params, tensors)


TORCH = {  # (name, options, relative tolerance): in Adam the epsilon stands elsewhere
    SGD: ("SGD", {}, 1e-12),
    Momentum: ("SGD", {"momentum": 0.8}, 1e-12),  # its velocity is ours / -lr
    Nesterov: ("SGD", {"momentum": 0.8, "nesterov": True}, 1e-12),
    AdaGrad: ("Adagrad", {"eps": 1e-7}, 1e-12),
    RMSprop: ("RMSprop", {"alpha": 0.9, "eps": 1e-7}, 1e-12),
    Adam: ("Adam", {"betas": (0.8, 0.9), "eps": 1e-7}, 1e-5),
    AdamW: ("AdamW", {"betas": (0.8, 0.9), "eps": 1e-7}, 1e-5),
}


@each_rule
def test_as_pytorch(rule):
    torch = pytest.importorskip("torch")
    name, options, rtol = TORCH[rule]
    params = starts([(4, 3), (2, 5)])  # weights alone: there weight decay counts everywhere
    others = [torch.tensor(p.data, requires_grad=True) for p in params]
    opt = rule(params, **{**RULES[rule], "weight_decay": 0.2})
    other = getattr(torch.optim, name)(others, lr=0.1, weight_decay=0.2, **options)
    for t in range(20):
        for p, q in zip(params, others, strict=True):
            p.grad = gradient(p, t)
            q.grad = torch.tensor(p.grad.data)
        opt.step()
        other.step()
    for p, q in zip(params, others, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=rtol)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not AdamW])
def test_weight_decay_is_the_gradient_of_the_penalty(rule):
    params, others = starts(), starts()
    opt = rule(params, **{**RULES[rule], "weight_decay": 0.3})
    other = rule(others, **RULES[rule])
    for _ in range(5):
        for tensors, penalty in ((params, 0.0), (others, 0.3)):
            data = sum(np.sum(np.sin(p)) for p in tensors)
            (data + F.l2_penalty(tensors, penalty)).backward()
        for o in (opt, other):
            o.step()
            o.zero_grad()
    for p, q in zip(params, others, strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-12)


def test_decoupled_weight_decay_shrinks_weights_alone():
    params, others = starts(), starts()
    run(AdamW(params, lr=0.1, weight_decay=0.5), params, 1)
    for q in others:
        q.grad = gradient(q, 0)
        if q.ndim > 1:
            q.data *= 1 - 0.1 * 0.5
    Adam(others, lr=0.1).step()
    assert_same(params, others)


@pytest.mark.parametrize(
    ("rule", "defaults"),
    [
        (SGD, {"lr": 0.01}),
        (Momentum, {"lr": 0.01, "momentum": 0.9}),
        (Nesterov, {"lr": 0.01, "momentum": 0.9}),
        (AdaGrad, {"lr": 0.01}),
        (RMSprop, {"lr": 0.01, "decay_rate": 0.99}),
        (Adam, {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-7}),
        (
            AdamW,
            {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-7, "weight_decay": 0.01},
        ),
    ],
)
def test_defaults(rule, defaults):
    assert rule().defaults == {"weight_decay": 0.0, **defaults}


def test_a_rule_of_your_own():
    class SignDescent(optim.Optimizer):
        state_names = ("count",)

        def __init__(self, params=None, lr=0.5):
            super().__init__(params, lr=lr)

        @staticmethod
        def rule(p, g, t, count, *, lr):
            count += 1
            p -= lr * np.sign(g) / count

    p = Tensor([1.0, -1.0], requires_grad=True)
    opt = SignDescent([p])
    for _ in range(2):
        p.grad = np.array([3.0, -4.0])
        opt.step()
    assert p.tolist() == [0.25, -0.25]


# -------------------------------------------------------------------------------------- the loop
@each_rule
def test_without_a_gradient_nothing_happens_and_no_step_is_counted(rule):
    def reached(t, i):
        return (t * 7 + i * 3 + t * i) % 4 != 0

    params, others = starts(), starts()
    run(rule(params, **RULES[rule]), params, 12, reached)
    for i, q in enumerate(others):  # each by an optimizer of its own
        opt = rule([q], **RULES[rule])
        for t in range(12):
            if reached(t, i):
                run(opt, [q], 1, first=t)
    assert_same(params, others)


@each_rule
def test_blocks_do_not_change_a_bit(rule, monkeypatch):
    shapes = [(100, 70), (64,), (1500,), (3, 3)]
    params, others = starts(shapes), starts(shapes)
    run(rule(params, **RULES[rule]), params, 3)
    monkeypatch.setattr(blocks, "BLOCK", 8 * 500)
    run(rule(others, **RULES[rule]), others, 3)
    assert_same(params, others)


@each_rule
@pytest.mark.parametrize("shape", [(3, 4), (300, 200)], ids=["small", "large"])
def test_strided_parameters_are_updated_in_place(rule, shape):
    (p,), (q,) = starts([shape]), starts([shape])
    whole = np.zeros((2 * shape[1], shape[0]))
    whole[::2] = p.data.T
    p.data = whole[::2].T
    assert not p.data.flags.c_contiguous
    run(rule([p], **RULES[rule]), [p], 3)
    run(rule([q], **RULES[rule]), [q], 3)
    assert_same([p], [q])
    assert np.shares_memory(p.data, whole)
    assert not whole[1::2].any()
    q.grad = np.asfortranarray(gradient(q, 3))
    p.grad = gradient(p, 3)
    SGD([p, q]).step()
    assert_same([p], [q])


@each_rule
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_type_stays(rule, dtype):
    params = starts([*SHAPES, (200, 200)], dtype)
    opt = rule(params, **{**RULES[rule], "lr": np.float64(0.01), "weight_decay": np.float32(0.1)})
    run(opt, params, 2)
    opt.lr = np.float64(0.02)
    run(opt, params, 2)
    assert all(p.dtype == dtype for p in params)
    arrays = [v for entry in opt.state_dict()["state"].values() for v in entry.values()]
    assert {v.dtype for v in arrays if isinstance(v, np.ndarray)} <= {np.dtype(dtype)}
    assert opt.lr == 0.02


def test_state_follows_a_change_of_type():
    params = starts(dtype=np.float32)
    opt = Adam(params)
    run(opt, params, 2)
    for p in params:
        p.data = p.data.astype(np.float64)
    run(opt, params, 1)
    assert opt.state_dict()["state"][0]["m"].dtype == np.float64
    params[1].data = np.ones(7)
    with pytest.raises(ValueError, match="Adam: parameter 1 has 7 values, but its state m has 3: "):
        run(opt, params, 1)


def test_a_step_is_seen_by_older_graphs():
    (p,) = starts([(3,)])
    loss = (p * p).sum()
    p.grad = np.ones(3)
    SGD([p]).step()
    with pytest.raises(RuntimeError, match=r"was changed in place .*an optimizer step"):
        loss.backward()


# ---------------------------------------------------------------------------------------- groups
def test_groups_have_their_own_options():
    a, b = starts([(2, 2), (2, 2)])
    opt = SGD([{"params": [a], "lr": 1.0, "weight_decay": 0.5}, {"params": iter([b])}], lr=0.1)
    before = a.data.copy(), b.data.copy()
    a.grad = b.grad = np.ones((2, 2))
    opt.step()
    np.testing.assert_allclose(a.data, before[0] - 1.0 * (1 + 0.5 * before[0]))
    np.testing.assert_allclose(b.data, before[1] - 0.1)
    assert (opt.lr, opt.param_groups[1]["lr"], opt.defaults["lr"]) == (1.0, 0.1, 0.1)
    opt.param_groups[1]["lr"] = 0.0
    unchanged = b.data.copy()
    opt.step()
    np.testing.assert_array_equal(b.data, unchanged)
    opt.lr = 0.5
    assert [g["lr"] for g in opt.param_groups] == [0.5, 0.5]
    assert opt.defaults["lr"] == 0.5
    opt.zero_grad()
    assert a.grad is b.grad is None


# ----------------------------------------------------------------------------------------- state
@each_rule
def test_a_loaded_state_goes_on_bit_for_bit(rule):
    def reached(t, i):
        return t < 2 or i != 1

    shapes = [*SHAPES, (200, 100)]
    params, others = starts(shapes), starts(shapes)
    opt = rule(params, **RULES[rule])
    run(opt, params, 5, reached)
    opt.lr = 0.07
    state = opt.state_dict()
    for p, q in zip(params, others, strict=True):
        q.data = p.data.copy()
    run(opt, params, 5, first=5)  # does not change the saved state
    other = rule(others)
    other.load_state_dict(state)
    run(other, others, 5, first=5)
    assert_same(params, others)
    assert other.lr == 0.07


@each_rule
def test_state_of_update_is_saved_too(rule):
    arrays, others = ({"w": np.ones((2, 3)), "b": np.ones(3)} for _ in range(2))
    grads = {"w": np.full((2, 3), 0.5), "b": np.arange(3.0)}
    opt, other = rule(**RULES[rule]), rule()
    opt.update(arrays, grads)
    opt.lr = 0.03
    other.update(others, grads)
    other.load_state_dict(opt.state_dict())
    for key in others:
        others[key][...] = arrays[key]
    opt.update(arrays, grads)
    other.update(others, grads)
    for key in arrays:
        np.testing.assert_array_equal(arrays[key], others[key])
