"""The classifier beside the neighbours, and what both say together."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from test_auditing import clusters, given_labels

from lend import audit, knn_graph
from lend.auditing.classifier import STRENGTHS, best_strength, held_out_shares
from lend.auditing.features import DIRECTIONS, features
from lend.auditing.regression import fit_folds
from lend.auditing.scores import joined

RNG = np.random.default_rng


@pytest.mark.parametrize("large", [8192, 20])
def test_each_fold_is_the_regression_of_scikit_learn_on_the_others(monkeypatch, large):
    """From zero, and from what a part of the examples says."""
    monkeypatch.setattr("lend.auditing.regression.LARGE", large)
    V, y = clusters(n=300, spread=0.6)
    X, folds = features(V.astype(np.float32)), torch.arange(300) % 3
    W = fit_folds(X, torch.eye(4)[torch.from_numpy(y)], folds, 3, strength=2.0, tolerance=1e-5)
    for fold in range(3):
        learned = (folds != fold).numpy()
        model = LogisticRegression(C=1 / 2.0, tol=1e-8, max_iter=1000).fit(X[learned, :-1], y[learned])
        ours = (X @ W[fold]).softmax(dim=1).numpy()
        np.testing.assert_allclose(ours, model.predict_proba(X[:, :-1]), atol=0.01)


def test_soft_targets_are_examples_of_each_class_in_their_share():
    V, y = clusters(n=200, spread=0.6)
    X, soft = features(V.astype(np.float32)), RNG(0).dirichlet(np.ones(4), 200)
    W = fit_folds(X, torch.from_numpy(soft).float(), torch.arange(200) % 2, 2, 1.0, 1e-5)[0]
    learned = np.arange(200) % 2 == 1
    rows, classes = np.repeat(np.flatnonzero(learned), 4), np.tile(np.arange(4), learned.sum())
    model = LogisticRegression(tol=1e-8, max_iter=1000)
    model.fit(X[rows, :-1], classes, sample_weight=soft[learned].ravel())
    np.testing.assert_allclose((X @ W).softmax(dim=1).numpy(), model.predict_proba(X[:, :-1]), atol=0.01)


@pytest.mark.parametrize("large", [8192, 20])
def test_a_fold_learns_nothing_from_its_own_labels(monkeypatch, large):
    monkeypatch.setattr("lend.auditing.regression.LARGE", large)
    V, y = clusters(n=200)
    X, targets, folds = features(V.astype(np.float32)), torch.eye(4)[torch.from_numpy(y)], torch.arange(200) % 5
    changed = torch.where(folds[:, None] == 0, targets.roll(1, dims=1), targets)
    before, after = ((X @ fit_folds(X, t, folds, 5, 1.0)).softmax(dim=2) for t in (targets, changed))
    assert torch.equal(before[0], after[0]) and (before[1] - after[1]).abs().mean() > 0.05


def test_features_are_standardised_and_uncorrelated_whatever_the_scale():
    V = RNG(0).normal(size=(500, 6)) * [1, 5, 1, 1, 1, 1] @ RNG(1).normal(size=(6, 6))
    X = features(V.astype(np.float32)).double()
    moments = (X.T @ X / 500).numpy()
    np.testing.assert_allclose(moments, np.diag(np.diag(moments)), atol=1e-4)
    assert np.trace(moments) == pytest.approx(7, abs=1e-3) and (X[:, -1] == 1).all()
    np.testing.assert_allclose(features(1e30 * V).abs(), X.abs(), atol=1e-3)
    few, many = (features(V[:4].astype(np.float32))[:, :-1].double() for V in (V, np.tile(V, 2)))
    np.testing.assert_allclose(few @ few.T, many @ many.T / 2, atol=1e-3)
    assert features(np.ones((10, 3), dtype=np.float32) + np.arange(3, dtype=np.float32)).isfinite().all()


def test_wide_and_sparse_embeddings_keep_their_directions():
    generator = RNG(0)
    y = generator.integers(0, 3, 400)
    wide = generator.normal(size=(3, 3000))[y] + generator.normal(size=(400, 3000))
    assert features(wide.astype(np.float32)).shape == (400, DIRECTIONS + 1)
    own = np.arange(900) // 300 == y[:, None]  # words of the own class are more frequent
    words = generator.random((400, 900)) < np.where(own, 0.06, 0.01)
    targets, folds = np.eye(3)[y], np.arange(400) % 5
    for matrix in (wide, csr_array(words * 1.0)):
        shares = held_out_shares([matrix], targets, np.arange(400), folds, seed=0)
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        assert (shares.argmax(axis=1) == y).mean() > 0.9


def test_the_strength_that_tells_best_is_taken():
    generator = RNG(0)
    y = generator.integers(0, 2, 400)
    noise_alone = features(generator.normal(size=(400, 100)).astype(np.float32))
    assert best_strength(noise_alone, torch.eye(2)[torch.from_numpy(y)]) == max(STRENGTHS)
    told = features((np.eye(2)[y] + 0.01 * generator.normal(size=(400, 2))).astype(np.float32))
    assert best_strength(told, torch.eye(2)[torch.from_numpy(y)]) == min(STRENGTHS)


def test_two_witnesses_by_hand():
    both = joined(np.array([[0.8, 0.2], [0.5, 0.5]]), np.array([[0.6, 0.4], [0.5, 0.5]]), np.array([0.75, 0.25]))
    np.testing.assert_allclose(both, [[0.64 / 0.96, 0.32 / 0.96], [0.25, 0.75]])
    np.testing.assert_allclose(joined(np.array([[1.0, 0]]), np.array([[0, 1.0]]), np.array([0.5, 0.5])), [[1, 0]])


def test_together_they_find_more_than_the_neighbours_alone():
    """Where classes are long and narrow, neighbours are of many classes, but one direction tells them."""
    generator = RNG(0)
    true = np.arange(1500) % 3
    V = np.concatenate([2 * np.eye(3)[true], 2 * generator.normal(size=(1500, 12))], axis=1)
    V += 0.5 * generator.normal(size=V.shape)
    given = given_labels(V, true, "symmetric", 0.3)
    precision = {}
    for method in ("neighbors", "joined"):
        found = audit(V, given, method=method, progress=False)
        precision[method] = average_precision_score(given != true, -found.issues["label_score"])
        assert found.settings["method"] == method
    assert precision["joined"] > precision["neighbors"] + 0.1


def test_what_each_witness_says_is_in_the_table():
    V, true = clusters(n=300)
    labels = true.astype(float)
    labels[5] = np.nan
    issues = audit(V, labels, k=6, progress=False).issues
    for name in ("neighbors_score", "classifier_score"):
        assert issues[name].drop(5).between(0, 1).all() and np.isnan(issues[name][5])
    alone = audit(V, labels, k=6, method="neighbors", progress=False).issues
    np.testing.assert_allclose(issues["neighbors_score"], alone["label_score"])
    assert "classifier_score" not in alone


def test_the_method_that_nothing_else_allows():
    V, true = clusters(n=200)
    graph = knn_graph(V, 6, progress=False)
    assert audit(None, true, knn_graph=graph).settings["method"] == "neighbors"
    assert audit(V, true, class_prior=None, progress=False).settings["method"] == "neighbors"
    many = np.arange(2000) % 300
    with pytest.warns(UserWarning, match="have no more than k"):
        found = audit(RNG(0).normal(size=(2000, 4)), many, progress=False)
    assert found.settings["method"] == "neighbors"
    for options in ({"embeddings": None, "knn_graph": graph}, {"embeddings": V, "class_prior": None}):
        with pytest.raises(ValueError, match="method must be 'neighbors' or 'auto' with knn_graph, .*got 'joined'"):
            audit(labels=true, method="joined", progress=False, **options)
    with pytest.raises(ValueError, match="unknown method 'both'; allowed: auto, joined, neighbors"):
        audit(V, true, method="both", progress=False)
