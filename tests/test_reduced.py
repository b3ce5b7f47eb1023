"""Neighbours of wide rows by fewer numbers."""

import numpy as np
import pytest
import torch

from lend.neighbors import Rows, graph, knn_graph, reduced


def wide(n=2500, d=240, power=1.0, seed=0):
    """Rows of clusters whose numbers fall off in size by a power, turned, away from the origin."""
    rng = np.random.default_rng(seed)
    sizes = np.arange(1, d + 1) ** -power
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    centres = rng.normal(size=(20, d))
    rows = (centres[rng.integers(0, 20, n)] + rng.normal(size=(n, d))) * sizes
    return (rows @ turn + 0.05).astype(np.float32)


@pytest.fixture
def compared(monkeypatch):
    """The widths of the rows that were compared all with all."""
    seen, search = [], reduced.nearest_by_blocks

    def noted(read, *rest):
        seen.append(read(torch.arange(1)).shape[1])
        return search(read, *rest)

    monkeypatch.setattr(reduced, "nearest_by_blocks", noted)
    return seen


def test_nearly_all_neighbours_are_found_by_fewer_numbers(compared):
    V = wide()
    V[7] = 0
    V[8] = V[9]
    found, exact = (knn_graph(V, 8, method=method, progress=False) for method in ("reduced", "exact"))
    assert compared and compared[0] <= 80 and found.method == "reduced"
    same = np.mean([len(set(a) & set(b)) for a, b in zip(found.indices, exact.indices, strict=True)]) / 8
    assert found.recall >= 0.99 and same >= 0.985
    assert 9 in found.indices[8] and found.cosines[8, 0] == pytest.approx(1)
    agree = found.indices == exact.indices
    assert found.cosines[agree] == pytest.approx(exact.cosines[agree], abs=1e-6)
    again = knn_graph(V, 8, method="reduced", progress=False)
    assert np.array_equal(again.indices, found.indices)


def test_exact_where_fewer_numbers_do_not_tell(compared):
    V = np.random.default_rng(0).normal(size=(1200, 240)).astype(np.float32)
    found = knn_graph(V, 8, method="reduced", progress=False)
    assert compared == [240] and found.recall == 1


@pytest.mark.parametrize("n", [2, 40])
def test_few_or_narrow_rows(n):
    V = wide()[:n]
    for part in (V, V[:, :20]):
        found = knn_graph(part, n - 1, method="reduced", progress=False)
        assert np.array_equal(np.sort(found.indices), np.sort(knn_graph(part, n - 1, method="exact").indices))


def test_nearly_parallel_rows_are_compared_in_float64(compared):
    V = wide(400).astype(np.float64) + 1e4
    with pytest.warns(UserWarning, match="nearly parallel"):
        rows = Rows(V)
    assert reduced.nearest_by_reduced(rows, 3).values.dtype == torch.float64 and compared == [240]


def test_auto_takes_it_for_wide_rows_and_leaves_it_where_recall_is_low(monkeypatch):
    V = wide(1500)
    monkeypatch.setattr(graph, "WIDE", 240)
    monkeypatch.setattr(graph, "FEW", 1500)
    assert knn_graph(V, 8, progress=False).method == "reduced"
    assert knn_graph(V[:-1], 8, progress=False).method == "exact"
    assert knn_graph(V[:, :-1], 8, progress=False).method == "clusters"
    monkeypatch.setattr(reduced, "TARGET", 0.5)
    low = knn_graph(V, 8, method="reduced", progress=False)
    assert low.recall < 0.99
    high = knn_graph(V, 8, progress=False)
    assert (high.method, high.recall) == ("exact", 1.0)
