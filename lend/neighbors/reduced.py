"""Nearly all nearest neighbours of wide rows: candidates from fewer numbers, then exact cosines of these alone.

Rows are projected on the directions in which they are largest (of their second moment; not of their covariance: without
the mean other rows would be near). A row's neighbours are among the candidates of largest cosine there, and of those
the exact cosines are taken. How many numbers and candidates that takes is not guessed: the true
neighbours of some rows are found first, and the fewest of both are taken that hold nearly all of them. Where even the
most do not, as where rows spread evenly in all directions, all are compared with all.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from lend.neighbors.blocks import cosines_of_pairs, nearest_by_blocks, nearest_of
from lend.neighbors.rows import BLOCK, Rows
from lend.neighbors.topk import Best

TARGET = 0.995  # share of the true neighbours that candidates must hold: recall of trial rows errs by some 0.001
TRIALS = 256  # rows whose true neighbours tell what that takes
SAMPLE = 4096  # rows whose second moment gives the directions
WIDTHS = (64, 128, 256, 384)  # numbers to try
MOST = 4  # times k candidates; with more, the next width is quicker
NARROW = 3  # a width of more than this part of d saves too little
ROUNDS, SPARE = 4, 32  # of the iteration that finds the directions, and directions that it needs beside them


def nearest_by_reduced(rows: Rows, k: int, *, seed: int = 0, progress: bool = False) -> Best:
    """Find nearly all of the k nearest neighbours of every row, or all where fewer numbers do not tell them.

    It holds all rows in float32. Nearly parallel rows are compared all with all. The same seed and number of threads
    give the same result on a CPU.

    Args:
        rows: The embeddings.
        k: Neighbours per row, 1 <= k < n.
        seed: Seed of the rows to take directions from, and of those to try.
        progress: Show a progress bar.

    Returns:
        Neighbours as columns (n, k) and cosines as values (n, k).
    """
    generator = np.random.default_rng(seed)
    widths = [width for width in WIDTHS if NARROW * width <= rows.d]
    if rows.precision == torch.float32 and widths:
        vectors = rows.all()
        small = vectors @ _directions(vectors[_some(rows, SAMPLE, generator)], widths[-1], generator)
        trials = _some(rows, TRIALS, generator)
        true = nearest_of(trials, vectors.__getitem__, rows.n, k).columns
        for width in widths:
            part = normalize(small[:, :width], dim=1)
            most = min(MOST * k, rows.n - 1)
            count = _candidates(part, trials, true, most)
            if count <= most:
                found = nearest_by_blocks(part.__getitem__, rows.n, count, BLOCK, progress).columns
                return _ranked(vectors, found, k, progress)
        del vectors, small, part
    return nearest_by_blocks(rows.take, rows.n, k, BLOCK, progress)


def _some(rows: Rows, count: int, generator: np.random.Generator) -> Int[Tensor, " s"]:
    chosen = generator.choice(rows.n, min(count, rows.n), replace=False)
    return torch.from_numpy(np.sort(chosen)).to(rows.device)


def _directions(sample: Float[Tensor, "s d"], count: int, generator: np.random.Generator) -> Float[Tensor, "d w"]:
    """Orthogonal directions in which these rows are largest, the largest first, by subspace iteration."""
    moment = sample.T @ sample
    start = generator.standard_normal((len(moment), min(count + SPARE, len(moment))))
    basis = torch.from_numpy(start).to(moment)
    for _ in range(ROUNDS):
        basis = torch.linalg.qr(moment @ basis).Q
    turned = torch.linalg.eigh(basis.T @ moment @ basis).eigenvectors
    return (basis @ turned).flip(1)[:, :count].contiguous()


def _candidates(small: Float[Tensor, "n w"], trials: Int[Tensor, " t"], true: Int[Tensor, "t k"], most: int) -> int:
    """How many rows of the largest cosine hold the asked share of the trial rows' true neighbours; or most + 1."""
    products = small[trials] @ small.T
    products[torch.arange(len(trials), device=trials.device), trials] = -torch.inf
    found, largest = products.gather(1, true), products.topk(most).values
    ranks = (largest[:, None] > found[:, :, None]).sum(dim=2)
    ordered = ranks.flatten().sort().values
    return max(int(ordered[int(np.ceil(TARGET * len(ordered))) - 1]) + 1, true.shape[1])


def _ranked(vectors: Float[Tensor, "n d"], found: Int[Tensor, "n c"], k: int, progress: bool) -> Best:
    """The k candidates of largest cosine of every row."""
    best, count = Best(len(found), k, vectors), found.shape[1]
    everyone = torch.arange(len(found), device=found.device)
    for ids in tqdm(everyone.split(BLOCK), "ranking", unit="block", disable=not progress):
        columns = found[ids].sort(dim=1).values
        starts = torch.arange(0, count * len(ids) + 1, count, device=found.device)
        products = cosines_of_pairs(vectors, ids, starts, columns.flatten())
        values, order = products.view(-1, count).topk(k)
        best.values[ids], best.columns[ids] = values, columns.gather(1, order)
    return best
