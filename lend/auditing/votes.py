"""What the neighbours say about each example: votes without its own label, and how many agree with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int

from lend.auditing.transition import FOLDS
from lend.config import Dilution
from lend.dilution import Graph, cross_fitted, leave_one_out, one_hot
from lend.neighbors import KnnGraph


def leave_out_votes(
    graphs: Sequence[KnnGraph], given: Int[np.ndarray, " n"], c: int, settings: Dilution, seed: int
) -> tuple[Float[np.ndarray, "n c"], Float[np.ndarray, "n c"], Int[np.ndarray, " n"]]:
    """Shares of given labels around each example, of all others and of the other folds; the mean over the graphs."""
    onehot = one_hot(torch.from_numpy(given), c, torch.float64)
    folds = np.random.default_rng(seed).permutation(len(given)) % FOLDS
    others, crossed = torch.zeros_like(onehot), torch.zeros_like(onehot)
    for knn in graphs:
        edges = torch.from_numpy(knn.indices), torch.from_numpy(knn.cosines).double()
        graph = Graph.build(*edges, settings.gamma, settings.affinity)
        others += _shares(leave_one_out(graph, onehot, settings)) / len(graphs)
        crossed += _shares(cross_fitted(graph, onehot, settings, torch.from_numpy(folds))) / len(graphs)
    return others.numpy(), crossed.numpy(), folds


def _shares(Z: Float[torch.Tensor, "n c"]) -> Float[torch.Tensor, "n c"]:
    """Rows that sum to one; zero for an example on which nobody has a say."""
    total = Z.sum(dim=1, keepdim=True)
    return Z / torch.where(total > 0, total, 1.0)


def neighbor_agreement(graphs: Sequence[KnnGraph], given: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Share of the neighbours with the same given label; NaN for an example without neighbours."""
    agree = np.zeros((2, len(given)))
    for knn in graphs:
        near = knn.cosines > 0
        agree += (near & (given[knn.indices] == given[:, None])).sum(axis=1), near.sum(axis=1)
    return np.where(agree[1] > 0, agree[0] / np.maximum(agree[1], 1), np.nan)
