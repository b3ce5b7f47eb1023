import numpy as np
import pytest
import torch

import lend
from lend.neighbors import EXACT

generator = np.random.default_rng(0)
TRUE = np.arange(120) % 3
V = (np.eye(5)[TRUE] + 0.3 * generator.normal(size=(120, 5))).astype(np.float32)
NOISY = np.where(generator.random(120) < 0.3, (TRUE + 1) % 3, TRUE)


@pytest.mark.parametrize("options", [{}, {"affinity": "sum", "reserve": "initial"}, {"class_prior": "balanced"}])
def test_each_step_is_that_of_dilute(options):
    trace = lend.dilution_trace(V, NOISY, true_labels=TRUE, steps=4, k=6, **options)
    assert list(trace.index) == [0, 1, 2, 3, 4]
    before = np.eye(3, dtype=np.float32)[NOISY]
    for step in range(1, 5):
        Z = lend.dilute(V, NOISY, steps=step, k=6, normalize=False, **options)
        winners = Z.argmax(axis=1)
        assert trace.loc[step, "label_accuracy"] == pytest.approx((winners == TRUE).mean())
        assert trace.loc[step, "kept"] == pytest.approx((winners == NOISY).mean())
        if "class_prior" not in options:  # of Eq. (3) as printed, before the prior
            assert trace.loc[step, "change"] == pytest.approx(np.abs(Z - before).max(), abs=1e-6)
            before = Z


def test_a_trace_starts_with_the_given_labels_and_converges():
    trace = lend.dilution_trace(V, NOISY, true_labels=TRUE, steps=300, k=6)
    assert trace.loc[0, "change"] == trace.loc[0, "changed_labels"] == 0
    assert trace.loc[0, "label_accuracy"] == pytest.approx((NOISY == TRUE).mean())
    assert trace.loc[2, "label_accuracy"] > trace.loc[0, "label_accuracy"] + 0.1
    assert trace.loc[300, "change"] < 1e-3 < trace.loc[1, "change"]


def test_unknown_true_labels_do_not_count():
    assert lend.dilution_trace(V, NOISY, steps=2)["label_accuracy"].isna().all()
    some = np.where(np.arange(120) < 60, TRUE, -1)
    trace = lend.dilution_trace(torch.from_numpy(V), torch.from_numpy(NOISY), true_labels=some, steps=1)
    assert trace.loc[0, "label_accuracy"] == pytest.approx((NOISY == TRUE)[:60].mean())


def test_a_known_graph_gives_the_same_trace_and_the_same_dilution():
    graph = lend.knn_graph(V, 10, progress=False)
    trace = lend.dilution_trace(V, NOISY, true_labels=TRUE)
    for known in (graph, graph.to_csr()):
        np.testing.assert_allclose(
            lend.dilution_trace(None, NOISY, true_labels=TRUE, knn_graph=known), trace, rtol=1e-4, atol=1e-5
        )
        np.testing.assert_allclose(lend.dilute(None, NOISY, knn_graph=known), lend.dilute(V, NOISY), atol=1e-5)
    assert isinstance(lend.dilute(None, torch.from_numpy(NOISY), knn_graph=graph), torch.Tensor)


def test_above_the_exact_size_the_graph_is_that_of_knn_graph(monkeypatch):
    monkeypatch.setattr("lend.dilution.arrays.EXACT", 100)
    assert EXACT == 100_000
    half = V.astype(np.float16)
    np.testing.assert_allclose(lend.dilute(half, NOISY), lend.dilute(half.astype(np.float32), NOISY), atol=1e-5)
    assert isinstance(lend.dilute(torch.from_numpy(V), torch.from_numpy(NOISY)), torch.Tensor)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"steps": "converged"}, "steps must be an integer of at least 1, got 'converged'"),
        ({"steps": 0}, "steps must be an integer from 1 to 10,000"),
        ({"true_labels": TRUE[:5]}, r"true_labels must be of shape \(120,\)"),
        ({"true_labels": TRUE + 1}, "true_labels must be inside 0..2, or -1 where unlabelled, got '1..3'"),
        ({"embeddings": None}, "embeddings must be given, or else knn_graph, got 'neither'"),
        ({"knn_graph": 3}, "embeddings must be given, or else knn_graph, got 'both'"),
        (
            {"embeddings": None, "knn_graph": np.eye(3)},
            r"knn_graph must be CSR of shape \(n, n\), got 'ndarray of shape \(3, 3\)'",
        ),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        lend.dilution_trace(**{"embeddings": V, "labels": NOISY} | arguments)


def test_a_graph_of_another_size_or_too_few_neighbours():
    graph = lend.knn_graph(V, 4, progress=False)
    with pytest.raises(ValueError, match="k must be an integer from 1 to 4, got 8"):
        lend.dilute(None, NOISY, knn_graph=graph)
    with pytest.raises(ValueError, match=r"labels must be of shape \(120,\)"):
        lend.dilute(None, NOISY[:50], knn_graph=graph, k=4)
