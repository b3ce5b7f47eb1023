"""Exact neighbours by way of rounded rows: the same as those of float32, whatever the rows."""

import numpy as np
import pytest
import torch

from lend.neighbors import halves, knn_graph, nearest, unit_rows
from lend.neighbors.blocks import nearest_by_blocks

N, D, K = 1600, 24, 8


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """As if this processor had what pays, and for few rows."""
    monkeypatch.setattr(halves, "_multiplies_tiles", lambda: True)
    monkeypatch.setattr(halves, "LEAST", 1000)
    monkeypatch.setattr(halves, "CELLS", 300 * 1792)  # several blocks


def clusters(spread=1.0, shift=0.0, n=N, d=D, seed=0):
    rng = np.random.default_rng(seed)
    rows = 2 * rng.normal(size=(12, d))[rng.integers(0, 12, n)] + spread * rng.normal(size=(n, d)) + shift
    return torch.from_numpy(rows.astype(np.float32))


def copies():
    """Groups of equal rows, one of them larger than any number of candidates, and zero rows."""
    rows = clusters()
    rows[100:500], rows[600:604], rows[[3, 700]] = rows[0], rows[1], 0
    return rows


def opposed():
    """No cosine is above zero but those of a few rows: all lie along 24 directions and their opposites."""
    rows = -torch.eye(D)[torch.arange(N) % D] + 0.01 * clusters()
    rows[:700] = -rows[:700]
    return rows


def misled():
    """Rows whose order is another once they are rounded: the nearest lose by it what the next gain."""
    generator = torch.Generator().manual_seed(0)
    base = 2.0 ** torch.randint(-2, 1, (D,), generator=generator)
    step = base * 2**-7  # between the bfloat16 numbers there
    rows = clusters(seed=1)
    rows[::2] = base * (1 + 0.2 * torch.rand((N // 2, D), generator=generator)).bfloat16().float() + 0.49 * step
    rows[::4] += 0.02 * step * (1 + torch.rand((N // 4, D), generator=generator))
    return rows


CASES = {
    "apart": lambda: clusters(0.2),
    "overlapping": clusters,
    "close": lambda: clusters(0.02),
    "nearly parallel": lambda: clusters(1.0, 12.0),
    "copies": copies,
    "opposed": opposed,
    "misled": misled,
    "many numbers": lambda: clusters(d=150),
    "an even block": lambda: clusters(n=1792),
}


@pytest.mark.parametrize("terms", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_neighbours_are_those_of_float32(monkeypatch, case, terms):
    vectors = unit_rows(CASES[case]())
    monkeypatch.setattr(halves, "_terms", lambda *_: terms)
    found, expected = halves.nearest_by_halves(vectors, K), nearest_by_blocks(vectors.__getitem__, len(vectors), K)
    assert torch.allclose(found.values, expected.values, rtol=0, atol=1e-6)
    cosines = (vectors.double()[:, None] * vectors.double()[found.columns]).sum(dim=2)
    assert torch.allclose(found.values.double(), cosines, rtol=0, atol=1e-6)
    assert all(len(set(row)) == K and i not in row for i, row in enumerate(found.columns.tolist()))


@pytest.mark.parametrize("terms", [1, 3])
@pytest.mark.parametrize("case", ["overlapping", "misled", "nearly parallel"])
def test_products_are_wrong_by_no_more_than_their_bound(case, terms):
    vectors = unit_rows(CASES[case]())
    right, bound = halves._rounded(vectors, terms)
    left = halves._left(vectors, vectors.bfloat16(), torch.zeros(N, 1, dtype=torch.bfloat16), terms)
    wrong = (left.double() @ right.double() - vectors.double() @ vectors.double().T).abs().amax(dim=1)
    assert (wrong <= bound).all() and (bound < (0.006 if terms == 1 else 1e-4)).all()


@pytest.mark.parametrize("case", ["overlapping", "copies"])
def test_few_columns_are_looked_into(monkeypatch, case):
    seen, cosines = [], halves.cosines_of_pairs
    monkeypatch.setattr(halves, "_terms", lambda *_: 1)
    monkeypatch.setattr(halves, "MANY", 4)
    monkeypatch.setattr(halves, "cosines_of_pairs", lambda *rest: seen.append(len(rest[-1])) or cosines(*rest))
    halves.nearest_by_halves(unit_rows(CASES[case]()), K)
    assert len(seen) > 1 and N * K / 2 <= sum(seen) < 4 * N * K


def test_rows_tell_which_way_is_quicker(monkeypatch):
    compared, search = [], halves.nearest_by_blocks
    monkeypatch.setattr(halves, "nearest_by_blocks", lambda *rest, **kw: compared.append(1) or search(*rest, **kw))
    monkeypatch.setattr(halves, "CANDIDATE", 5000)
    ways = [halves._terms(unit_rows(clusters(spread)), K, np.random.default_rng(0)) for spread in (1, 0.1, 0.01)]
    assert ways == [1, 3, 0]
    halves.nearest_by_halves(unit_rows(torch.ones(N, D)), K)
    assert len(compared) == 1


def test_where_it_takes_part(monkeypatch):
    used, search = [], halves.nearest_by_halves
    monkeypatch.setattr(halves, "nearest_by_halves", lambda *rest: used.append(len(rest[0])) or search(*rest))
    rows = clusters()
    graph, (columns, _) = knn_graph(rows, K, progress=False), nearest(rows, K, block=500)
    assert used == [N, N] and (graph.method, graph.recall) == ("exact", 1.0)
    assert np.array_equal(graph.indices, columns.numpy())
    nearest(rows.double(), K, block=500), nearest(rows[:900], K, block=500), nearest(rows, 100, block=500)
    monkeypatch.setattr(halves, "_multiplies_tiles", lambda: False)
    knn_graph(rows, K, progress=False)
    assert len(used) == 2


def test_wide_rows_are_not_reduced_where_exact_is_faster(monkeypatch):
    from lend.neighbors import graph

    monkeypatch.setattr(graph, "WIDE", 200)
    monkeypatch.setattr(graph, "FEW", N)
    wide = clusters(d=200)
    assert knn_graph(wide, K, progress=False).method == "exact"
    monkeypatch.setattr(halves, "_multiplies_tiles", lambda: False)
    assert knn_graph(wide, K, progress=False).method == "reduced"
