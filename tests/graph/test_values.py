"""A picture marks the first value that is not finite, and says how large gradients are."""

import contextlib

import numpy as np
import pytest
from graph_parsing import Log, by_pydot

import minigrad
from minigrad import Tensor, draw, nn, optim
from minigrad import functional as F

RNG = np.random.default_rng(0)


def tensor(*shape, name=None, grad=False):
    return Tensor(RNG.normal(size=shape).astype("f4"), grad, name=name)


class Net(nn.Module):
    def __init__(self):
        self.fc1, self.norm, self.fc2 = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 4)

    def forward(self, x):
        h = F.relu(self.norm(self.fc1(x)))
        h = h + np.tanh(h) * 2.0
        return F.log_softmax(self.fc2(h) / 3.0)


def loss_of(net, x):
    return -np.mean(net(x)[np.arange(5), np.arange(5) % 4])


def marks(view):
    return [box.id for box in view.nodes if box.bad and box.bad.first]


@contextlib.contextmanager
def poisoned(entry, argument, value):
    """Let a function return a bad value whenever it is called with `argument`."""
    forward = entry.forward

    def bad(*arguments, **keywords):
        result = forward(*arguments, **keywords)
        y = result[0] if entry.residual else result
        if np.array_equal(arguments[0], argument):
            y = np.array(y)
            y.flat[:1] = value
        return (y, result[1]) if entry.residual else y

    entry.forward = bad
    try:
        yield
    finally:
        entry.forward = forward


def calls():
    net, x = Net(), tensor(5, 6, name="x")
    net(x)  # batch norm has moved once
    with Log(x=x)() as log:
        y = loss_of(net, x)
    return net, x, log, log.edges(y)


NET, X, LOG, EDGES = calls()


@pytest.mark.parametrize("value", [np.nan, np.inf], ids=["nan", "inf"])
@pytest.mark.parametrize("number", range(1, len(LOG.calls) + 1))
def test_a_bad_value_is_found_where_it_arose_at_each_operation_in_turn(number, value):
    entry, arguments, y = LOG.calls[number - 1]
    running = NET.norm.running_mean.copy()
    with poisoned(entry, arguments[0], value), np.errstate(all="ignore"):
        with Log(x=X)():
            loss = loss_of(NET, X)
        NET.norm.running_mean[...] = running
        view = draw(loss)
        assert np.array_equal(NET.norm.running_mean, running), "drawing moved the running mean"
    assert marks(view) == [f"op{number}_{entry.name}"]
    (box,) = [b for b in view.nodes if b.id in marks(view)]
    kind = "NaN" if np.isnan(value) else "inf"
    assert box.bad.text == f"first {kind}: 1 of {np.size(y)}"
    picture = by_pydot(view.source)
    if np.isnan(value):  # which nothing here hides
        reached = {f"op{number}"}
        for tail, head, _ in sorted(EDGES, key=lambda e: int(e[1][2:])):
            reached |= {head} if tail in reached else set()
        expected = {(t, h, i) for t, h, i in EDGES if t in reached}
        bold = {(t.split("_")[0], h.split("_")[0], i) for t, h, i in picture.bold}
        assert {e for e in bold if not e[1].startswith("output")} == expected
    thick = {k for k, v in picture.nodes.items() if v.get("penwidth") == "3"}
    assert thick == {box.id}


@pytest.mark.parametrize("where", ["input", "weight"])
def test_a_bad_input_or_parameter_is_the_first(where):
    net, x = Net(), tensor(5, 6, name="x")
    (x if where == "input" else net.fc1.weight).data[0, 2] = np.nan
    view = draw(loss_of(net, x))
    items = [*view.nodes, *(row for box in view.nodes for row in box.rows)]
    first = [item.bad.text for item in items if item.bad and item.bad.first]
    assert first == [f"first NaN: 1 of {(x if where == 'input' else net.fc1.weight).size}"]
    assert not any(box.bad and box.bad.first for box in view.nodes if box.kind == "op")
    assert draw(loss_of(net, x), check_finite=False).source.count("⚠") == 0


