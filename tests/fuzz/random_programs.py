"""Random programs, written twice: in minigrad and in PyTorch, over every operation of the table.

A program has a few leaves and some steps. A step takes values made so far, brings them to the
shape that its operation wants, and near to where its row of the table is tried, so that no step
leaves a domain or straddles a kink: `x = place + 0.01 tanh(value)`. Values are shared, viewed,
detached, and written again after they were read. Everything is drawn from one seed.
"""

import math
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import torch
from operations import OPERATIONS
from torch.nn import functional as TF

import minigrad.functional as F
from minigrad import Tensor, gradients, no_grad

torch.set_num_threads(1)  # the arrays are small
NEAR = 0.01  # how far from its row's place an operation is tried; rows keep farther from kinks
ROWS = [op for op in OPERATIONS if op.torch is not None]


class Value(NamedTuple):
    """One value, twice."""

    ours: Tensor
    theirs: Any


class Found(NamedTuple):
    """What became of a program."""

    kinds: Counter
    second: bool
    change: str  # what a change in place led to: "none", "refused" or "harmless"
    mismatch: str


def listed(value):
    return list(value) if isinstance(value, list | tuple) else [value]


class Program:
    """Grows one random program and compares its gradients."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.kinds = Counter()
        shapes = [tuple(self.rng.integers(1, 4, self.rng.integers(0, 4))) for _ in range(3)]
        self.leaves = [self.leaf(shape) for shape in shapes]
        self.values = list(self.leaves)
        for _ in range(self.rng.integers(2, 9)):
            name, step = self.choose(STEPS)
            made = step(self)
            self.kinds[name if step is not table else self.row] += 1
            self.values += [Value(*pair) for pair in made]

    def leaf(self, shape):
        array = self.rng.normal(size=shape)
        return Value(Tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True))

    def choose(self, options):
        return options[self.rng.integers(len(options))]

    def pick(self):
        """Choose a value, a late one rather than an early one."""
        n = len(self.values)
        return self.values[max(self.rng.integers(n), self.rng.integers(n))]

    def near(self, place):
        """Return some value at the shape of `place`, and close to it."""
        v, place = self.pick(), np.asarray(place, np.float64)
        if v.ours.size == 0:
            return Value(Tensor(place), torch.tensor(place))
        at = self.rng.integers(v.ours.size, size=place.shape)
        ours, theirs = np.ravel(v.ours)[at], v.theirs.reshape(-1)[torch.tensor(at)]
        return Value(place + NEAR * np.tanh(ours), torch.tensor(place) + NEAR * torch.tanh(theirs))


# ------------------------------------------------------------------------------------------- steps
def table(program):
    """Call a row of the table of operations."""
    op = program.choose(ROWS)
    program.row = op.name
    inputs = [program.near(x) for x in op.inputs]
    theirs = getattr(torch, op.torch) if isinstance(op.torch, str) else None
    ys = listed(op.function(*(v.ours for v in inputs)))
    args = [v.theirs for v in inputs]
    ts = listed(theirs(*args) if theirs else op.torch(torch, *args))
    return list(zip(ys, ts, strict=True))


def normal(program, *shape):
    return program.near(program.rng.normal(size=shape))


def layer(program):
    """Call a layer or a loss."""
    name, ours, theirs, shapes = program.choose(LAYERS)
    inputs = [normal(program, *shape) for shape in shapes]
    labels = program.rng.integers(4, size=5)
    y = ours(*(v.ours for v in inputs), labels=labels)
    t = theirs(*(v.theirs for v in inputs), labels=torch.tensor(labels))
    program.kinds[name] += 1
    return [(y, t)]


LAYERS = [
    ("linear", lambda x, w, b, labels: F.linear(x, w, b),
     lambda x, w, b, labels: x @ w + b, [(5, 3), (3, 4), (4,)]),
    ("linear of three axes", lambda x, w, labels: F.linear(x, w),
     lambda x, w, labels: x @ w, [(2, 5, 3), (3, 4)]),
    ("cross_entropy", lambda x, labels: F.cross_entropy(x, labels),
     lambda x, labels: TF.cross_entropy(x, labels), [(5, 4)]),
    ("cross_entropy of rows", lambda x, labels: F.cross_entropy(x, np.eye(4)[labels] * 0.7 + 0.1),
     lambda x, labels: -((torch.eye(4, dtype=x.dtype)[labels] * 0.7 + 0.1)
                         * TF.log_softmax(x, 1)).sum(1).mean(), [(5, 4)]),
    ("mse_loss", lambda x, y, labels: F.mse_loss(x, y), lambda x, y, labels: TF.mse_loss(x, y),
     [(5, 4), (5, 4)]),
    ("binary_cross_entropy", lambda x, labels:
     F.binary_cross_entropy_with_logits(x, (labels % 2).astype(float)),
     lambda x, labels: TF.binary_cross_entropy_with_logits(x, (labels % 2).double()), [(5,)]),
    ("batch_norm", lambda x, w, b, labels: F.batch_norm(x, w, b, eps=1e-3),
     lambda x, w, b, labels: TF.batch_norm(x, None, None, w, b, True, 0.1, 1e-3),
     [(6, 3, 2, 2), (3,), (3,)]),
    ("softmax", lambda x, labels: F.softmax(x, axis=0), lambda x, labels: x.softmax(0), [(3, 4)]),
    ("log_softmax", lambda x, labels: F.log_softmax(x), lambda x, labels: x.log_softmax(-1),
     [(3, 4)]),
    ("sigmoid", lambda x, labels: F.sigmoid(x), lambda x, labels: x.sigmoid(), [(3, 4)]),
    ("softplus", lambda x, labels: F.softplus(x), lambda x, labels: TF.softplus(x), [(3, 4)]),
    ("gelu", lambda x, labels: F.gelu(x), lambda x, labels: TF.gelu(x), [(3, 4)]),
    ("gelu tanh", lambda x, labels: F.gelu(x, "tanh"),
     lambda x, labels: TF.gelu(x, approximate="tanh"), [(3, 4)]),
    ("erf", lambda x, labels: F.erf(x), lambda x, labels: torch.erf(x), [(3, 4)]),
    ("conv2d and relu", lambda x, w, b, labels: F.softplus(F.conv2d(x, w, b, 1, 1)),
     lambda x, w, b, labels: TF.softplus(TF.conv2d(x, w, b, 1, 1)),
     [(2, 3, 5, 5), (4, 3, 3, 3), (4,)]),
    ("conv2d strided", lambda x, w, labels: F.conv2d(x, w, None, (2, 1), (1, 0), (1, 2)),
     lambda x, w, labels: TF.conv2d(x, w, None, (2, 1), (1, 0), (1, 2)),
     [(2, 3, 6, 7), (2, 3, 3, 2)]),
    ("dropout in evaluation", lambda x, labels: F.dropout(x, 0.3, training=False),
     lambda x, labels: x * 0.7, [(3, 4)]),
]  # fmt: skip


def arithmetic(program):
    """Combine two values by an operator, broadcasting."""
    a = program.pick()
    b = normal(program, *a.ours.shape[program.rng.integers(a.ours.ndim + 1) :])
    f = program.choose(ARITHMETIC)
    return [(f(a.ours, b.ours), f(a.theirs, b.theirs))]


ARITHMETIC = [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b * b + 1),
    lambda a, b: b - 2 * a, lambda a, b: 1 / (a * a + 1) + b, lambda a, b: (a * a + 1) ** 0.5 * b,
]  # fmt: skip


def view(program):
    """Take a view of a value."""
    v = program.pick()
    f = program.choose(VIEWS)
    return [(f(v.ours, np), f(v.theirs, torch))]


VIEWS = [
    lambda x, m: x.reshape(-1), lambda x, m: x[None], lambda x, m: m.squeeze(x),
    lambda x, m: m.moveaxis(x, 0, -1) if x.ndim else x, lambda x, m: x[..., 1:] if x.ndim else x,
    lambda x, m: m.broadcast_to(x, (2, *x.shape)), lambda x, m: x[..., :1] if x.ndim else x,
    lambda x, m: m.swapaxes(x, 0, -1) if x.ndim else x,
]  # fmt: skip


def apart(program):
    """Detach a value: what follows from it has no gradient that way."""
    v = program.pick()
    with no_grad():
        return [(v.ours.detach(), v.theirs.detach())]


STEPS = [
    *[("table", table)] * 8,
    *[("layer", layer)] * 4,
    *[("arithmetic", arithmetic)] * 6,
    *[("view", view)] * 2,
    ("detach", apart),
]


# ---------------------------------------------------------------------------------------- comparing
def run(seed):
    """Grow the program of this seed and compare its gradients with PyTorch's."""
    with np.errstate(all="ignore"):
        return compare(Program(seed))


