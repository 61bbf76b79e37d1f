"""A value changed in place between forward and backward is an error that names it."""

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, debug, differentiable, gradients, nn, no_grad, optim
from minigrad.autograd import note_change


def leaf(data, **keywords):
    return Tensor(data, requires_grad=True, **keywords)


def decrease(p):
    p.data -= 1.0


def under_no_grad(p):
    with no_grad():
        p *= 2.0


def step(p):
    p.grad = np.ones(p.shape)
    optim.SGD([p], lr=0.1).step()


def through_a_view(p):
    view = p.detach()[:1]
    view.data -= 1.0


def noted(p):
    p.data[0] = 5.0
    note_change(p.data)


CHANGES = [decrease, under_no_grad, step, through_a_view, noted]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "f",
    [
        lambda p: p * p,
        lambda p: p.reshape(2, 1) * [1.0, 2.0] ** p,
        lambda p: np.exp(p.T[::-1]) @ p,
        lambda p: np.sum(np.sin(p)),
        lambda p: np.stack([p, p])[0] ** 2 * p,
    ],
    ids=["itself", "reshaped", "transposed", "summed", "copied and itself"],
)
def test_a_change_is_refused(f, change):
    p = leaf([1.0, 2.0])
    y = np.sum(f(p))
    change(p)
    with pytest.raises(
        RuntimeError, match="^backward: .* was changed in place after it was record"
    ):
        y.backward()
    p.zero_grad()
    np.sum(f(p)).backward()  # computed again
    assert p.grad is not None


def test_the_message_names_the_value_and_the_operation():
    w, x = leaf([1.0, 2.0], name="fc.weight"), leaf([3.0, 4.0])
    y = x * w
    y.name = "scaled"
    np.sum(y)
    w.data -= 0.1
    message = (
        r"^backward: 'fc\.weight' \(shape \(2,\), float32\), which 'scaled' = multiply \(shape "
        r"\(2,\), float32\) kept for its gradient, was changed in place after it was recorded "
        r"\(an optimizer step, load_state_dict, or `t\.data -= \.\.\.`\): call backward\(\) before "
        r"the change, or compute the loss again after it$"
    )
    with pytest.raises(RuntimeError, match=message):
        np.sum(y).backward()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda x: np.exp(x), r"exp \(shape \(2,\), float32\)"),
        (lambda x: x * 1, r"multiply \(shape \(2,\), float32\)"),
        (lambda x: Tensor([1.0, 2.0]), r"a constant \(shape \(2,\), float32\)"),
        (lambda x: x, r"a leaf \(shape \(2,\), float32\)"),
    ],
    ids=["its own output", "a result", "a constant", "a leaf"],
)
def test_whatever_was_kept_is_watched(make, name):
    x = leaf([1.0, 2.0])
    h = make(x)
    y = np.sum(h * x)
    h.data *= 2
    with pytest.raises(RuntimeError, match=f"^backward: {name}, which "):
        y.backward()


# ------------------------------------------------------------------ what is among the keywords
def shifted(i):
    i.data += 1


def flipped(i):
    i.data = np.logical_not(i.data, out=i.data)


@differentiable(lambda g, _y, _x, *, options: g * options["scales"][0])
def scaled(x, *, options):
    return x * options["scales"][0]


@pytest.mark.parametrize(
    ("f", "indices", "change", "name"),
    [
        (lambda x, i: x[i] ** 2, [0, 1], shifted, "'key'.*getitem"),
        (lambda x, i: x[:, None][i, 0], [0, 1], shifted, "'key'.*getitem"),
        (lambda x, i: x[i], [True, False, True], flipped, "'key'.*getitem"),
        (lambda x, i: np.take(x, i), [0, 1], shifted, "'key'.*getitem"),
        (lambda x, i: np.take_along_axis(x, i, 0), [0, 1], shifted, "'key'.*getitem"),
        (lambda x, i: np.bincount(i, x), [0, 1, 0], shifted, "'key'.*put"),
        (lambda x, i: np.where(i, x, 0), [True, False, True], flipped, "a constant.*where"),
        (lambda x, i: scaled(x, options={"scales": [i.data]}), [2], shifted, "'options'.*scaled"),
    ],
    ids="itself tuple mask take along bincount where nested".split(),
)
def test_indices_and_masks_are_watched_too(f, indices, change, name):
    x, i = leaf([1.0, 2.0, 3.0]), Tensor(indices)
    y = np.sum(f(x, i))
    y.backward(retain_graph=True)
    change(i)
    with pytest.raises(RuntimeError, match=rf"^backward: {name} .* was changed in place after"):
        y.backward()


