"""Debug mode says once, at the user's line, what spoils training."""

import sys
import types
import warnings

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, TrainingWarning, nn, optim
from minigrad import functional as F

X = np.random.default_rng(0).normal(size=(16, 6)).astype("f4")


def network(bias=0.0):
    minigrad.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1))
    net[0].bias.data[:] = bias
    return net


def loss_of(net):
    return F.mse_loss(net(X), np.zeros((16, 1), "f4"))


def caught(train):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        with minigrad.debug():
            train()
    return [w for w in found if w.category is TrainingWarning]


def test_a_forgotten_zero_grad_is_said_once_at_the_line_of_backward():
    net = network()
    step = optim.SGD(net.parameters(), lr=0.01)

    def train():
        for _ in range(4):
            loss_of(net).backward()
            step.step()

    (said,) = caught(train)
    assert "adds to the gradient" in str(said.message)
    assert "call optimizer.zero_grad() once for each step" in str(said.message)
    assert said.filename == __file__
    assert said.lineno == train.__code__.co_firstlineno + 2


def zeroed(net, step):
    for _ in range(3):
        step.zero_grad()
        loss_of(net).backward()
        step.step()


def accumulated(net, step):
    for _ in range(3):
        for _ in range(4):
            loss_of(net).backward()
        step.step()
        step.zero_grad()


def zeroed_in_place(net, step):
    for _ in range(3):
        loss_of(net).backward()
        step.step()
        for p in net.parameters():
            p.grad.data[:] = 0


@pytest.mark.parametrize("train", [zeroed, accumulated, zeroed_in_place])
def test_accumulation_before_a_step_is_no_fault(train):
    net = network()
    assert caught(lambda: train(net, optim.SGD(net.parameters(), lr=0.01))) == []


def test_dead_units_are_said_with_their_module():
    net = network(bias=-100)
    (said,) = caught(lambda: [loss_of(net), loss_of(net)])
    assert str(said.message).startswith("relu in 1: ReLU: 8 of 8 units gave 0 for all 16 examples")
    assert said.filename == __file__
    assert caught(lambda: loss_of(network())) == []


def test_an_exploding_gradient_is_said_with_its_operation():
    w = Tensor(np.ones((6, 6), "f4"), requires_grad=True, name="w")

    def train():
        y = Tensor(X) @ w
        for _ in range(6):
            y = y @ (w * 10.0)
        y.sum().backward()

    (said,) = caught(train)
    assert "root of the mean square of" in str(said.message)
    assert "matmul" in str(said.message) or "multiply" in str(said.message)
    assert said.lineno == train.__code__.co_firstlineno + 4


def test_lines_of_a_notebook_are_named_by_their_cell(monkeypatch):
    shell = types.SimpleNamespace(compile=types.SimpleNamespace(_filename_map={"/tmp/17.py": 2}))
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    code = compile("import numpy as np\n\ny = np.log(x)\n", "/tmp/17.py", "exec")
    x = Tensor([-1.0], requires_grad=True)
    error = pytest.raises(minigrad.NonFiniteError, match=r"called at cell \[2\], line 3$")
    with minigrad.debug(), np.errstate(invalid="ignore"), error:
        exec(code, {"x": x})
    with minigrad.debug(check_finite=False), np.errstate(invalid="ignore"):
        scope = {"x": x}
        exec(code, scope)
    assert "cell [2], line 3" in scope["y"].draw().source