def compare(program):
    rng, kinds = program.rng, program.kinds
    outputs = [v for v in program.values[3:] if v.ours.requires_grad and v.ours.size][-3:]
    xs, ts = [v.ours for v in program.leaves], [v.theirs for v in program.leaves]
    if not outputs:
        return Found(kinds, False, "none", "")
    for v in program.values:
        problem = difference(v.ours.detach(), v.theirs)
        if problem:
            return Found(kinds, False, "none", f"value: {problem}")
    weights = [rng.normal(size=v.ours.shape) for v in outputs]
    second = bool(rng.integers(2))
    expected = torch.autograd.grad(
        [v.theirs for v in outputs], ts, [torch.tensor(w) for w in weights],
        create_graph=True, allow_unused=True,
    )  # fmt: skip
    ours = [v.ours for v in outputs]
    found = gradients(ours, xs, weights, create_graph=second, retain_graph=True)
    problem = all_differences(found, expected)
    if not problem and second:
        live = [
            (g, e) for g, e in zip(found, expected, strict=True)
            if g is not None and g.requires_grad and e is not None and e.requires_grad
        ]  # fmt: skip
        if live:
            again = gradients(sum(np.sum(g * g) for g, _ in live), xs, retain_graph=True)
            theirs = torch.autograd.grad(
                sum((e * e).sum() for _, e in live), ts, allow_unused=True, retain_graph=True
            )
            problem = all_differences(again, theirs)
            problem = problem and f"second order: {problem}"
    change = "none"
    if not problem:
        change, problem = changed_between(program, ours, xs, weights, expected)
    return Found(kinds, second, change, problem)