def test_of_two_origins_one_is_first():
    x = Tensor([-1.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"):
        view = draw(np.log(x) + np.sqrt(x))
    assert [b.bad.text for b in view.nodes if b.bad and b.bad.origin] == [
        "first NaN: 1 of 2", "NaN: 1 of 2",
    ]  # fmt: skip


def test_nothing_finite_is_marked_even_if_its_sum_overflows():
    x = Tensor(np.full(4, 3e38, "f4"), requires_grad=True)
    assert "⚠" not in draw(x * 1.0).source


def test_after_backward_values_and_gradients_are_unknown_and_said_to_be():
    net, x = Net(), tensor(5, 6)
    loss = loss_of(net, x)
    loss.backward()
    view = draw(loss, gradients=True)
    assert "released by backward(), call it with retain_graph=True" in view.summary()
    for box in view.nodes:
        assert box.gradient is None or box.kind != "op"
        for row in box.rows:
            grad = dict(net.named_parameters())[row.name].grad.numpy()
            assert row.gradient.low == pytest.approx(np.sqrt(np.mean(grad**2)), rel=1e-5)

    kept = loss_of(net, x)
    kept.backward(retain_graph=True)
    assert "retain_graph" not in draw(kept, gradients=True).summary()


def test_a_value_that_changed_since_is_not_looked_at():
    net, x = Net(), tensor(5, 6)
    loss = loss_of(net, x)
    loss.backward(retain_graph=True)
    step = optim.SGD(net.parameters(), lr=0.1)
    step.step()
    net.fc1.weight.data[:] = np.nan
    minigrad.autograd.note_change(net.fc1.weight.data)
    view = draw(loss, gradients=True)
    assert "⚠" not in view.source
    assert "was changed in place" in view.summary()


def test_gradients_equal_those_of_backward_and_no_grad_is_touched():
    x = tensor(4, 3, name="x", grad=True)
    kept = [x]

    def keep(t):
        t.retain_grad()
        kept.append(t)
        return t

    loss = keep(np.mean(keep(keep(np.tanh(x)) * keep(np.exp(x)))))
    view = draw(loss, gradients=True)
    assert x.grad is None
    assert all(t._grad is None for t in kept)
    loss.backward()
    expected = [np.sqrt(np.mean(np.square(t.grad.numpy()))) for t in kept]
    shown = {b.id.split("_")[0]: b.gradient.low for b in view.nodes if b.kind != "output"}
    names = ["input", "op1", "op2", "op3", "op4"]
    assert [shown[n] for n in names] == pytest.approx(expected, rel=1e-5)
    assert f"|g| {expected[1]:.1e}" in view.summary()


def test_zero_and_none_are_different():
    x, w = tensor(3, name="x", grad=True), tensor(3, grad=True)
    view = draw(np.sum(x * 0.0), params={"w": w}, gradients=True)
    texts = {box.name or box.label: box.gradient.text for box in view.nodes if box.gradient}
    assert texts["x"] == "grad 0"
    assert texts["w"] == "grad None"


@pytest.mark.parametrize(
    ("make", "culprit"),
    [
        (lambda x: np.sqrt(x).sum(), "op1_sqrt"),
        (lambda x: (np.sqrt(x * 2.0) + x).sum(), "op2_sqrt"),
        (lambda x: (np.sqrt(x) + np.tanh(x * 2.0)).sum(), "op1_sqrt"),
        (lambda x: (np.sqrt(x) + np.sqrt(x * 2.0)).sum(), "op3_sqrt"),
    ],
    ids=["alone", "after a product", "beside another", "the newest of two"],
)
def test_the_first_bad_gradient_is_laid_to_the_operation_that_made_it(make, culprit):
    x = Tensor([0.0, 4.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"):
        view = draw(make(x), gradients=True)
    assert [b.id for b in view.nodes if b.bad_gradient] == [culprit]
    assert marks(view) == []
    assert "1 of 2 in its gradient" in view.summary()


@pytest.mark.parametrize(
    ("rms", "step"), [(1e-12, 0), (1e-7, 1), (1e-5, 2), (1e-3, 3), (1.0, 4), (0.0, 0)]
)
def test_lightness_follows_the_logarithm_of_the_gradient(rms, step):
    from minigrad.graph.theme import palette

    x = Tensor(np.ones(3, "f4"), requires_grad=True)
    node = by_pydot(draw(np.tanh(x) * rms, gradients=True).source).nodes["op1_tanh"]
    assert node["fillcolor"] == palette("light")[f"op_{step}"]


def test_debug_mode_does_not_raise_while_drawing():
    x = Tensor([0.0, 4.0], requires_grad=True)
    y = np.sqrt(x).sum()
    with minigrad.debug(), np.errstate(all="ignore"):
        assert draw(y, gradients=True).nodes[1].bad_gradient
        with pytest.raises(minigrad.NonFiniteError):
            y.backward()


def test_bytes_are_counted_once_and_parameters_not_at_all():
    x, w = tensor(8, 6, name="x"), tensor(6, 4, grad=True)
    y = x @ w
    assert draw(y, params={"w": w}).whole.saved == 8 * 6 * 4  # x, for the gradient of w
    z = np.tanh(y)
    assert draw(z * z + z, params={"w": w}).whole.saved == 8 * 6 * 4 + 8 * 4 * 4  # and z, once
    v = tensor(5, grad=True)
    assert draw(v * v).whole.saved == 0  # the user's own array
    z.sum().backward()
    assert draw(z, params={"w": w}).whole.saved == 0


def test_scalars_show_their_value():
    x = tensor(3, name="x", grad=True)
    loss = np.mean(x) * 2.0
    loss.name = "loss"
    view = draw(loss)
    assert view.whole.title == f"loss = {loss.item():.5g}"
    assert [b.value for b in view.nodes if b.label == "mean"] == [pytest.approx(loss.item() / 2)]


def test_a_function_that_fails_or_draws_at_random_when_called_again_is_unknown():
    once = iter([True])

    @minigrad.differentiable(lambda g, _y, _x: g)
    def fragile(x):
        next(once)
        return x + 1

    x = tensor(3, grad=True)
    y = fragile(x)
    view = draw({"a": y * 2.0})
    assert "values of 1 op not known" in view.summary()
    assert draw(y.sum(), check_finite=False).summary().count("not known") == 0
