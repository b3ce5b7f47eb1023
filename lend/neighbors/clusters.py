"""Nearly all nearest neighbours for a fraction of the work: each row is compared with the clusters closest to it.

Rows are cut into clusters of about 200, but at most 8√n. How many of them a row must be compared with is not guessed:
the true neighbours of some rows are found first, and the number is the smallest that holds the asked share of them.
Where the embeddings have no clusters the number grows, and the time with it, up to comparing all with all; what is
found gets no worse.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from lend.neighbors.blocks import compare_all, nearest_by_blocks, nearest_of
from lend.neighbors.rows import BLOCK, Rows
from lend.neighbors.topk import Best

TARGET = 0.995  # share of the true neighbours that the clusters looked into must hold: trial rows err by some 0.001
TRIALS = 1000  # rows whose true neighbours tell how many clusters that takes
ROWS, CLUSTERS = 200, 8  # of a cluster, and times √n of them; smaller ones leave more out but take longer for a row
ROUNDS, ROWS_PER_CLUSTER = 3, 20  # of k-means: more of either finds the same neighbours in the same time
COSINES = 2**21  # with centres, to compute at a time: they stay in the processor's cache
MOST = 3  # with more than this part of the clusters, comparing all with all is faster: it needs each cosine once
HELD = 2**25  # pairs of a row and a cluster to hold at a time


def nearest_by_clusters(rows: Rows, k: int, *, seed: int = 0, progress: bool = False) -> Best:
    """Find nearly all of the k nearest neighbours of every row.

    Beside the neighbours it holds 160 √n rows in float32, to find clusters, but no copy of all. The same seed and
    number of threads give the same result on a CPU.

    Args:
        rows: The embeddings.
        k: Neighbours per row, 1 <= k < n.
        seed: Seed of the choice of first centres and of the rows to try.
        progress: Show a progress bar.

    Returns:
        Neighbours as columns (n, k) and cosines as values (n, k); columns are -1 where the clusters hold fewer.
    """
    generator = np.random.default_rng(seed)
    count = max(1, min(rows.n // ROWS, CLUSTERS * round(rows.n**0.5)))
    centres = _centres(rows, count, generator)
    parts = tqdm(rows.parts(), "clusters", unit="block", disable=not progress)
    home = torch.cat([_closest(rows.take(part), centres, 1)[:, 0] for part in parts])
    depth = _depth(rows, centres, home, k, generator)
    if depth > len(centres) // MOST:
        return nearest_by_blocks(rows.take, rows.n, k, BLOCK, progress)
    best = Best(rows.n, k, centres)
    with tqdm(total=rows.n * depth, desc="neighbours", unit="row", unit_scale=1 / depth, disable=not progress) as bar:
        clusters = _by_cluster(home, len(centres))
        for members in clusters:
            for _ in compare_all(best, members.split(BLOCK), rows.take):
                pass
            bar.update(len(members))
        for part in rows.parts(max(1, HELD // depth)):
            _visit(best, rows, part, home[part], centres, clusters, depth, bar)
    return best


# --- The clusters -------------------------------------------------------------------------------------------------


def _centres(rows: Rows, count: int, generator: np.random.Generator) -> Float[Tensor, "l d"]:
    """Directions of k-means on some rows; a cluster that loses all of its rows begins again with one of them."""
    ids = _some(rows, min(rows.n, ROWS_PER_CLUSTER * count), generator)
    sample = rows.take(ids)
    centres = sample[torch.from_numpy(generator.choice(len(ids), count, replace=False)).to(rows.device)]
    for _ in range(ROUNDS):
        home = _closest(sample, centres, 1)[:, 0]
        sums = torch.zeros_like(centres).index_add_(0, home, sample)
        spare = sample[torch.from_numpy(generator.choice(len(ids), count, replace=False)).to(rows.device)]
        empty = torch.bincount(home, minlength=count) == 0
        centres = torch.where(empty[:, None], spare, normalize(sums, dim=1))
    return centres


def _some(rows: Rows, count: int, generator: np.random.Generator) -> Int[Tensor, " s"]:
    return torch.from_numpy(np.sort(generator.choice(rows.n, count, replace=False))).to(rows.device)


def _closest(vectors: Float[Tensor, "b d"], centres: Float[Tensor, "l d"], count: int) -> Int[Tensor, "b p"]:
    """The clusters whose centres are closest to each row, the closest first."""
    ids = torch.arange(len(centres), device=vectors.device)
    closest = []
    for part in vectors.split(max(1, COSINES // len(centres))):
        best = Best(len(part), count, part)
        best.update(torch.arange(len(part), device=part.device), part @ centres.T, ids)
        closest.append(best.columns)
    return torch.cat(closest)


def _by_cluster(clusters: Int[Tensor, " m"], count: int) -> list[Tensor]:
    """Positions of the entries of each cluster, in their order."""
    sizes = torch.bincount(clusters, minlength=count).tolist()
    return list(clusters.argsort(stable=True).split(sizes))


def _depth(
    rows: Rows, centres: Float[Tensor, "l d"], home: Int[Tensor, " n"], k: int, generator: np.random.Generator
) -> int:
    """How many of its closest clusters hold the asked share of a row's true neighbours."""
    ids = _some(rows, min(rows.n, TRIALS), generator)
    vectors = rows.take(ids)
    directed = vectors.any(dim=1)  # any row is a neighbour of a zero row
    neighbors = nearest_of(ids, rows.take, rows.n, k).columns[directed]
    order = (vectors[directed] @ centres.T).argsort(dim=1, descending=True, stable=True)
    rank = order.argsort(dim=1).gather(1, home[neighbors]).flatten().sort().values
    return int(rank[int(np.ceil(TARGET * len(rank))) - 1]) + 1 if len(rank) else 1


# --- The comparison -----------------------------------------------------------------------------------------------


def _visit(
    best: Best,
    rows: Rows,
    part: Int[Tensor, " b"],
    homes: Int[Tensor, " b"],
    centres: Float[Tensor, "l d"],
    clusters: list[Tensor],
    depth: int,
    bar: tqdm,
) -> None:
    """Compare some rows with the members of the clusters closest to them, but not of their own."""
    closest = torch.cat([_closest(rows.take(ids), centres, depth) for ids in part.split(BLOCK)])
    away = closest != homes[:, None]  # at equal distance the first of them need not be the row's own
    guests = part[:, None].expand_as(closest)[away]
    for members, places in zip(clusters, _by_cluster(closest[away], len(clusters)), strict=True):
        for ids in guests[places].split(BLOCK):
            vectors = rows.take(ids)
            for others in members.split(BLOCK):
                best.update(ids, vectors @ rows.take(others).T, others)
        bar.update(len(places))