def changed_between(program, ours, xs, weights, expected):
    """Change a value in place, announced, and sweep: refused, or the gradient of what was."""
    value = program.choose(program.leaves).ours
    if not value.size:
        return "none", ""
    value.data -= 0.125
    try:
        found = gradients(ours, xs, weights)
    except RuntimeError as error:
        return "refused", "" if "changed in place" in str(error) else f"refused by {error}"
    problem = all_differences(found, expected)
    return "harmless", problem and f"after a change: {problem}"


def all_differences(found, expected):
    pairs = enumerate(zip(found, expected, strict=True))
    problems = (f"leaf {i}: {p}" for i, (g, e) in pairs if (p := difference(g, e)))
    return next(problems, "")


def difference(ours, theirs):
    """Say how two arrays differ, '' if they do not; None counts as zeros."""
    if ours is None and theirs is None:
        return ""
    b = None if theirs is None else theirs.detach().numpy()
    a = np.zeros(b.shape) if ours is None else ours.detach().numpy()
    b = np.zeros(a.shape) if b is None else b
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{a.shape} {a.dtype}, expected {b.shape} {b.dtype}"
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return "finite in other places"
    a, b = np.nan_to_num(a), np.nan_to_num(b)
    worst, scale = abs(a - b).max(initial=0), 1 + abs(b).max(initial=0)
    return (
        "" if worst <= 1e-9 * scale else f"off by {worst:.3g} of {scale:.3g}, {math.prod(a.shape)}"
    )
