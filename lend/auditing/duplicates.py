"""Duplicates: groups of examples whose embeddings are equal, or nearer to each other than chance brings any two.

Around an example whose k-th neighbour is at the chord r, in data of m dimensions there, a share q^m of the others
among the k lies within q r by chance: n (k − 1) q^m / 2 pairs in all. Two examples are near duplicates if their chord
is at most q r of both, with q such that one pair in the whole data set is expected to be so by chance. m is the median
of the maximum likelihood estimates of Levina & Bickel (NeurIPS 2004). Larger groups than k have no such r: of these
only examples are found that are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from lend.auditing.tables import named
from lend.inputs import is_sparse, to_numpy
from lend.neighbors import KnnGraph

CHANCE = 1  # pairs of examples that are not duplicates, expected among those found
ROUNDING = 1e-6  # of a cosine: those above 1 - ROUNDING may be of equal embeddings
RESOLVED = 100  # times the rounding: where most neighbours are nearer, cosines tell nothing
COLUMNS = ("group", "given_label", "cosine", "labels_differ")


def duplicates_table(
    graphs: Sequence[KnnGraph],
    matrices: Sequence[Any],
    given: Int[np.ndarray, " n"],
    names: list[Any],
    index: pd.Index,
) -> pd.DataFrame:
    """Return the table ``Audit.duplicates``, one row per example that has a duplicate.

    Args:
        graphs: Neighbours of each example; with several, duplicates are those of all of them.
        matrices: The embeddings of each graph, dense or sparse; none where only a graph was given.
        given: Given labels, 0 to c-1; -1 where unlabelled.
        names: The c classes.
        index: Sample ids.
    """
    n = len(given)
    pairs, cosines = _near(graphs[0])
    for graph in graphs[1:]:
        others, there = _near(graph)
        pairs, left, right = np.intersect1d(pairs, others, assume_unique=True, return_indices=True)
        cosines = np.minimum(cosines[left], there[right])
    chains = _equal(graphs, matrices)
    pairs, cosines = np.concatenate([pairs, chains]), np.concatenate([cosines, np.ones(len(chains))])
    first, second = np.divmod(pairs, n)
    links = sparse.coo_array((np.ones(len(pairs)), (first, second)), shape=(n, n))
    component = connected_components(links, directed=False)[1]
    best = np.full(n, -np.inf)
    np.maximum.at(best, first, cosines)
    np.maximum.at(best, second, cosines)
    places = np.flatnonzero(best > -np.inf)
    table = pd.DataFrame({"place": places, "group": component[places], "code": given[places], "cosine": best[places]})
    labels = table["code"].where(table["code"] >= 0).groupby(table["group"]).transform("nunique")
    table["labels_differ"] = labels > 1
    table["first"] = table.groupby("group")["place"].transform("min")
    table = table.sort_values(["labels_differ", "first", "place"], ascending=[False, True, True], kind="stable")
    table["group"] = pd.factorize(table["group"])[0]
    table["given_label"] = named(table["code"].to_numpy(), names)
    return table.set_index(index[table["place"]])[list(COLUMNS)]


def _near(graph: KnnGraph) -> tuple[Int[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Return pairs of near duplicates, each once as first n + second, and their cosines."""
    away = 2 - 2 * graph.cosines.astype(np.float64).clip(max=1)
    if np.median(away[:, -1]) < RESOLVED * 2 * ROUNDING:  # nearly parallel rows
        return np.zeros(0, np.int64), np.zeros(0)
    reach = away[:, -1] * _share(away) ** 2
    first, column = np.nonzero(away <= np.maximum(reach, 2 * ROUNDING)[:, None])
    second = graph.indices[first, column]
    mutual = away[first, column] <= np.maximum(reach[second], 2 * ROUNDING)
    first, second, column = first[mutual], second[mutual], column[mutual]
    pairs, chosen = np.unique(np.minimum(first, second) * graph.n + np.maximum(first, second), return_index=True)
    return pairs, graph.cosines[first[chosen], column[chosen]].astype(np.float64)


def _share(away: Float[np.ndarray, "n k"]) -> float:
    """Return q, from the squared chords to the neighbours; 0 where these are too few to tell."""
    n, k = away.shape
    known = (away[:, :-1] > 2 * ROUNDING) & (away[:, -1:] > 2 * ROUNDING)
    far = known.sum(axis=1) > k // 2
    if k < 3 or not far.any():
        return 0.0
    ratio = np.log(away[far, -1:] / np.maximum(away[far, :-1], 2 * ROUNDING)) / 2
    dimension = np.median((known[far].sum(axis=1) - 1) / np.maximum((ratio * known[far]).sum(axis=1), 1e-12))
    return float((2 * CHANCE / (n * (k - 1))) ** (1 / dimension))


def _equal(graphs: Sequence[KnnGraph], matrices: Sequence[Any]) -> Int[np.ndarray, " p"]:
    """Return pairs that chain the rows of each group of equal ones, of any size, as first n + second."""
    if not matrices:
        return np.zeros(0, np.int64)
    near = np.all([graph.cosines[:, 0] >= 1 - ROUNDING for graph in graphs], axis=0)
    places = np.flatnonzero(near)
    if not len(places):
        return places
    group = pd.MultiIndex.from_arrays([_codes(matrix, places) for matrix in matrices]).factorize()[0]
    order = np.argsort(group, kind="stable")
    same = group[order[1:]] == group[order[:-1]]
    return places[order[:-1][same]] * graphs[0].n + places[order[1:][same]]


def _codes(matrix: Any, places: Int[np.ndarray, " p"]) -> Int[np.ndarray, " p"]:  # noqa: ANN401 (any matrix)
    """Return a number for each of some rows, the same for equal ones."""
    if is_sparse(matrix):
        rows = sparse.csr_array(matrix)[places]
        rows.sum_duplicates()
        rows.eliminate_zeros()
        cuts = rows.indptr[1:-1]
        codes: dict[tuple[bytes, bytes], int] = {}
        parts = zip(np.split(rows.indices, cuts), np.split(rows.data, cuts), strict=True)
        return np.array([codes.setdefault((i.tobytes(), v.tobytes()), len(codes)) for i, v in parts], np.int64)
    rows = np.ascontiguousarray(to_numpy(matrix[places], "embeddings")) + 0  # -0 becomes 0
    return np.unique(rows.view(f"V{rows.dtype.itemsize * rows.shape[1]}").reshape(-1), return_inverse=True)[1]
