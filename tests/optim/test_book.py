"""The book's update rules: minigrad takes the same steps, to the last bit."""

import numpy as np
import pytest
from book import OPTIMIZERS, SETTINGS, VALLEY

from minigrad import Tensor, optim

PARAMETERS = "Wbs"


@pytest.mark.parametrize("rule", SETTINGS)
def test_rule_by_step(rule):
    params = [Tensor(OPTIMIZERS[f"start/{k}"], requires_grad=True) for k in PARAMETERS]
    optimizer = getattr(optim, rule)(params, **SETTINGS[rule])
    for t in range(60):
        for p, k in zip(params, PARAMETERS, strict=True):
            p.grad = OPTIMIZERS[f"grad/{k}"][t]
        optimizer.step()
        for p, k in zip(params, PARAMETERS, strict=True):
            np.testing.assert_array_equal(p.data, OPTIMIZERS[f"{rule}/{k}"][t], strict=True)


@pytest.mark.parametrize("defaults", [False, True], ids=["settings", "defaults"])
@pytest.mark.parametrize("rule", SETTINGS)
def test_rule_by_update(rule, defaults):
    optimizer = getattr(optim, rule)(**({} if defaults else SETTINGS[rule]))
    params = {k: OPTIMIZERS[f"start/{k}"].copy() for k in PARAMETERS}
    arrays = dict(params)
    for t in range(60):
        optimizer.update(params, {k: OPTIMIZERS[f"grad/{k}"][t] for k in PARAMETERS})
        for k in PARAMETERS:
            np.testing.assert_array_equal(params[k], OPTIMIZERS[f"{rule}/{k}"][t], strict=True)
            assert params[k] is arrays[k]  # in place: the layers keep these very arrays


@pytest.mark.parametrize(
    ("rule", "lr"), [("SGD", 0.95), ("Momentum", 0.1), ("AdaGrad", 1.5), ("Adam", 0.3)]
)
@pytest.mark.parametrize("call", ["step", "update"])
def test_path_through_the_valley(rule, lr, call):
    x, y = (Tensor(v, requires_grad=True) for v in np.array([-7.0, 2.0]))
    optimizer = getattr(optim, rule)([x, y] if call == "step" else None, lr=lr)
    points = [(x.item(), y.item())]
    for _ in range(30):
        slopes = x.data / 10.0, 2.0 * y.data
        if call == "step":
            x.grad, y.grad = slopes
            optimizer.step()
        else:
            optimizer.update({"x": x.data, "y": y.data}, dict(zip("xy", slopes, strict=True)))
        points.append((x.item(), y.item()))
    np.testing.assert_array_equal(np.array(points), VALLEY[rule])
