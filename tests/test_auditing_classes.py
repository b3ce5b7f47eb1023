"""Audits of many classes and of small ones: the same numbers without the zeros, and right labels stay right."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_digits

from lend import noise
from lend.auditing import audit, transition, votes
from lend.auditing.transition import Transition
from lend.auditing.unmixing import unmix_dense, unmix_sparse
from lend.dilution import Graph, cross_fitted, leave_one_out
from lend.inputs import Dilution
from lend.neighbors import knn_graph, nearest

RNG = np.random.default_rng


def clustered(sizes, rate=0.0, d=64, seed=0):
    """Embeddings around centres far apart, true classes, and given labels, a share of them of another class."""
    rng, c = RNG(seed), len(sizes)
    true = np.repeat(np.arange(c), sizes)
    centres = rng.normal(size=(c, d))
    V = 3 * (centres / np.linalg.norm(centres, axis=1, keepdims=True))[true] + rng.normal(size=(len(true), d)) / d**0.5
    given, flipped = true.copy(), rng.random(len(true)) < rate
    given[flipped] = (true[flipped] + rng.integers(1, c, flipped.sum())) % c
    return V.astype(np.float32), true, given


def digits(rate=0.2):
    X, y = load_digits(return_X_y=True)
    return X.astype(np.float32), noise.corrupt(y.astype(np.int64), noise.symmetric(10, rate), 0)


# --- Many classes -----------------------------------------------------------------------------------------------------


def matrix_of(counts):
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), np.eye(len(counts))), (counts + 1 / len(counts)) / (
        total + 1
    )


def shares_of(matrix, shares):
    true = shares
    for _ in range(10):
        true = true * (matrix @ (shares / np.maximum(true @ matrix, 1e-12)))
        true = true / true.sum()
    return true


def plain_unmix(rows, counts, shares):
    matrix, smoothed = matrix_of(counts)
    T, true = 0.8 * smoothed + 0.2 * np.eye(len(counts)), np.tile(shares_of(matrix, shares), (len(rows), 1))
    for _ in range(10):
        true *= (rows / np.maximum(true @ T, 1e-12)) @ T.T
        true /= true.sum(axis=1, keepdims=True)
    return true


def plain_count(true, given, folds, share):
    predicted, counts = true.argmax(axis=1), np.zeros((true.shape[1],) * 2)
    ordered = np.sort(true, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    for code in range(true.shape[1]):
        for fold in range(5):
            members = np.flatnonzero((predicted == code) & (folds == fold))
            take = min(len(members), max(5, int(np.ceil(share * len(members)))))
            np.add.at(counts[code], given[members[np.argsort(-lead[members], kind="stable")[:take]]], 1)
    return counts


def plain_audit(graph, given):
    """Two steps and everything after them with dense arrays, line by line."""
    n, c = graph.n, int(given.max()) + 1
    A = np.zeros((n, n))
    np.put_along_axis(A, graph.indices, np.maximum(graph.cosines.astype(np.float64), 0) ** 3, axis=1)
    S = A + A.T
    root = 1 / np.sqrt(S.sum(axis=1))
    P = np.linalg.matrix_power(0.99 * root[:, None] * S * root + 0.01 * np.eye(n), 2)
    np.fill_diagonal(P, 0)
    folds, Y = RNG(0).permutation(n) % 5, np.eye(c)[given]
    others, crossed = P @ Y, (P * (folds[:, None] != folds)) @ Y
    others, crossed = others / others.sum(axis=1, keepdims=True), crossed / crossed.sum(axis=1, keepdims=True)
    shares = np.bincount(given) / n
    second = plain_unmix(crossed, plain_count(crossed, given, folds, 0.4), shares)
    surest, every = (plain_count(second, given, folds, share) for share in (0.4, 1.0))
    true = plain_unmix(others, every, shares)
    likely = true * np.sqrt(matrix_of(every)[1][:, given]).T
    matrix = matrix_of(surest)[0]
    rate = 1 - shares_of(matrix, shares) @ matrix.diagonal()
    return true, likely[np.arange(n), given] / likely.sum(axis=1), likely.argmax(axis=1), matrix, n * rate


@pytest.mark.parametrize("many", [256, 2])
def test_the_numbers_are_those_of_dense_arrays(many, monkeypatch):
    """Of ten classes, both as an array and, as if ten were many, without the zeros."""
    monkeypatch.setattr(votes, "MANY", many)
    V, given = digits()
    graph = knn_graph(V, 16, progress=False)
    found = audit(None, given, knn_graph=graph, progress=False)
    distributions, scores, predicted, matrix, errors = plain_audit(graph, given)
    np.testing.assert_allclose(found.distributions, distributions, atol=1e-9, rtol=0)
    np.testing.assert_allclose(found.issues["label_score"], scores, atol=1e-9, rtol=0)
    np.testing.assert_array_equal(found.issues["predicted_label"], predicted)
    np.testing.assert_allclose(found.transition_matrix, matrix, atol=1e-9, rtol=0)
    assert found.estimate.errors == pytest.approx(errors, abs=1e-6)


@pytest.mark.parametrize("class_prior", ["estimated", None, "balanced"])
def test_few_and_many_classes_are_judged_alike(class_prior, monkeypatch):
    """With blocks, small classes, an example without neighbours, and every prior."""
    V, _, given = clustered([3, 5, 40, 60, 80], 0.1)
    V[50] = 0
    options = {"k": 6, "class_prior": class_prior, "progress": False}
    with pytest.warns(UserWarning, match="examples"):
        first = audit(V, given, **options)
    monkeypatch.setattr(votes, "MANY", 2)
    monkeypatch.setattr(transition, "CELLS", 100)
    with pytest.warns(UserWarning, match="examples"):
        second = audit(V, given, **options)
    pd.testing.assert_frame_equal(second.issues, first.issues, atol=1e-9)
    pd.testing.assert_frame_equal(second.classes, first.classes, atol=1e-9)
    np.testing.assert_allclose(second.distributions, first.distributions, atol=1e-9)
    assert second.estimate.high == pytest.approx(first.estimate.high)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("reserve", ["previous", "initial"])
@pytest.mark.parametrize("affinity", ["sum", "product"])
def test_votes_without_their_zeros(affinity, reserve, steps):
    V, _, given = clustered([20] * 6)
    settings = Dilution(k=5, alpha=0.9, steps=steps, affinity=affinity, reserve=reserve)
    graph = Graph.build(*nearest(torch.from_numpy(V).double(), 5), 3.0, affinity)
    full = torch.eye(6, dtype=torch.float64)[given]
    short, heirs, folds = sparse.csr_array(full.numpy()), given < 3, torch.arange(120) % 5
    for few, many in (
        (leave_one_out(graph, full, settings), leave_one_out(graph, short, settings)),
        (leave_one_out(graph, full, settings, heirs), leave_one_out(graph, short, settings, heirs)),
        (cross_fitted(graph, full, settings, folds), cross_fitted(graph, short, settings, folds)),
    ):
        np.testing.assert_allclose(many.toarray(), few, atol=1e-12)


def test_far_classes_are_unmixed_as_near_ones():
    rng, c = RNG(0), 40
    rows = rng.random((300, c)) * (rng.random((300, c)) < 0.1)
    rows /= np.maximum(rows.sum(axis=1, keepdims=True), 1e-9)
    assert (rows.sum(axis=1) == 0).any()
    seen, unseen = np.diag(rng.random(c)) + rng.random((c, c)) * (rng.random((c, c)) < 0.05), rng.random(c) / 100
    total, prior = seen.sum(axis=1) + c * unseen, rng.dirichlet(np.ones(c))
    seen, unseen = seen / total[:, None], unseen / total
    found = unmix_sparse(sparse.csr_array(rows), sparse.csr_array(seen), unseen, prior)
    np.testing.assert_allclose(found, unmix_dense(rows, seen + unseen[:, None], prior), atol=1e-12)


def test_labels_and_cells_are_drawn_alike():
    """Both bootstraps have the mean and the spread of the smoothed T."""
    counts = np.array([[8.0, 2, 0], [0, 5, 0], [1, 1, 30]])
    known = Transition(sparse.csr_array(counts), np.full(3, 1 / 3))
    drawn = {}
    for draw in (transition._resampled_cells, transition._resampled_labels):
        generator = RNG(0)
        rounds = [sparse.csr_array(one).toarray() for _ in range(20) for one in draw(known, generator)]
        drawn[draw] = np.mean(rounds, axis=0), np.std(rounds, axis=0)
        np.testing.assert_allclose(drawn[draw][0], counts.sum(axis=1)[:, None] * known.smoothed, atol=0.15)
        np.testing.assert_array_equal(np.sum(rounds, axis=2), np.tile(counts.sum(axis=1), (len(rounds), 1)))
    (_, first), (_, second) = drawn.values()
    np.testing.assert_allclose(first, second, atol=0.1)


def test_an_audit_of_four_hundred_classes(capfd):
    V, true, given = clustered([20] * 400, 0.2)
    with pytest.warns(UserWarning, match="of 400 classes"):
        found = audit(V, given)
    wrong, flagged = given != true, found.issues["is_label_issue"].to_numpy()
    assert found.distributions.shape == (8000, 400)
    assert (flagged == wrong).mean() > 0.99 and abs(found.estimate.share - wrong.mean()) < 0.02
    assert "votes: 100%" in capfd.readouterr().err


# --- Small classes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "d"), [(3, 64), (3, 16), (2, 64)])
def test_right_labels_of_small_classes_are_right(size, d):
    V, true, _ = clustered([size] * 600, d=d)
    message = f"600 of 600 classes, with {600 * size:,} of {600 * size:,} examples, have no more than k = 16 examples"
    with pytest.warns(UserWarning, match=message):
        found = audit(V, true, progress=False)
    assert found.estimate.low == 0 and found.estimate.share < 0.01
    assert found.issues["is_label_issue"].mean() < 0.01
    assert found.estimate.errors >= 0 and "-0" not in str(found.estimate)


@pytest.mark.parametrize(("sizes", "off"), [([3] * 600, 0.1), ([5] * 200, 0.03)])
def test_wrong_labels_of_small_classes_are_counted(sizes, off):
    V, true, given = clustered(sizes, 0.2)
    with pytest.warns(UserWarning, match="no more than k = 16"):
        found = audit(V, given, progress=False)
    wrong = given != true
    assert abs(found.estimate.share - wrong.mean()) < off
    assert found.issues["is_label_issue"][wrong].mean() > 0.8
    assert (found.issues["predicted_label"] == true).mean() > (given == true).mean()


def test_small_classes_beside_large_ones():
    V, true, given = clustered(np.geomspace(2, 500, 60).round().astype(int), 0.2)
    with pytest.warns(UserWarning, match="no more than k = 16"):
        found = audit(V, given, progress=False)
    wrong = given != true
    assert found.estimate.low <= wrong.sum() <= found.estimate.high
    assert (found.issues["is_label_issue"] == wrong).mean() > 0.99
