"""The Trainer minimises the loss that a model defines, and no weight decay is ignored."""

import numpy as np
import pytest

from minigrad import functional as F
from minigrad import manual_seed, nn, optim
from minigrad.nn.models import MultiLayerNet
from minigrad.training import Trainer

rng = np.random.default_rng(0)
X = rng.normal(size=(23, 4)).astype("f4")
T = rng.integers(3, size=23)


def network(**options):
    return MultiLayerNet(4, [5], 3, rng=0, **options)


def fitted(model, **options):
    manual_seed(0)
    run = Trainer(model, optim.SGD(model.parameters(), 0.1), progress=False, **options)
    return run.fit((X, T), (X, T), epochs=2, batch_size=23)


def test_the_decay_of_a_network_counts():
    plain, decayed, by_optimizer = (network(weight_decay=decay) for decay in (0, 0.5, 0))
    history, other = fitted(plain), fitted(decayed)
    assert other.losses[0] > history.losses[0]
    assert other["accuracy"][0] == history["accuracy"][0]  # by default, of one forward pass
    run = Trainer(
        by_optimizer, optim.SGD(by_optimizer.parameters(), 0.1, weight_decay=0.5), progress=False
    )
    run.fit((X, T), epochs=2, batch_size=23)
    for name, array in by_optimizer.state_dict().items():
        np.testing.assert_allclose(decayed.state_dict()[name], array, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(
        np.array(history.losses), fitted(network(), loss=F.cross_entropy).losses
    )


def test_a_model_is_called_once_for_loss_and_metrics():
    calls = []

    class Halves(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(2, 1, rng=0)

        def forward(self, a):
            calls.append(len(a))
            return self.fc(a)

        def loss(self, a, b, t):
            return F.mse_loss(self(a), t) + F.mse_loss(self.fc(b), t)

    model = Halves()
    t = np.ones((23, 1), "f4")
    seen = []
    metrics = {"mean": lambda y, t: seen.append(y.shape) or y.data.mean()}
    run = Trainer(model, optim.SGD(model.parameters(), 0.1), metrics=metrics, progress=False)
    run.fit((X[:, :2], X[:, 2:], t), epochs=1, batch_size=10)
    assert calls == [10, 10, 3]
    assert seen == [(10, 1), (10, 1), (3, 1)]
    assert "forward" not in vars(model)
    assert list(run.history.epochs[0]) == ["epoch", "step", "loss", "mean", "lr", "seconds"]
    quiet = Trainer(model, optim.SGD(model.parameters(), 0.1), progress=False)
    assert quiet.metrics == {}  # whose loss is it?


def test_a_forward_of_an_objects_own_stays():
    model, calls = network(), []
    own = model.forward
    model.forward = watched = lambda x: calls.append(len(x)) or own(x)
    fitted(model)
    assert calls == [23] * 4  # two epochs, each with an evaluation
    assert model.forward is watched


def test_a_loss_that_never_calls_its_model_has_no_output_to_measure():
    class Own(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(4, 3, rng=0)

        def loss(self, x, t):
            return F.cross_entropy(self.fc(x), t)

    assert len(fitted(Own()).losses) == 2
    with pytest.raises(TypeError, match="its method loss does not call it: pass metrics={}"):
        fitted(Own(), metrics={"accuracy": F.accuracy})


def test_an_attribute_that_is_a_loss_is_not_meant():
    class Net(nn.Module):
        loss = nn.MSELoss()

        def __init__(self):
            self.fc = nn.Linear(4, 3, rng=0)
            self.loss = nn.MSELoss()

        def forward(self, x):
            return self.fc(x)

    history = fitted(Net())
    del Net.loss
    assert fitted(Net()).losses == history.losses
    assert "accuracy" in history.epochs[0]


@pytest.mark.parametrize(
    ("model", "options", "name"),
    [
        (network(weight_decay=5), {"loss": F.cross_entropy}, "MultiLayerNet"),
        (nn.Sequential(nn.Identity(), network(weight_decay=5)), {}, "1"),
    ],
)
def test_a_decay_that_would_be_ignored_is_refused(model, options, name):
    with pytest.raises(
        ValueError, match=rf"^Trainer: weight_decay=5 of {name} would be ignored: .* optimizer"
    ):
        fitted(model, **options)
