"""What the update rules refuse, and how they say it."""

import numpy as np
import pytest

from minigrad import Tensor
from minigrad.optim import SGD, Adam, AdamW, Momentum, RMSprop


def ready(*shapes, rule=SGD):
    params = [Tensor(np.ones(shape), requires_grad=True) for shape in shapes or [(2,)]]
    for p in params:
        p.grad = np.ones(p.shape)
    return rule(params)


def load(state, **changed):
    saved = ready(rule=Adam).state_dict()
    ready(rule=Adam).load_state_dict({**saved, "state": state, **changed})


def frozen():
    array = np.ones(2)
    array.flags.writeable = False
    return array


P = Tensor(np.ones((2, 2)), requires_grad=True)
ERRORS = [
    (lambda: SGD([]), ValueError, "SGD: got no parameters: does the model have any?"),
    (lambda: SGD(P), TypeError, r"an iterable of Tensors, such as .*, got Tensor"),
    (lambda: SGD(0.1), TypeError, r"got float; for update\(params, grads\) write SGD\(lr=...\)"),
    (lambda: SGD({"w": P}), TypeError, "such as model.parameters.*, got dict"),
    (lambda: SGD([np.ones(2)]), TypeError, "SGD: parameters must be real floating point Tensors"),
    (lambda: SGD([Tensor([1, 2])]), TypeError, "must be real floating point Tensors .* got Tensor"),
    (lambda: SGD([P * 2]), TypeError, "Tensors that no operation computed, got Tensor"),
    (lambda: SGD([P, P]), ValueError, r"SGD: a parameter of shape \(2, 2\) is listed twice"),
    (lambda: SGD([{"params": [P]}, {"params": [P]}]), ValueError, "is listed twice"),
    (lambda: SGD([{"params": [P], "momentum": 1}]), TypeError,
     r"SGD: unknown option \['momentum'\] in a parameter group: it takes \['lr', 'weight_decay'\]"),
    (lambda: SGD([{"lr": 1}]), TypeError, "SGD: expected groups such as .*, got {'lr': 1}"),
    (lambda: SGD([{"params": [P]}, P]), TypeError, "SGD: expected groups such as"),
    (lambda: SGD([{"params": [P], "lr": -1}]), ValueError, "SGD: lr must be .* < inf, got -1"),
    (lambda: SGD(lr=-0.1), ValueError, "SGD: lr must be >= 0 and < inf, got -0.1"),
    (lambda: SGD(lr=np.nan), ValueError, "SGD: lr must be >= 0 and < inf, got nan"),
    (lambda: SGD(lr=np.inf), ValueError, "SGD: lr must be >= 0 and < inf, got inf"),
    (lambda: SGD(lr="fast"), ValueError, "SGD: lr must be >= 0 and < inf, got 'fast'"),
    (lambda: setattr(SGD(), "lr", -2), ValueError, "SGD: lr must be >= 0 and < inf, got -2"),
    (lambda: SGD(weight_decay=-1), ValueError, "SGD: weight_decay must be >= 0 and < inf, got -1"),
    (lambda: Adam(beta1=1.0), ValueError, "Adam: beta1 must be >= 0 and < 1, got 1.0"),
    (lambda: RMSprop(decay_rate=2), ValueError, "RMSprop: decay_rate must be >= 0 and < 1, got 2"),
    (lambda: SGD(momentum=0.9), TypeError,
     r"unexpected keyword argument 'momentum': use Momentum\(params, lr, momentum=0.9\)"),
    (lambda: Adam(betas=(0.9, 0.99)), TypeError, "argument 'betas': write beta1= and beta2="),
    (lambda: AdamW([P], learning_rate=0.1), TypeError, "'learning_rate': write lr="),
    (lambda: SGD(speed=0.9), TypeError, "unexpected keyword argument 'speed'$"),
    (lambda: SGD().step(), RuntimeError, "SGD.step: it was made without param"),
    (lambda: SGD([P]).step(), RuntimeError,
     r"SGD.step: no parameter has a gradient: call loss.backward\(\) first"),
    (lambda: SGD().update({"w": np.ones(2)}, {}), ValueError,
     "SGD.update: no gradient for 'w' in grads"),
    (lambda: SGD().update([np.ones(2)], [np.ones(2)]), TypeError, "SGD.update: expected two dicts"),
    (lambda: SGD().update({"w": 1.0}, {"w": 1.0}), TypeError,
     r"update: params\['w'\] must be a floating point array .* got 1.0"),
    (lambda: SGD().update({"w": np.ones(2, int)}, {"w": np.ones(2)}), TypeError, r"params\['w'\]"),
    (lambda: SGD().update({"w": frozen()}, {"w": np.ones(2)}), TypeError, "that can be written to"),
    (lambda: ready(rule=Adam).load_state_dict(SGD().state_dict()), ValueError,
     "load_state_dict: expected the state of Adam, got 'SGD'"),
    (lambda: ready().load_state_dict(None), ValueError, "expected the state of SGD, got None"),
    (lambda: ready().load_state_dict({"rule": "SGD", "groups": []}), ValueError,
     r"load_state_dict: the state of SGD lacks \['defaults', 'state'\]"),
    (lambda: load({0: {"m": [1, 1], "v": [1, 1]}}), ValueError,
     r"of parameter 0 expected \['t', 'm', 'v'\], got \['m', 'v'\]"),
    (lambda: load({"0": {"t": 1, "v": [1, 1]}}), ValueError, r"of parameter 0 .* got \['t', 'v'\]"),
    (lambda: load({0: {"t": 1, "m": [1, 1], "v": [1, 1], "n": 0}}), ValueError, "parameter 0 exp"),
    (lambda: load({0: {"t": 0, "m": [1, 1], "v": [1, 1]}}), ValueError,
     "t of parameter 0 must be 1 or more, got 0"),
    (lambda: load({0: {"t": "1", "m": [1, 1], "v": [1, 1]}}), TypeError, "t of parameter 0 must"),
    (lambda: load({0: {"t": 1, "m": "ab", "v": [1, 1]}}), ValueError, "m of parameter 0 holds <U2"),
    (lambda: load({"w": {"t": 1, "m": [1, 1], "v": [1, 1]}}), ValueError,
     "the state is of a parameter 'w', expected positions from 0 to 0"),
    (lambda: load({1: {"t": 1, "m": [1, 1], "v": [1, 1]}}), ValueError, "is of a parameter 1, exp"),
    (lambda: load({}, groups=[{"params": 1, "lr": 1, "momentum": 1}]), ValueError,
     r"options \['beta1', 'beta2', 'eps', 'lr', 'weight_decay'\], got \['lr', 'momentum'\]"),
    (lambda: ready((2,), (3,)).load_state_dict(ready().state_dict()), ValueError,
     r"load_state_dict: expected groups of \[2\] parameters, got \[1\]"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_say_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_state_of_other_sizes_is_refused():
    saved = ready((2,), (3,), rule=Adam)
    saved.step()
    with pytest.raises(ValueError, match="m of parameter 1 has 3 values, expected 4"):
        ready((2,), (4,), rule=Adam).load_state_dict(saved.state_dict())


@pytest.mark.parametrize("size", [3, 40_000], ids=["small", "large"])
@pytest.mark.parametrize("rule", [SGD, Momentum])
def test_parameters_that_share_memory_are_refused(rule, size):
    array = np.ones(size)
    a, b, c = (Tensor(0.0, requires_grad=True) for _ in range(3))
    a.data, b.data, c.data = array, array[1:], np.ones(size)
    a.grad, b.grad, c.grad = np.ones(size), np.ones(size - 1), np.ones(size)
    with pytest.raises(ValueError, match="parameters 1 and 2 share memory, .* use one parameter"):
        rule([c, a, b]).step()
    with pytest.raises(ValueError, match=r"\('update', 'x'\) and .* share memory"):
        rule().update({"x": array, "y": array}, {"x": array * 1, "y": array * 1})
    b.data, b.grad = array[: size // 2], np.ones(size // 2)
    a.data, a.grad = array[size // 2 :], np.ones(size - size // 2)
    rule([a, b], lr=0.5).step()  # halves of one array may be two parameters
    assert (array == 0.5).all()


def test_a_read_only_parameter_stops_a_step_before_it_begins():
    opt = ready((2,), (3,))
    (_, q) = opt.param_groups[0]["params"]
    q.data.flags.writeable = False
    with pytest.raises(
        ValueError, match=r"SGD: parameter 1 of shape \(3,\) is read-only, but a st"
    ):
        opt.step()
    assert all((p.data == 1).all() for p in opt.param_groups[0]["params"])


def test_a_wrong_gradient_leaves_every_parameter_as_it_was():
    arrays = {"a": np.ones((2, 2)), "b": np.ones(3)}
    opt = AdamW()
    with pytest.raises(ValueError, match=r"AdamW: parameter .*'b'.* has shape \(3,\), .* \(2,\)"):
        opt.update(arrays, {"a": np.ones((2, 2)), "b": np.ones(2)})
    assert all((array == 1).all() for array in arrays.values())
    assert opt.state_dict()["state"] == {}
