"""Every differentiable operation, against differences, PyTorch, and NumPy on bare arrays."""

import functools
import math
import sys
import warnings

import numpy as np
import numpy_rows
import pytest
from operations import BINARY, OPERATIONS

from minigrad import Tensor, gradients
from minigrad.autograd import Leaf, Node, Primitive, reachable, rules
from minigrad.testing import check_gradients

each = pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
HOMES = ("minigrad.autograd.", "minigrad.ops.")
WIDENS = {np.float_power}  # NumPy defines it to compute in float64


def listed(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def leaves(op, dtype=np.float64):
    return [Tensor(x, True, dtype=dtype) for x in op.inputs]


def test_names_are_unique():
    names = [op.name for op in OPERATIONS]
    assert len(names) == len(set(names))


@each
def test_gradients_of_both_orders_agree_with_differences(op):
    check_gradients(op.function, *op.inputs, order=2)


@each
def test_result_is_that_of_numpy_on_bare_arrays(op):
    expected = listed(op.function(*op.inputs))
    results = listed(op.function(*map(Tensor, op.inputs)))
    assert len(results) == len(expected)
    for y, e in zip(results, expected, strict=True):
        assert isinstance(y, Tensor)
        assert (y.shape, y.dtype) == (np.shape(e), e.dtype)
        np.testing.assert_allclose(y.numpy(), e, rtol=1e-13)


@each
def test_works_the_same_in_the_middle_of_a_graph(op):
    """Arithmetic on 0-d arrays gives NumPy's scalars: there, values and gradients are those."""
    xs = leaves(op)
    ys = listed(op.function(*xs))
    weights = [np.random.default_rng(3).normal(size=y.shape) for y in ys]
    expected = gradients(ys, xs, weights)
    inner = listed(op.function(*(x * 1.0 for x in xs)))
    outer = sum(np.sum(y * w) for y, w in zip(inner, weights, strict=True))
    for g, e in zip(gradients(outer, xs), expected, strict=True):
        np.testing.assert_allclose(g.data, e.data, rtol=1e-12, atol=1e-15)


@each
def test_agrees_with_pytorch(op):
    torch = pytest.importorskip("torch")
    if op.torch is None:
        pytest.skip("PyTorch has no such operation")
    rng = np.random.default_rng(7)
    xs, ts = leaves(op), [torch.tensor(x, requires_grad=True) for x in op.inputs]
    ours = listed(op.function(*xs))
    f = getattr(torch, op.torch) if isinstance(op.torch, str) else lambda *x: op.torch(torch, *x)
    theirs = listed(f(*ts))
    assert len(ours) == len(theirs)
    for y, t in zip(ours, theirs, strict=True):
        assert y.shape == tuple(t.shape)
        np.testing.assert_allclose(y.data, t.detach().numpy(), rtol=1e-12, atol=1e-14)
    weights = [rng.normal(size=y.shape) for y in ours]
    found = gradients(ours, xs, weights)
    pairs = [(t, torch.tensor(w)) for t, w in zip(theirs, weights, strict=True) if t.requires_grad]
    expected = torch.autograd.grad(
        [t for t, _ in pairs], ts, [w for _, w in pairs], allow_unused=True
    )
    for x, g, e in zip(xs, found, expected, strict=True):
        g = np.zeros(x.shape) if g is None else g.numpy()
        e = np.zeros(x.shape) if e is None else e.numpy()
        np.testing.assert_allclose(g, e, rtol=1e-9, atol=1e-12)


# ----------------------------------------------------------------------- float32 stays float32
def assert_float32(f, *inputs):
    """Check results and gradients, of the first order and of the second."""
    xs = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    ys = listed(f(*inputs))
    assert {y.dtype for y in ys} == {np.dtype(np.float32)}
    found = gradients(ys, xs, [np.ones(y.shape) for y in ys], create_graph=True)
    again = [g for g in found if g is not None]
    assert {g.dtype for g in again} <= {np.dtype(np.float32)}
    live = [g for g in again if g.requires_grad]
    if live:
        second = gradients(live, xs, [np.ones(g.shape) for g in live])
        assert {g.dtype for g in second if g is not None} <= {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "op",
    [op for op in OPERATIONS if op.function not in WIDENS and op.name != "astype"],
    ids=lambda op: op.name,
)
def test_float32_stays_float32(op):
    xs = leaves(op, np.float32)
    assert_float32(op.function, *xs)
    for i in range(len(xs)):
        mixed = [x if i == j else x.data for j, x in enumerate(xs)]
        assert_float32(op.function, *mixed)
        whole = [
            x if i == j else np.arange(1, x.size + 1).reshape(x.shape) for j, x in enumerate(xs)
        ]
        with warnings.catch_warnings():  # whole numbers may leave a function's domain
            warnings.simplefilter("ignore", RuntimeWarning)
            assert_float32(op.function, *whole)


@pytest.mark.parametrize("name", [n for n in BINARY if n != "float_power"])
@pytest.mark.parametrize(
    "other",
    [2, 0.5, True, np.float64(0.5), np.float32(0.5), np.int64(3), np.arange(1, 4), [1.0, 2.0, 0.5]],
    ids=repr,
)
def test_numbers_beside_a_float32_tensor_do_not_widen_it(name, other):
    f = getattr(np, name)
    x = Tensor([0.3, 0.8, 0.6], requires_grad=True)
    assert_float32(f, x, other)
    assert_float32(f, other, x)
    assert {y.dtype for y in listed(f(x.detach(), other))} == {np.dtype(np.float32)}


INSIDE = {
    "stack": lambda x: np.stack([x[0], 2.0]),
    "concatenate": lambda x: np.concatenate([x, [0.5]]),
    "concatenate flat": lambda x: np.concatenate([x, 0.5], axis=None),
    "append": lambda x: np.append(x, 0.5),
    "hstack": lambda x: np.hstack([x, np.float64(0.5)]),
    "outer": lambda x: np.outer(x, 0.5),
    "einsum": lambda x: np.einsum(",i->i", 0.5, x),
    "where": lambda x: np.where([True, False, True], x, 0.5),
    "clip": lambda x: np.clip(x, np.float64(0.4), 0.7),
    "dot": lambda x: np.dot(x, 0.5),
    "matmul": lambda x: x @ [1, 2, 3],
    "tensordot": lambda x: np.tensordot(x, [0.5, 1.5, 2.5], 1),
    "pad": lambda x: np.pad(x, 1, constant_values=np.float64(0.5)),
}


@pytest.mark.parametrize("f", INSIDE.values(), ids=INSIDE)
def test_numbers_inside_a_call_do_not_widen_it(f):
    assert_float32(f, Tensor([0.3, 0.8, 0.6], requires_grad=True))


def test_whole_numbers_become_float32_not_float64():
    x = Tensor([1, 2, 3])
    for y in (np.sqrt(x), np.mean(x), x / 2, x * 0.5, 2 / x, x / x):
        assert y.dtype == np.float32
    assert (x + 1).dtype == x.dtype


def test_float32_and_float64_meet_in_float64_and_each_gets_its_own_gradient():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    y = Tensor(np.ones(3), requires_grad=True)
    z = x * y
    gx, gy = gradients(z, [x, y], np.ones(3))
    assert (z.dtype, gx.dtype, gy.dtype) == (np.float64, np.float32, np.float64)


# -------------------------------------------------------------------------- the table as a whole
@pytest.mark.parametrize(
    "op", [op for op in OPERATIONS if len(op.inputs) > 1], ids=lambda op: op.name
)
def test_only_pullbacks_of_inputs_that_need_a_gradient_are_called(op, monkeypatch):
    def spy(entry, k, pullback):
        return lambda *a, **kw: called.add((entry, k)) or pullback(*a, **kw)

    def spy_joint(entry, joint):
        def run(needs, *a, **kw):
            called.update((entry, k) for k, need in enumerate(needs) if need)
            return joint(needs, *a, **kw)

        return run

    for i in range(len(op.inputs)):
        called = set()
        xs = [Tensor(x, requires_grad=i == j) for j, x in enumerate(op.inputs)]
        ys = [y for y in listed(op.function(*xs)) if y.requires_grad]
        nodes = reachable(y._node for y in ys)
        with monkeypatch.context() as patch:
            for entry in {node.function for node in nodes}:
                spies = [spy(entry, k, p) for k, p in enumerate(entry.pullbacks)]
                patch.setattr(entry, "pullbacks", spies)
                if entry.joint:
                    patch.setattr(entry, "joint", spy_joint(entry, entry.joint))
            gradients(ys, [xs[i]], [np.ones(y.shape) for y in ys])
        assert called == {
            (node.function, k)
            for node in nodes
            for k, parent in enumerate(node.inputs)
            if isinstance(parent, Node | Leaf)
        }


def test_every_entry_of_the_table_has_its_row(monkeypatch):
    """Run all rows and their sweep, and see which entries they never touch."""

    class Watched(dict):
        def get(self, key):
            seen.add(key)
            return super().get(key)

    seen = set()
    monkeypatch.setattr("minigrad.autograd.recording.rules", Watched(rules))
    for op in [*OPERATIONS, *numpy_rows.rows, *numpy_rows.complex_rows]:
        xs = [Tensor(x, True) for x in op.inputs]
        ys = listed(op.function(*xs))
        for _ in range(3):  # the call, its gradient, the gradient of that
            ys = [y for y in ys if y is not None and y.requires_grad]
            seen.update(node.function.function for node in reachable(y._node for y in ys))
            upstream = [Tensor(np.ones(y.shape), requires_grad=True) for y in ys]
            xs += upstream
            ys = gradients(ys, xs, upstream, create_graph=True) if ys else []
    rows = {
        f: (rule.joint, *rule.pullbacks) if isinstance(rule, Primitive) else (rule,)
        for f, rule in rules.items()
        if not isinstance(rule, functools.partial)  # its results are plain arrays
    }
    homes = {
        f: {getattr(p, "__module__", "numpy") for p in row if p}
        for f, row in rows.items()
        if not isinstance(getattr(f, "__self__", None), np.ufunc)  # np.add.reduce: one rule for all
    }
    ours = {f for f, home in homes.items() if any(h.startswith(HOMES) for h in home)}
    special = vars(sys.modules.get("scipy.special", math)).values()  # see test_special
    special = {f for f in special if callable(f)}
    ours -= {f for f in ours if f in special or "minigrad.ops.special" in homes[f]}
    missing = ours - seen - {np.ix_}  # its results are plain arrays
    assert sorted(f.__name__ for f in missing) == []


# ---------------------------------------------------------------------------- kinks, ties, holes
INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("f", "inputs", "expected"),
    [
        pytest.param(np.abs, [[0.0, -2.0]], [[0, -1]], id="abs at 0"),
        pytest.param(np.fabs, [[0.0, -2.0]], [[0, -1]], id="fabs at 0"),
        pytest.param(np.sign, [[0.0]], [[0]], id="sign at 0"),
        pytest.param(np.floor, [[1.0]], [[0]], id="floor at a step"),
        pytest.param(np.maximum, [[1.0, 2.0], [1.0, 3.0]], [[0.5, 0], [0.5, 1]], id="maximum tie"),
        pytest.param(np.minimum, [[1.0, 2.0], [1.0, 3.0]], [[0.5, 1], [0.5, 0]], id="minimum tie"),
        pytest.param(np.fmax, [[1.0, 2.0], [1.0, NAN]], [[0.5, 1], [0.5, 0]], id="fmax tie, NaN"),
        pytest.param(np.fmin, [[1.0, NAN], [1.0, 2.0]], [[0.5, 0], [0.5, 1]], id="fmin tie, NaN"),
        pytest.param(np.max, [[3.0, 1.0, 3.0]], [[0.5, 0, 0.5]], id="max tie"),
        pytest.param(np.min, [[3.0, 1.0, 1.0, 1.0]], [[0, *[1 / 3] * 3]], id="min tie"),
        pytest.param(lambda x: np.clip(x, 0, 1), [[0.0, 1.0, 2.0]], [[1, 1, 0]], id="clip limits"),
        pytest.param(
            lambda x, low: np.clip(x, low, None), [[0.0, 1.0], [0.0, 2.0]], [[1, 0], [0, 1]],
            id="clip on its lower limit",
        ),
        pytest.param(
            lambda x, high: np.clip(x, None, high), [[2.0, 1.0], [2.0, 0.0]], [[1, 0], [0, 1]],
            id="clip on its upper limit",
        ),
        pytest.param(
            lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 2.0, 5.0]), [[0.0, 1.0, 2.0]],
            [[2, 3, 0]], id="interp on its knots",
        ),
        pytest.param(np.linalg.norm, [[0.0, 0.0]], [[0, 0]], id="norm at 0"),
        pytest.param(np.std, [[2.0, 2.0]], [[0, 0]], id="std of equal values"),
        pytest.param(np.hypot, [[0.0], [0.0]], [[0], [0]], id="hypot at 0"),
        pytest.param(np.copysign, [[0.0, -2.0], [-1.0, -1.0]], [[0, 1], [0, 0]], id="copysign"),
        pytest.param(np.copysign, [[INF], [0.0]], [[1], [0]], id="copysign of inf"),
        pytest.param(np.arctan2, [[0.0], [0.0]], [[0], [0]], id="arctan2 at 0"),
        pytest.param(np.arctan2, [[1e-30], [1e-30]], [[5e29], [-5e29]], id="arctan2 near 0"),
        pytest.param(np.arctan2, [[1e30], [1e30]], [[5e-31], [-5e-31]], id="arctan2 far from 0"),
        pytest.param(lambda x: x**0, [[0.0, 2.0, INF, NAN]], [[0, 0, 0, 0]], id="power 0"),
        pytest.param(lambda x: x**1, [[0.0]], [[1]], id="power 1 at 0"),
        pytest.param(lambda x: x**2, [[0.0, -3.0]], [[0, -6]], id="power 2 at 0"),
        pytest.param(np.power, [[0.0, 0.0], [0.0, 2.0]], [[0, 0], [0, 0]], id="power arrays"),
        pytest.param(lambda b: 0.0**b, [[2.0]], [[0]], id="0 to a power"),
        pytest.param(np.prod, [[0.0, 2.0, 3.0]], [[6, 0, 0]], id="prod with a zero"),
        pytest.param(np.prod, [[0.0, 2.0, 0.0]], [[0, 0, 0]], id="prod with two zeros"),
        pytest.param(lambda x: np.heaviside(x, 0.5), [[0.0]], [[0]], id="heaviside at 0"),
        pytest.param(
            lambda h: np.heaviside([0.0, 1.0], h), [[0.5, 0.5]], [[1, 0]], id="heaviside's value"
        ),
        pytest.param(
            lambda a, b: np.where([True, False], a, b), [[1.0, NAN], [INF, 2.0]], [[1, 0], [0, 1]],
            id="where, NaN and infinity on the branch not taken",
        ),
        pytest.param(lambda x: x[[0, 0, 0]], [[1.0, 2.0]], [[3, 0]], id="index named three times"),
        pytest.param(np.sum, [np.zeros((0, 3))], [np.zeros((0, 3))], id="sum of nothing"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("create_graph", [False, True])
def test_stated_values(f, inputs, expected, create_graph):
    xs = [Tensor(x, requires_grad=True) for x in inputs]
    np.sum(f(*xs)).backward(create_graph=create_graph)
    for x, e in zip(xs, expected, strict=True):
        np.testing.assert_allclose(x.grad.data, np.asarray(e, np.float32), rtol=1e-6)


def test_a_slope_without_bound_is_infinite_not_an_exception():
    x = Tensor([0.0], requires_grad=True)
    y = np.var(Tensor([2.0], requires_grad=True))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.sqrt(x).backward()
    assert np.isinf(x.grad.data)
    assert y.item() == 0
