"""Errors and the graph tell in which module they happened, and modules are freed at once."""

import gc
import weakref

import numpy as np
import pytest

from minigrad import Tensor, no_grad
from minigrad.nn import Linear, Module, Parameter, Sequential


class Nested(Module):
    def __init__(self):
        self.stages = [Sequential(first=Linear(2, 3), second=Linear(4, 2))]

    def forward(self, x):
        return self.stages[0](x)


def test_an_error_tells_the_module():
    with pytest.raises(ValueError, match="linear: x has 3 features") as caught:
        Nested()(np.ones((1, 2)))
    assert caught.value.__notes__ == ["in stages.0.second: Linear"]
    with pytest.raises(ValueError, match="flatten or reshape x first") as caught:
        Linear(2, 3)(np.ones(5))
    assert caught.value.__notes__ == ["in Linear"]


def test_the_graph_knows_the_module_of_each_node():
    model = Nested()
    model.stages[0].second = Linear(3, 2)
    x = Tensor(np.ones((1, 2), "f4"))
    for call, path in ((model, "stages.0.second: Linear"), (model.stages[0].second, "Linear")):
        y = call(x if call is model else Tensor(np.ones((1, 3), "f4"), requires_grad=True)).sum()
        with no_grad():
            model.stages[0].second.weight -= 1
        with pytest.raises(
            RuntimeError, match=rf"linear \(shape \(1, 2\), float32\) in {path} kept"
        ):
            y.backward()


class Recursive(Module):
    """Calls itself, then fails or not."""

    def __init__(self, fails):
        self.fails = fails
        self.w = Parameter([2.0])

    def forward(self, x, depth=3):
        if depth:
            return self(x, depth - 1) * self.w
        if self.fails:
            raise KeyError("no more")
        return x


def test_a_module_may_call_itself():
    y = Recursive(fails=False)(1.0)
    assert y.item() == 8
    y.backward()
    with pytest.raises(RuntimeError, match=r"multiply \(shape \(1,\), float32\) in Recursive were"):
        y.backward()


def test_the_place_is_left_when_forward_fails():
    with pytest.raises(KeyError) as caught:
        Recursive(fails=True)(1.0)
    assert caught.value.__notes__ == ["in Recursive"]
    x = Tensor([1.0], requires_grad=True)
    y = x * 2
    y.backward()
    with pytest.raises(RuntimeError, match=r"kept by multiply \(shape \(1,\), float32\) were"):
        y.backward()


def test_modules_are_freed_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        model = Nested()
        model.stages[0].second = Linear(3, 2)
        loss = model(Tensor(np.ones((1, 2), "f4"))).sum()
        loss.backward()
        gone = weakref.ref(model)
        del model, loss
        assert gone() is None
    finally:
        gc.enable()


class Keeping(Module):
    """Keeps what it computed, and so is part of a cycle: its node knows the module it is of."""

    def __init__(self):
        self.layer = Linear(2, 3)

    def forward(self, x):
        self.kept = self.layer(x)
        return self.kept


def test_a_module_that_keeps_its_output_is_freed_by_the_collector():
    model = Keeping()
    model(np.ones((1, 2), "f4"))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
