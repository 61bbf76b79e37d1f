"""Work that uses all of the engine, with results that are the same wherever it is done."""

import numpy as np
import pytest

from minigrad import Tensor, debug, gradients, is_grad_enabled, nn, no_grad, optim
from minigrad import functional as F


def trained(seed, steps=6):
    """Record, sweep, retain a gradient, differentiate twice, evaluate, update."""
    rng = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Linear(6, 8, rng=seed), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3, rng=seed)
    )
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    results = []
    for _ in range(steps):
        x, t = Tensor(rng.normal(size=(5, 6)).astype("f4"), True), rng.integers(3, size=5)
        hidden = model[0](x)
        hidden.retain_grad()
        loss = F.cross_entropy(model[3](model[2](model[1](hidden))), t)
        optimizer.zero_grad()
        (slope,) = gradients(loss, [x], create_graph=True)
        (loss + (slope * slope).sum()).backward()
        results += [hidden.grad.data, x.grad.data]
        optimizer.step()
        with no_grad():
            results.append(model(x).data)
            assert not is_grad_enabled()
    return [*results, *model.state_dict().values()]


def debugged(seed):
    """Train in debug mode, which holds arrays read-only and tells where a NaN came from."""
    with debug():
        results = trained(seed, steps=2)
        x = Tensor([-1.0 - seed], requires_grad=True)
        with np.errstate(invalid="ignore"), pytest.raises(FloatingPointError, match="log"):
            np.log(x)
    return results


def drawn(seed):
    """Draw a model and write a summary."""
    model = nn.Sequential(nn.Linear(4, 3 + seed, rng=0), nn.ReLU(), nn.Linear(3 + seed, 2, rng=0))
    picture = model.draw(np.ones((1, 4), "f4"), gradients=True).source
    return [np.array([picture, repr(model.summary(4))])]


KINDS = [trained, drawn, trained, debugged]  # the threads take turns among these


def work(number):
    return KINDS[number % len(KINDS)](number)


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def in_process(number, connection):
    connection.send(work(number))
    connection.close()
