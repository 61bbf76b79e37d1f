"""Random graphs against PyTorch: sharing, broadcasting, two dtypes, views, repeated indices."""

import math
import operator
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from minigrad import Tensor, gradients
from minigrad.autograd import bare, rules

torch: Any = pytest.importorskip("torch")


class Value(NamedTuple):
    """One value, twice; `exact` if it was only moved around, so that ties and kinks agree."""

    ours: Tensor
    theirs: Any
    exact: bool

    @property
    def shape(self):
        return self.ours.shape


class Graph:
    """Grows a graph of ours and the same one in PyTorch; each step is one of `STEPS`."""

    def __init__(self, draw):
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32)))
        dtypes = [[np.float32], [np.float64], [np.float32, np.float64]][draw(st.integers(0, 2))]
        shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)
        self.leaves = []
        for shape in draw(st.lists(shapes, min_size=2, max_size=4)):
            array = self.rng.normal(size=shape).astype(draw(st.sampled_from(dtypes)))
            theirs = torch.tensor(array, requires_grad=True)
            self.leaves.append(Value(Tensor(array, requires_grad=True), theirs, True))
        self.values = list(self.leaves)
        for _ in range(draw(st.integers(4, 16))):
            step = draw(st.sampled_from(STEPS))
            result = step(self)
            if result is not None and abs(result[0].data).max(initial=0) < 30:
                self.values.append(Value(*result, step in EXACT))
                assert result[0].shape == tuple(result[1].shape)
                assert str(result[1].dtype) == f"torch.{result[0].dtype}"

    def pick(self, allowed=lambda v: True):
        """Choose a value, a late one rather than an early one."""
        found = [v for v in self.values if allowed(v)]
        return found[-1 - self.draw(st.integers(0, len(found) - 1))] if found else None

    def axis(self, v):
        return self.draw(st.integers(-len(v.shape), len(v.shape) - 1))

    def array(self, shape, dtype=np.float64):
        return self.rng.normal(size=shape).astype(dtype)


def same_dtype(*tensors):
    """PyTorch lets 0-d tensors and matrix products follow rules of their own: convert first."""
    double = any(t.dtype == torch.float64 for t in tensors)
    return [t.double() if double else t for t in tensors]


def elementwise(graph):
    v = graph.pick()
    name = graph.draw(st.sampled_from(["tanh", "sin", "cos", "arctan", "square", "negative"]))
    return getattr(np, name)(v.ours), getattr(torch, name)(v.theirs)


def number(graph):
    v, f = graph.pick(), graph.draw(st.sampled_from(NUMBERS))
    return f(v.ours), f(v.theirs)


NUMBERS = [
    lambda x: 2.5 * x, lambda x: 1 - x, lambda x: x**2, lambda x: x / 3, lambda x: 1 / (x * x + 2),
    lambda x: 0.5**x, lambda x: (x * x + 1) ** 0.5, lambda x: -x + 1,
]  # fmt: skip


def arithmetic(graph):
    a = graph.pick()
    b = graph.pick(lambda v: fits(a.shape, v.shape))
    f = graph.draw(st.sampled_from(ARITHMETIC))
    return f(a.ours, b.ours), f(*same_dtype(a.theirs, b.theirs))


ARITHMETIC = [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b * b + 1),
    lambda a, b: a * b + a,
]  # fmt: skip


def fits(a, b):
    try:
        return math.prod(np.broadcast_shapes(a, b)) < 500
    except ValueError:
        return False


def with_a_constant(graph):
    v = graph.pick(lambda v: v.exact)
    array = graph.array(v.shape, v.ours.dtype)
    f = graph.draw(st.sampled_from(["maximum", "minimum", "fmax"]))
    return getattr(np, f)(v.ours, array), getattr(torch, f)(v.theirs, torch.tensor(array))


def choose(graph):
    a = graph.pick()
    b = graph.pick(lambda v: fits(a.shape, v.shape))
    mask = graph.array(np.broadcast_shapes(a.shape, b.shape)) > 0
    theirs = torch.where(torch.tensor(mask), *same_dtype(a.theirs, b.theirs))
    return np.where(mask, a.ours, b.ours), theirs


def product(graph):
    a = graph.pick(lambda v: len(v.shape) > 0)
    b = a and graph.pick(lambda v: multiplies(a.shape, v.shape))
    return b and (a.ours @ b.ours, torch.matmul(*same_dtype(a.theirs, b.theirs)))


def multiplies(a, b):
    try:
        return (np.zeros(a) @ np.zeros(b)).size < 500
    except ValueError:
        return False


def reduce(graph):
    v = graph.pick(lambda v: len(v.shape) > 0 and v.ours.size > 0)
    if v is None:
        return None
    axis, keep = graph.axis(v), graph.draw(st.booleans())
    names = ["sum", "mean", "var", "cumsum", "all"] + ["max", "min"] * v.exact
    name = graph.draw(st.sampled_from(names))
    if name == "cumsum":
        return np.cumsum(v.ours, axis), torch.cumsum(v.theirs, axis)
    if name == "all":
        return np.sum(v.ours), torch.sum(v.theirs)
    f = {
        "sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin,
        "var": lambda x, axis, keepdim: torch.var(x, axis, correction=0, keepdim=keepdim),
    }[name]  # fmt: skip
    return getattr(np, name)(v.ours, axis=axis, keepdims=keep), f(v.theirs, axis, keepdim=keep)


