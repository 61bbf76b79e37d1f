"""The estimators keep scikit-learn's contract, and work where its own do."""

import pickle

import numpy as np
import pytest

from minigrad import nn, optim

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from minigrad.sklearn import NeuralNetClassifier, NeuralNetRegressor

X, T = load_iris(return_X_y=True)
BOTH = [NeuralNetClassifier, NeuralNetRegressor]


@pytest.mark.slow
@pytest.mark.parametrize("kind", BOTH)
def test_the_contract_holds(kind):
    found = check_estimator(kind(), on_skip=None)
    assert {one["check_name"] for one in found if one["status"] != "passed"} <= {
        "check_array_api_input"  # needs a setting of SciPy
    }


def two_layers(features, outputs, rng):
    hidden = nn.Linear(features, 20, rng=rng)
    return nn.Sequential(
        hidden, nn.Tanh(), nn.Dropout(0.1, rng=rng), nn.Linear(20, outputs, rng=rng)
    )


@pytest.mark.parametrize("module", [None, two_layers])
def test_a_classifier_learns_and_names_its_classes(module):
    names = np.array(["setosa", "versicolor", "virginica"])
    model = NeuralNetClassifier(module, epochs=60, lr=0.01, random_state=0).fit(X, names[T])
    assert model.score(X, names[T]) > 0.95
    assert model.classes_.tolist() == names.tolist()
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1)
    assert len(model.history_.epochs) == 60


@pytest.mark.parametrize("columns", [None, 1, 2])
def test_a_regressor_gives_the_shape_of_its_targets(columns):
    x, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    y = y if columns is None else np.stack([y] * columns, axis=1)
    model = make_pipeline(StandardScaler(), NeuralNetRegressor(epochs=40, random_state=0))
    assert model.fit(x, y).predict(x).shape == y.shape
    assert model.score(x, y) > 0.5


@pytest.mark.parametrize("kind", BOTH)
def test_the_same_state_gives_the_same_network(kind):
    model = kind(epochs=3, random_state=5, optimizer=optim.Momentum)
    first = model.fit(X, T).predict(X)
    assert np.array_equal(clone(model).fit(X, T).predict(X), first)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), first)
    assert not np.array_equal(clone(model).set_params(random_state=6).fit(X, T).predict(X), first)


def test_single_precision_stays_single():
    model = NeuralNetClassifier(epochs=2, dtype="float32", random_state=0).fit(X, T)
    assert model.predict_proba(X).dtype == np.float32


def test_cross_validation():
    model = make_pipeline(StandardScaler(), NeuralNetClassifier(random_state=0))
    assert cross_val_score(model, X, T, cv=3).mean() > 0.9


@pytest.mark.slow
def test_a_grid_search_gives_the_same_with_two_jobs():
    model = make_pipeline(
        StandardScaler(), NeuralNetClassifier(two_layers, epochs=10, random_state=0)
    )
    grid = {
        "neuralnetclassifier__lr": [0.001, 0.01],
        "neuralnetclassifier__optimizer": [optim.SGD, optim.Adam],
    }
    one, two = (GridSearchCV(model, grid, cv=3, n_jobs=n).fit(X, T) for n in (1, 2))
    assert one.best_params_ == two.best_params_
    assert np.array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert np.array_equal(one.predict_proba(X), two.predict_proba(X))
