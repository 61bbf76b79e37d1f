"""Ctrl-C at any moment leaves modes, parameters and files whole.

Each place is interrupted at a few random moments; and, marked slow, at many:
`python -m pytest -m slow tests/test_interrupts.py`.
"""

import copy
import random

import numpy as np
import pytest
from interrupts import interrupted

from minigrad import Tensor, enable_grad, is_grad_enabled, nn, no_grad, optim
from minigrad import functional as F
from minigrad.files import write
from minigrad.training import Trainer
from minigrad.training.callbacks import EMA

FEW, MANY = 10, 50


def moments(count, longest):
    """Waiting times, the same in every run; where they end is up to the machine."""
    draws = random.Random(count)
    return [draws.uniform(1e-4, longest) for _ in range(count)]


def network():
    """Return a network with more than one block to a parameter, and a batch for it."""
    rng = np.random.default_rng(0)
    layers = nn.Linear(300, 200, rng=0), nn.BatchNorm1d(200), nn.ReLU(), nn.Linear(200, 5, rng=0)
    return nn.Sequential(*layers), rng.normal(size=(20, 300)).astype("f4"), rng.integers(5, size=20)


def parameters(model):
    return copy.deepcopy({name: p.data for name, p in model.named_parameters()})


def assert_as_before():
    """Check the modes of this thread: an operation is recorded, and in no module."""
    x = Tensor([2.0], requires_grad=True)
    y = x * x
    assert is_grad_enabled()
    assert y._node.module is None
    y.backward()
    assert x.grad.tolist() == [4]


# ------------------------------------------------------------------------------------ the places
def forward(count):
    """Compute a loss, and evaluate."""
    model, x, t = network()
    run = Trainer(model, optim.SGD(model.parameters()), progress=False)
    model(x)
    before = parameters(model)

    def work():
        F.cross_entropy(model(x), t)
        run.evaluate((x, t))
        model.summary(300)

    for seconds in moments(count, 0.01):
        interrupted(work, seconds)
        assert_as_before()
        assert all(module.training for module in model.modules())
        assert not any("forward" in vars(module) for module in model.modules())
        with pytest.raises(ValueError, match="no variance"):  # which only a summary lets pass
            model(x[:1])
        np.testing.assert_equal(parameters(model), before)


def backward(count):
    """Sweep."""
    model, x, t = network()
    before = parameters(model)

    def work():
        F.cross_entropy(model(x), t).backward()

    for seconds in moments(count, 0.01):
        interrupted(work, seconds)
        assert_as_before()
        np.testing.assert_equal(parameters(model), before)
        model.zero_grad()
        work()  # another sweep finds everything that it needs
        assert all(p.grad is not None for p in model.parameters())


def step(count):
    """Update: every parameter, its state and its count are those before a step, or those after."""
    model, x, t = network()
    F.cross_entropy(model(x), t).backward()
    for seconds in moments(count, 0.005):
        twin = copy.deepcopy(model)
        for p, q in zip(model.parameters(), twin.parameters(), strict=True):
            q.grad = p.grad.data.copy()
        options = {"lr": 0.01, "weight_decay": 0.1}
        opt = optim.AdamW(model.parameters(), **options)
        interrupted(opt.step, seconds)
        taken = {entry["t"] for entry in opt.state_dict()["state"].values()} or {0}
        assert len(taken) == 1
        other = optim.AdamW(twin.parameters(), **options)
        for _ in range(*taken):
            other.step()
        np.testing.assert_equal(parameters(model), parameters(twin))
        np.testing.assert_equal(opt.state_dict(), other.state_dict())
        opt.step()  # and what it keeps for the next step is whole too
        other.step()
        np.testing.assert_equal(parameters(model), parameters(twin))


def entering_no_grad(count):
    """Enter blocks that hold nothing, again and again."""
    again = no_grad()

    def work():
        with no_grad(), enable_grad(), again:
            pass

    for seconds in moments(10 * count, 1e-3):
        interrupted(work, seconds)
        assert_as_before()


def leaving_no_grad(count):
    """Leave them, by the end of a function and by an error too."""

    @no_grad()
    def nothing():
        assert not is_grad_enabled()

    def work():
        nothing()
        try:
            with no_grad():
                raise KeyError
        except KeyError:
            pass

    for seconds in moments(10 * count, 1e-3):
        interrupted(work, seconds)
        assert_as_before()


def chain():
    """Return a network of many layers, since putting them back is what is interrupted."""
    return nn.Sequential(*[nn.Linear(2, 2, rng=i) for i in range(200)]), np.ones((1, 2), "f4")


def other_values(count):
    """Call a model with other values, and put the average of its weights into it."""
    model, x = chain()
    ema = EMA()
    run = Trainer(model, optim.SGD(model.parameters()), callbacks=[ema], progress=False)
    run.fit((x, np.zeros(1, int)), epochs=1)
    state = {name: 0 * array for name, array in model.state_dict().items()}
    before = parameters(model)

    def work():
        nn.functional_call(model, state, x)
        for _ in range(5):
            with ema.applied(model):
                pass

    for seconds in moments(count, 0.01):
        interrupted(work, seconds)
        np.testing.assert_equal(parameters(model), before)
        assert all(p.requires_grad for p in model.parameters())


def tracing(count):
    """Let a model behave as for its export."""
    trace = pytest.importorskip("minigrad.onnx.trace")
    model, x = chain()
    for layer in model:
        layer.weight.requires_grad = False

    def work():
        for _ in range(5):
            with trace.evaluated(model):
                pass
        trace.run(lambda x: x * x, [x])

    for seconds in moments(count, 0.01):
        interrupted(work, seconds)
        assert_as_before()
        assert all(module.training for module in model.modules())
        assert not any(layer.weight.requires_grad for layer in model)


def writing(count, folder):
    """Write a file: it holds one of the contents, all of it."""
    path = folder / "file"
    contents = [bytes([i]) * 200_000 for i in range(4)]
    write(path, contents[0])

    def work():
        for content in contents:
            write(path, content)

    for seconds in moments(count, 0.01):
        interrupted(work, seconds)
        assert path.read_bytes() in contents
        left = [other.name for other in folder.iterdir() if other != path]
        assert all(name.endswith(".part") for name in left)


# What Python says of an interrupt in a `__del__`, which it drops, and of a file that was opened
# just before one, which it closes.
dropped = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PLACES = [forward, backward, step, entering_no_grad, leaving_no_grad, other_values, tracing]
each_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)


@dropped
@each_place
def test_an_interrupt_leaves_everything_whole(place):
    place(FEW)


@dropped
def test_an_interrupt_leaves_files_whole(tmp_path):
    writing(FEW, tmp_path)


@dropped
@pytest.mark.slow
@each_place
def test_many_interrupts_leave_everything_whole(place):
    place(MANY)


@dropped
@pytest.mark.slow
def test_many_interrupts_leave_files_whole(tmp_path):
    writing(MANY, tmp_path)