def view(graph):
    v, f = graph.pick(), graph.draw(st.sampled_from(VIEWS))
    return f(v.ours, np), f(v.theirs, torch)


VIEWS = [
    lambda x, _: x.reshape(-1), lambda x, _: x.reshape(x.shape[::-1]), lambda x, _: x[None],
    lambda x, m: m.squeeze(x), lambda x, m: m.broadcast_to(x, (2, *x.shape)),
    lambda x, m: m.moveaxis(x, 0, -1) if x.ndim else x, lambda x, m: m.ravel(x),
]  # fmt: skip


def index(graph):
    v = graph.pick(lambda v: len(v.shape) > 0 and v.ours.size > 0)
    if v is None:
        return None
    n = v.shape[0]
    positions = st.lists(st.integers(-n, n - 1), min_size=1, max_size=5).map(np.array)
    keys = [
        st.integers(-n, n - 1), positions, positions.map(lambda p: (p, None, ...)),
        st.builds(slice, st.integers(-n, n), st.none() | st.integers(-n, n), st.integers(1, 2)),
        st.just((slice(None), None)), st.lists(st.booleans(), min_size=n, max_size=n).map(np.array),
        positions.map(lambda p: p[:, None]), positions.map(lambda p: (..., p % v.shape[-1])),
    ]  # fmt: skip
    key = graph.draw(st.one_of(keys))
    parts = key if isinstance(key, tuple) else (key,)
    theirs = tuple(torch.tensor(p) if isinstance(p, np.ndarray) else p for p in parts)
    return v.ours[key], v.theirs[theirs]


def join(graph):
    a = graph.pick(lambda v: len(v.shape) > 0)
    if a is None:
        return None
    axis = graph.axis(a)
    f = graph.draw(st.sampled_from([("concatenate", "cat"), ("stack", "stack")]))
    b = graph.pick(lambda v: v.shape == a.shape)
    ours = [a.ours, b.ours, a.ours * 2]
    return getattr(np, f[0])(ours, axis), getattr(torch, f[1])(
        same_dtype(a.theirs, b.theirs, a.theirs * 2), axis
    )


EXACT = {view, index}
STEPS = [
    elementwise, number, arithmetic, arithmetic, with_a_constant, choose, product, reduce, view,
    index, join,
]  # fmt: skip


def compare(draw):
    graph = Graph(draw)
    outputs = graph.values[-draw(st.integers(1, 3)) :]
    weights = [graph.array(v.shape) for v in outputs]
    xs, ts = [v.ours for v in graph.leaves], [v.theirs for v in graph.leaves]
    ours = sum(np.sum(v.ours * w) for v, w in zip(outputs, weights, strict=True))
    theirs = sum((v.theirs * torch.tensor(w)).sum() for v, w in zip(outputs, weights, strict=True))
    single = any(x.dtype == np.float32 for x in xs)
    second = not single and draw(st.booleans())
    found = gradients(ours, xs, create_graph=second)
    expected = torch.autograd.grad(theirs, ts, create_graph=second, allow_unused=True)
    assert_same(found, expected, single)
    for g, e in zip(found, expected, strict=True):
        assert (g is None) == (e is None)
    live = [(g, e) for g, e in zip(found, expected, strict=True) if e is not None]
    if second and live and all(e.requires_grad for _, e in live):
        found = gradients(sum(np.sum(g * g) for g, _ in live), xs)
        expected = torch.autograd.grad(sum((e * e).sum() for _, e in live), ts, allow_unused=True)
        assert_same(found, expected, single)


def assert_same(found, expected, single):
    for g, e in zip(found, expected, strict=True):
        g = np.zeros(()) if g is None else g.data
        e = np.zeros(g.shape, g.dtype) if e is None else e.detach().numpy()
        assert g.dtype == e.dtype
        scale = 1 + abs(e).max(initial=0)
        np.testing.assert_allclose(g, e, rtol=0, atol=(1e-4 if single else 1e-10) * scale)


def run(examples, **keywords):
    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), **keywords,
    )  # fmt: skip
    @given(st.data())
    def graphs(data):
        compare(data.draw)

    graphs()


@pytest.mark.slow
def test_200_graphs():
    run(200)


@pytest.mark.slow
def test_2_000_graphs():
    run(2_000)


# ------------------------------------------------------------------------ planted faults are seen
FAULTS = {
    "a wrong factor": (np.tanh, lambda g, y, _x: g * (1 - y)),
    "a wrong sign": (np.cos, lambda g, _y, x: g * np.sin(x)),
    "a gradient lost": (np.sin, lambda g, _y, x: g * 0),
    "repeated indices overwrite": (
        operator.getitem,
        lambda g, _y, _x, key: overwrite(bare(g), _x.shape, key),
    ),
    "an average for a sum": (
        np.sum,
        lambda g, _y, _x, axis=None, keepdims=False: np.broadcast_to(np.mean(g), _x.shape),
    ),
}


def overwrite(g, shape, key):
    gradient = np.zeros(shape, g.dtype)
    gradient[key] = g
    return gradient


@pytest.mark.parametrize(("function", "wrong"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_seen(function, wrong, monkeypatch):
    monkeypatch.setattr(rules[function], "pullbacks", (wrong,))
    with pytest.raises(AssertionError):
        run(200, phases=[Phase.generate])