def test_arrays_that_a_residual_shares_are_watched_too():
    @differentiable(lambda g, _y, _x, _h, residual: g * residual, None, residual=True)
    def times(x, h):
        return x * h, h

    x, h = leaf([1.0, 2.0]), Tensor([3.0, 4.0])
    y = np.sum(times(x, h))
    h.data *= 2
    with pytest.raises(RuntimeError, match=r"^backward: 'residual' \(shape \(2,\), float32\), whi"):
        y.backward()


def test_where_the_maxima_of_a_pooling_were_is_watched():
    x = leaf(np.random.default_rng(0).normal(size=(1, 1, 4, 4)))
    (g,) = gradients(np.sum(F.max_pool2d(x, 2) ** 2), [x], create_graph=True)
    x.data *= -1  # as an optimizer's step would
    with pytest.raises(RuntimeError, match="was changed in place after it was recorded"):
        np.sum(g**2).backward()


def test_running_values_of_batch_norm_are_watched():
    bn, q = nn.BatchNorm1d(2), leaf([1.0, 2.0])
    bn.running_mean += 1
    loss = np.sum(q * bn.running_mean)
    bn(Tensor([[1.0, 2.0], [3.0, 5.0]]))
    with pytest.raises(RuntimeError, match=r"^backward: a constant .* was changed in place after"):
        loss.backward()


def test_batch_norm_may_see_several_batches_before_one_sweep():
    bn, x = nn.BatchNorm1d(2), leaf([[1.0, 2.0], [3.0, 5.0]])
    with debug():
        np.sum(bn(x) + bn(2 * x)).backward()
    np.sum(bn(x) + bn(2 * x)).backward()


def test_a_change_between_the_first_order_and_the_second_is_refused():
    x = leaf([1.0, 2.0])
    (g,) = gradients(np.sum(x**3), [x], create_graph=True)
    x.data -= 0.5
    with pytest.raises(RuntimeError, match="was changed in place"):
        np.sum(g).backward()


def test_a_change_between_two_sweeps_is_refused():
    x = leaf([1.0, 2.0])
    y = np.sum(x**3)
    y.backward(retain_graph=True)
    x.data -= 0.5
    with pytest.raises(RuntimeError, match="was changed in place"):
        y.backward()


# --------------------------------------------------------------------------------- no false alarm
@pytest.mark.parametrize("change", CHANGES)
def test_a_value_that_no_gradient_reads_may_change(change):
    p, x = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = np.sum((x + p) * 2 - np.concatenate([p, x])[:2])
    change(p)
    y.backward()
    assert x.grad.tolist() == [2, 2]


@pytest.mark.parametrize("change", CHANGES)
def test_changes_before_recording_and_after_backward_are_fine(change):
    p = leaf([1.0, 2.0])
    for _ in range(3):
        change(p)
        p.zero_grad()
        np.sum(p * p).backward()
        assert p.grad.tolist() == [2 * value for value in p.tolist()]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_another_tensor_is_fine(change):
    p, q = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    y = np.sum(p * p)
    change(q)
    y.backward()
    assert p.grad.tolist() == [2, 4]


def test_data_that_is_replaced_leaves_the_recorded_values_alone():
    p = leaf([1.0, 2.0])
    y = np.sum(p * p)
    p.data = np.array([10.0, 20.0], np.float32)
    y.backward()
    assert p.grad.tolist() == [2, 4]


def test_memory_used_again_by_another_array_is_fine():
    for _ in range(100):
        array = np.ones(1000)
        note_change(array)
        del array
        x = leaf(np.ones(1000))
        y = np.sum(x * x)
        array = np.ones(1000)
        note_change(array)
        del array
        y.backward()


def test_steps_of_one_network_don_t_disturb_another():
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    loss = np.sum(b**3)
    for _ in range(5):
        a.zero_grad()
        np.sum(a * a).backward()
        optim.SGD([a], lr=0.1).step()
    loss.backward()
    assert b.grad.tolist() == [27, 48]
