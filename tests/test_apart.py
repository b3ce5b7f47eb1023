"""Exact neighbours of rows in groups: what is left out holds none."""

import numpy as np
import pytest
import torch

from lend.neighbors import apart, knn_graph, unit_rows
from lend.neighbors.blocks import nearest_by_blocks

N, D, K = 1200, 24, 6


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(apart, "LEAST", 1000)
    monkeypatch.setattr(apart, "BLOCK", 20)  # several of a group


def grouped(spread=0.1, groups=30, seed=0):
    """Rows around some directions, in groups of very different sizes."""
    rng = np.random.default_rng(seed)
    home = np.sort(rng.choice(groups, N, p=rng.dirichlet(np.ones(groups))))
    return torch.from_numpy(rng.normal(size=(groups, D))[home] + spread * rng.normal(size=(N, D))).float()


def odd():
    """A large group of equal rows, pairs, zero rows, and rows on their own, which need all others."""
    rows = grouped()
    rows[100:300], rows[400] = rows[100], rows[401]
    rows[[7, 900]] = 0
    rows[[20, 600]] = torch.from_numpy(np.random.default_rng(1).normal(size=(2, D))).float()
    return rows


def along_axes():
    """Groups at right angles and opposite to each other."""
    signs = 1.0 - 2 * (torch.arange(N) % 3 == 0)
    return torch.eye(D)[torch.arange(N) % D] * signs[:, None] + 0.02 * grouped()


CASES = {"apart": grouped, "wide groups": lambda: grouped(0.2), "odd": odd, "along axes": along_axes}


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES)
def test_neighbours_are_those_of_all_pairs(monkeypatch, case, kind):
    monkeypatch.setattr(apart, "PART", 1)  # whatever it saves
    vectors = unit_rows(CASES[case]().to(kind))
    found, expected = apart.nearest_if_apart(vectors, K), nearest_by_blocks(vectors.__getitem__, N, K)
    assert torch.allclose(found.values, expected.values, rtol=0, atol=1e-6)
    cosines = (vectors[:, None] * vectors[found.columns]).sum(dim=2)
    assert torch.allclose(found.values, cosines, rtol=0, atol=1e-6)
    assert all(len(set(row)) == K and i not in row for i, row in enumerate(found.columns.tolist()))


@pytest.mark.parametrize("case", CASES)
def test_no_cosine_is_above_its_bound(case):
    vectors = unit_rows(CASES[case]())
    centres = unit_rows(torch.from_numpy(np.random.default_rng(0).normal(size=(12, D))).float())
    home, size, least = apart._groups(vectors, centres)
    assert torch.equal(size, torch.bincount(home, minlength=12))
    bounds, cosines = apart._bounds(vectors, centres, least), vectors @ vectors.T
    for group in size.nonzero()[:, 0]:
        assert (cosines[:, home == group].amax(dim=1) <= bounds[:, group] + apart.SLACK).all()


def test_groups_are_left_out_where_there_are_any(monkeypatch):
    compared = []
    update = apart.Best.update
    monkeypatch.setattr(apart.Best, "update", lambda *a: compared.append(a[2].numel()) or update(*a))
    assert apart.nearest_if_apart(unit_rows(along_axes()), K) is not None
    assert sum(compared) < N * N / apart.PART + 20 * N  # those of a block among themselves are not counted
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=(N, D))).float()
    assert apart.nearest_if_apart(unit_rows(noise), K) is None
    monkeypatch.setattr(apart, "_centres_apart", lambda vectors, k: vectors[:30])  # if a trial had told otherwise
    assert apart.nearest_if_apart(unit_rows(noise), K) is None


def test_it_takes_part_in_graphs(monkeypatch):
    calls, search = [], apart.nearest_if_apart
    monkeypatch.setattr(apart, "nearest_if_apart", lambda *a: calls.append(1) or search(*a))
    graph = knn_graph(grouped(), K, progress=False)
    assert len(calls) == 1 and (graph.method, graph.recall) == ("exact", 1.0)
    knn_graph(grouped()[:999], K, progress=False)
    assert len(calls) == 1
