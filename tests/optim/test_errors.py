"""What the update rules refuse, and how they say it."""

import numpy as np
import pytest

from minigrad import Tensor
from minigrad.optim import SGD, Adam, AdamW, RMSprop


def ready(*shapes, rule=SGD):
    params = [Tensor(np.ones(shape), requires_grad=True) for shape in shapes or [(2,)]]
    for p in params:
        p.grad = np.ones(p.shape)
    return rule(params)


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
    (lambda: SGD([np.ones(2)]), TypeError, "SGD: parameters must be floating point Tensors"),
    (lambda: SGD([Tensor([1, 2])]), TypeError, "must be floating point Tensors .* got Tensor"),
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
    (lambda: SGD(momentum=0.9), TypeError, "unexpected keyword argument 'momentum'"),
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


def test_a_wrong_gradient_leaves_every_parameter_as_it_was():
    arrays = {"a": np.ones((2, 2)), "b": np.ones(3)}
    opt = AdamW()
    with pytest.raises(ValueError, match=r"AdamW: parameter .*'b'.* has shape \(3,\), .* \(2,\)"):
        opt.update(arrays, {"a": np.ones((2, 2)), "b": np.ones(2)})
    assert all((array == 1).all() for array in arrays.values())
    assert opt.state_dict()["state"] == {}
