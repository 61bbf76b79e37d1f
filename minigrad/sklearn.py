"""Estimators for scikit-learn: a network behind `fit`, `predict` and `score`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad import functional as F
from minigrad import nn, optim
from minigrad.autograd import Array, no_grad
from minigrad.checks import needing
from minigrad.data import DataLoader
from minigrad.training import Trainer

with needing("scikit-learn", "minigrad.sklearn"):
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["NeuralNetClassifier", "NeuralNetRegressor"]

ROWS = 4096  # that are predicted at once


class _NeuralNet(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: the arguments, and the training."""

    def __init__(
        self,
        module: Callable[..., nn.Module] | None = None,
        *,
        hidden: tuple[int, ...] = (100,),
        optimizer: type[optim.Optimizer] = optim.Adam,
        lr: float = 0.005,
        weight_decay: float = 0.0,
        epochs: int = 100,
        batch_size: int = 100,
        dtype: DTypeLike = "float64",
        random_state: int | np.random.RandomState | None = None,
        progress: bool | str = False,
    ):
        self.module = module
        self.hidden = hidden
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.dtype = dtype
        self.random_state = random_state
        self.progress = progress

    def _train(self, x: Array, t: Array, outputs: int, loss: Callable[..., Any]) -> Self:
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        rng = np.random.default_rng(seed)
        make = self.module or self._perceptron
        self.model_ = make(x.shape[1], outputs, rng).astype(self.dtype)
        optimizer = self.optimizer(
            self.model_.parameters(), lr=self.lr, weight_decay=self.weight_decay
        )
        trainer = Trainer(self.model_, optimizer, loss, progress=self.progress)
        batches = DataLoader(x, t, batch_size=self.batch_size, shuffle=True, rng=rng)
        self.history_ = trainer.fit(batches, epochs=self.epochs)
        self.model_.eval()
        return self

    def _perceptron(self, inputs: int, outputs: int, rng: np.random.Generator) -> nn.Module:
        layers: list[nn.Module] = []
        for width in self.hidden:
            layers += [nn.Linear(inputs, width, rng=rng), nn.ReLU()]
            inputs = width
        return nn.Sequential(*layers, nn.Linear(inputs, outputs, init="xavier", rng=rng))

    def _output(self, X: ArrayLike) -> Array:
        check_is_fitted(self)
        x = validate_data(self, X, reset=False, dtype=np.dtype(self.dtype))
        with no_grad():
            parts = [self.model_(x[i : i + ROWS]).data for i in range(0, len(x), ROWS)]
        return np.concatenate(parts)


class NeuralNetClassifier(ClassifierMixin, _NeuralNet):  # type: ignore[misc]
    """A network that classifies, trained with the cross entropy.

    Parameters
    ----------
    module : callable, optional
        `module(n_features, n_classes, rng)` returns the network, whose output are logits; draw
        weights and dropouts from `rng`, so that `random_state` decides them. By default linear
        layers with ReLUs between them, as wide as `hidden` says.
    hidden : tuple of int
        Widths of the hidden layers, where `module` is not given.
    optimizer : Optimizer class
        Of `minigrad.optim`.
    lr, weight_decay : float
        The optimizer's.
    epochs, batch_size : int
        The trainer's and the loader's.
    dtype : dtype
        What is computed in; float32 is up to twice as fast.
    random_state : int, RandomState or None
        Draws weights and the order of batches: the same number, the same network.
    progress : bool or str
        As for `Trainer`.

    Attributes
    ----------
    model_ : Module
        The trained network.
    history_ : History
        What was measured while training.
    classes_ : ndarray
        The labels, sorted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> x, t = load_iris(return_X_y=True)
    >>> NeuralNetClassifier(epochs=60, random_state=0).fit(x, t).score(x, t) > 0.9
    True
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a new network.

        Parameters
        ----------
        X : array_like
            Shape (n, n_features), finite.
        y : array_like
            Labels of any kind, shape (n,).
        """
        x, labels = validate_data(self, X, y, dtype=np.dtype(self.dtype))
        check_classification_targets(labels)
        self.classes_, t = np.unique(labels, return_inverse=True)
        return self._train(x, t, len(self.classes_), F.cross_entropy)

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probability of each class, shape (n, n_classes)."""
        return np.asarray(F.softmax(self._output(X), axis=1))

    def predict(self, X: ArrayLike) -> Array:
        """Return the most probable label of each row, shape (n,)."""
        which = self._output(X).argmax(axis=1)
        return np.asarray(self.classes_[which])


class NeuralNetRegressor(RegressorMixin, _NeuralNet):  # type: ignore[misc]
    """A network that predicts numbers, trained with the mean squared error.

    Parameters
    ----------
    module : callable, optional
        `module(n_features, n_outputs, rng)` returns the network.
    hidden, optimizer, lr, weight_decay, epochs, batch_size, dtype, random_state, progress
        As for `NeuralNetClassifier`.

    Attributes
    ----------
    model_, history_
        As for `NeuralNetClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> x, t = load_diabetes(return_X_y=True)
    >>> x, t = x / x.std(axis=0), t / t.std()
    >>> NeuralNetRegressor(epochs=30, random_state=0).fit(x, t).score(x, t) > 0.5
    True
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a new network.

        Parameters
        ----------
        X : array_like
            Shape (n, n_features), finite.
        y : array_like
            Numbers, shape (n,) or (n, n_outputs).
        """
        dtype = np.dtype(self.dtype)
        x, t = validate_data(self, X, y, dtype=dtype, multi_output=True, y_numeric=True)
        self._flat = t.ndim == 1
        t = np.asarray(t, dtype).reshape(len(t), -1)
        return self._train(x, t, t.shape[1], F.mse_loss)

    def predict(self, X: ArrayLike) -> Array:
        """Return what the network gives, in the shape of the `y` that it was trained with."""
        y = self._output(X)
        return y[:, 0] if self._flat else y
