"""Exact nearest neighbours where rows lie in groups: groups too far from a row to hold one are left out.

Some rows are centres, and each row is put with the closest. Of a group with the centre m and the least cosine r of m
with any of its rows, no row y is nearer to a row x, with a = x·m, than the cone around m allows:

    x·y <= a r + √(1 − a²) √(1 − r²)  if a <= r,  else 1

What a neighbour must reach is known from the row's own group. Where rows lie in dozens or hundreds of narrow groups,
that takes a fraction of the time; where they do not, as embeddings of photographs by a network that has not seen them,
a few rows tell so in a hundredth of it.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from lend.neighbors.topk import Best

LEAST = 8192  # rows from which it is tried
SAMPLE, TRIALS = 4096, 64  # rows among which centres are found, and those that tell whether groups lie apart
WIDTH, MOST = 2, 4  # of a group: times the distance, 1 - cosine, to a k-th neighbour; times √n groups
PART = 12  # of all pairs one in so many may be left to compare, which takes longer for a pair than all with all
BLOCK = 512  # most rows of a group to compare at a time
SLACK = 2e-6  # of a cosine in float32, and of its bound


def nearest_if_apart(vectors: Float[Tensor, "n d"], k: int, progress: bool = False) -> Best | None:
    """Find the k nearest neighbours of every row, exactly; None where the rows lie in no groups that save work.

    It holds a copy of the rows.

    Args:
        vectors: Rows of length 1 or 0, on a CPU.
        k: Neighbours per row, 1 <= k < n.
        progress: Show a progress bar.

    Returns:
        Neighbours as columns (n, k) and cosines as values (n, k).
    """
    n, centres = len(vectors), _centres_apart(vectors, k)
    if centres is None:
        return None
    home, size, least = _groups(vectors, centres)
    members = [ids for ids in home.argsort(stable=True).split(size.tolist()) if len(ids)]
    blocks = [part for ids in members for part in ids.tensor_split(1 + len(ids) // BLOCK)]
    rows, group = [vectors[ids] for ids in blocks], torch.stack([home[ids[0]] for ids in blocks])
    best, needed = Best(n, k, vectors), []
    for i, (ids, own) in enumerate(zip(blocks, rows, strict=True)):
        best.update(ids, (own @ own.T).fill_diagonal_(-torch.inf), ids)
        near = (_bounds(own, centres, least) >= best.values[ids, -1:] - SLACK).any(dim=0)
        needed.append([j for j in near[group].nonzero()[:, 0].tolist() if j != i])
    if sum(len(blocks[i]) * len(blocks[j]) for i, others in enumerate(needed) for j in others) > n * n // PART:
        return None
    for i in tqdm(range(len(blocks)), "neighbours", unit="block", disable=not progress):
        if others := needed[i]:
            columns = torch.cat([blocks[j] for j in others])
            best.update(blocks[i], rows[i] @ torch.cat([rows[j] for j in others]).T, columns)
    return best


def _centres_apart(vectors: Float[Tensor, "n d"], k: int) -> Float[Tensor, "g d"] | None:
    """Rows that are centres of narrow groups; None if some rows tell that there are too many, or few can be left out.

    The row of each group that is farthest from its centre becomes another, as long as it is far.
    """
    generator, most = np.random.default_rng(0), MOST * round(len(vectors) ** 0.5)
    sample = vectors[torch.from_numpy(generator.choice(len(vectors), min(len(vectors), SAMPLE), replace=False))]
    sample = sample[sample.any(dim=1)]
    trials, centres = sample[:TRIALS], sample[:1]
    if not len(sample):
        return None
    kth = (trials @ vectors.T).topk(k + 1).values[:, -1:]  # a row is the nearest to itself
    reach = 1 - WIDTH * (1 - float(kth.median()))
    while len(centres) <= most:
        cosines, home = (sample @ centres.T).max(dim=1)
        order = cosines.argsort()
        far = order[torch.from_numpy(np.unique(home[order].numpy(), return_index=True)[1])]
        far = far[cosines[far] < reach]
        if not len(far):
            break
        centres = torch.cat([centres, sample[far]])
    _, size, least = _groups(sample, centres)
    share = (_bounds(trials, centres, least) >= kth).double() @ size.double() / len(sample)
    return centres if len(centres) <= most and float(share.mean()) * 2 * PART <= 1 else None


def _groups(
    rows: Float[Tensor, "m d"], centres: Float[Tensor, "g d"]
) -> tuple[Int[Tensor, " m"], Int[Tensor, " g"], Float[Tensor, " g"]]:
    """The closest centre of each row, the size of each group, and its least cosine with a row; 1 of an empty one."""
    cosines, home = (rows @ centres.T).max(dim=1)
    least = centres.new_ones(len(centres)).scatter_reduce(0, home, cosines, "amin")
    return home, torch.bincount(home, minlength=len(centres)), least


def _bounds(
    rows: Float[Tensor, "b d"], centres: Float[Tensor, "g d"], least: Float[Tensor, " g"]
) -> Float[Tensor, "b g"]:
    """The largest cosine that each row may have with a row of each group."""
    a = rows @ centres.T
    outside = a * least + ((1 - a * a).clamp(min=0) * (1 - least * least).clamp(min=0)).sqrt()
    return torch.where(a <= least, outside, 1.0)
