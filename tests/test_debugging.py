"""Debug mode finds the first NaN, names the line that made it, and catches writes in place."""

import gc
import inspect

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, nn
from minigrad import functional as F


def here(offset=0):
    return inspect.currentframe().f_back.f_lineno + offset


def test_a_nan_in_a_result_names_operation_line_and_module():
    class Root(nn.Module):
        def __init__(self):
            self.scale = nn.Parameter([-1.0, 4.0], name="scale")

        def forward(self, x):
            return np.sqrt(self.scale) * x

    class Net(nn.Module):
        def __init__(self):
            self.inner = Root()

        def forward(self, x):
            return self.inner(x)

    invalid = np.errstate(invalid="ignore")
    with minigrad.debug(), invalid, pytest.raises(minigrad.NonFiniteError) as caught:
        Net()(np.ones(2, np.float32))
    message = str(caught.value)
    line = inspect.getsourcelines(Root.forward)[1] + 1
    assert message.startswith("sqrt: 1 of 2 values is not finite (1 NaN, 0 infinite)")
    assert "(shape (2,), float32)" in message
    assert "in inner: Root" in message
    assert f"{__file__}:{line} in forward" in message


def test_a_nan_that_came_in_is_not_blamed_on_the_next_operation():
    x = Tensor([np.nan, 1.0], requires_grad=True)
    with minigrad.debug():
        assert np.isnan((x * 2).data[0])


def test_an_infinite_gradient_names_the_argument_and_the_line():
    x = Tensor([0.0, 1.0], requires_grad=True, name="x")
    with minigrad.debug(), np.errstate(divide="ignore"):
        line = here(1)
        y = np.sqrt(x).sum()
        with pytest.raises(minigrad.NonFiniteError) as caught:
            y.backward()
    message = str(caught.value)
    assert (
        "1 of 2 values is not finite (0 NaN, 1 infinite) in the gradient for argument 0" in message
    )
    assert f"sqrt (shape (2,), float32) at {__file__}:{line}" in message


def test_checks_can_be_left_out():
    with minigrad.debug(check_finite=False), np.errstate(divide="ignore"):
        assert np.isinf(np.log(Tensor([0.0], requires_grad=True)).data).all()


@pytest.mark.parametrize(
    "make",
    [lambda w: w, lambda w: w[1:], lambda w: w.reshape(3, 1).T],
    ids=["itself", "slice", "view of a view"],
)
def test_recorded_arrays_are_read_only_until_they_are_released(make):
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    with minigrad.debug():
        y = (make(w) * make(w)).sum()
        with pytest.raises(ValueError, match="read-only"):
            w.data[0] = 5.0
        y.backward()
        w.data[0] = 5.0  # released
        z = (make(w) * make(w)).sum()
        with pytest.raises(ValueError, match="read-only"):
            w.data -= 1
        del z  # the graph is gone
        gc.collect()
        w.data -= 1
    assert w.data.tolist() == [4.0, 1.0, 2.0]


def test_leaving_debug_mode_lets_go_of_what_is_still_recorded():
    w = Tensor([1.0], requires_grad=True)
    with minigrad.debug():
        y = w * w
    w.data[0] = 2.0
    assert y.item() == 1.0


def test_training_runs_the_same_inside():
    def losses(inside):
        minigrad.manual_seed(0)
        model = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3))
        optimizer = minigrad.optim.Adam(model.parameters())
        rng = np.random.default_rng(0)
        x, t = rng.normal(size=(8, 5)).astype(np.float32), rng.integers(0, 3, 8)
        values = []
        with inside:
            for _ in range(3):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(Tensor(x)), t)
                loss.backward()
                optimizer.step()
                values.append(loss.item())
        return values

    assert losses(minigrad.debug()) == losses(minigrad.enable_grad())


def test_errors_of_the_engine_show_the_line_too():
    x = Tensor([2.0], requires_grad=True)
    with minigrad.debug():
        line = here(1)
        y = np.exp(x)
        y.backward()
        with pytest.raises(RuntimeError, match=rf"test_debugging.py:{line} in"):
            y.backward()


def test_it_nests_and_ends():
    with minigrad.debug() as outer, minigrad.debug() as inner:
        assert minigrad.autograd.local.mode.debug is inner
        with minigrad.no_grad():
            assert minigrad.autograd.local.mode.debug is inner
    assert outer is not inner
    assert minigrad.autograd.local.mode.debug is None
