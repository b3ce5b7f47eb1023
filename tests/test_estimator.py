"""LabelDilution is dilute() in scikit-learn's clothes: its checks, pipelines, searches, and new points by hand."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import lend
from lend import noise
from lend.dilution import LabelDilution


def clusters(n=90, c=3, d=8, rate=0.2, seed=0):
    rng = np.random.default_rng(seed)
    true = np.arange(n) % c
    X = 3 * rng.normal(size=(c, d))[true] + rng.normal(size=(n, d))
    return X, np.where(rng.random(n) < rate, rng.integers(0, c, n), true), true


CHECKS = list(estimator_checks_generator(LabelDilution()))


@pytest.mark.filterwarnings("ignore")  # the checks warn of their own matters
@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=[check.func.__name__ for _, check in CHECKS])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_training_points_have_the_labels_of_dilute():
    X, y, _ = clusters()
    options = {"k": 5, "gamma": 2.0, "alpha": 0.9, "steps": 3, "affinity": "sum", "reserve": "initial"}
    model = LabelDilution(**options, class_prior="balanced").fit(X, y)
    Z = lend.dilute(X, y, **options, class_prior="balanced")
    np.testing.assert_array_equal(model.label_distributions_, Z)
    np.testing.assert_array_equal(model.transduction_, Z.argmax(axis=1))
    assert model.k_ == 5 and model.n_features_in_ == 8


def test_new_points_by_hand():
    X, y, _ = clusters()
    new = np.random.default_rng(1).normal(size=(7, 8))
    model = LabelDilution(k=4).fit(X, y)
    for x, row in zip(new, model.predict_proba(new), strict=True):
        cosines = X @ x / np.linalg.norm(X, axis=1) / np.linalg.norm(x)
        near = np.argsort(-cosines)[:4]
        weights = np.maximum(cosines[near], 0) ** 3
        expected = (weights[:, None] * model.label_distributions_[near]).sum(axis=0) / weights.sum()
        np.testing.assert_allclose(row, expected, atol=1e-12)


def test_strings_blocks_and_a_point_without_neighbours(monkeypatch):
    X, y, true = clusters()
    names = np.array(["cat", "dog", "emu"])
    model = LabelDilution(k=6).fit(X, names[y])
    assert list(model.classes_) == list(names) and (model.predict(X) == names[true]).mean() > 0.95
    whole = model.predict_proba(X)
    monkeypatch.setattr("lend.dilution.estimator.BLOCK", 300)
    np.testing.assert_allclose(model.predict_proba(X), whole, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(np.zeros((1, 8)))[0], model.label_distributions_.mean(axis=0))


def test_few_points_take_all_others_as_neighbours():
    X, y, _ = clusters(n=6)
    model = LabelDilution(k=50).fit(X, y)
    assert model.k_ == 5 and model.k == 50
    with pytest.raises(ValueError, match="minimum of 2"):
        model.fit(X[:1], y[:1])


@pytest.mark.parametrize(("name", "value"), [("k", 0), ("alpha", 1.0), ("steps", 0), ("affinity", "mean")])
def test_bad_settings(name, value):
    X, y, _ = clusters()
    with pytest.raises(ValueError, match=f"{name} must be"):
        LabelDilution(**{name: value}).fit(X, y)


def test_pipeline_search_and_clone():
    X, y, _ = clusters()
    pipeline = make_pipeline(StandardScaler(), LabelDilution(steps=1))
    search = GridSearchCV(pipeline, {"labeldilution__k": [3, 9], "labeldilution__steps": [1, 2]}, cv=3).fit(X, y)
    assert search.best_params_["labeldilution__k"] in (3, 9) and search.predict(X[:4]).shape == (4,)
    copy = clone(search.best_estimator_)
    assert copy.get_params() == search.best_estimator_.get_params() | {
        name: copy.get_params()[name] for name in ("steps", "standardscaler", "labeldilution")
    }


def test_it_learns_digits_from_noisy_labels():
    X, y = load_digits(return_X_y=True)
    noisy = noise.corrupt(y, noise.symmetric(10, 0.4), 0)
    model = LabelDilution().fit(X[:1200], noisy[:1200])
    assert (model.transduction_ == y[:1200]).mean() > 0.95
    assert (model.predict(X[1200:]) == y[1200:]).mean() > 0.9
    assert cross_val_score(LabelDilution(), X[:600], y[:600], cv=3).mean() > 0.85
