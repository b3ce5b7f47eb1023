"""Votes of the neighbours on each example, without its own label, and the share that agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from tqdm.auto import tqdm

from lend.auditing.transition import FOLDS
from lend.config import Dilution
from lend.dilution import Graph, cross_fitted, leave_one_out, one_hot
from lend.neighbors import KnnGraph

MANY = 256  # with more classes than this, votes are kept without their zeros: an example has few classes around it


def leave_out_votes(
    graphs: Sequence[KnnGraph],
    given: Int[np.ndarray, " n"],
    c: int,
    settings: Dilution,
    seed: int,
    progress: bool = False,
) -> tuple[Any, Any, Int[np.ndarray, " n"]]:
    """Return the shares of given labels around each example, without its own; the mean over the graphs.

    Args:
        graphs: Neighbours of each example, at least one graph.
        given: Given labels, 0 to c-1; -1 where unlabelled.
        c: Number of classes.
        settings: Settings of the dilution; the class prior is not used.
        seed: Seed of the folds.
        progress: Show a progress bar.

    Returns:
        Shares among all other examples, shares among the examples of the other folds, and the number of the fold of
        each example. Shares are (n, c), an array, or a SciPy CSR array of more than ``MANY`` classes; rows sum to one,
        or to zero where no other example has a vote.
    """
    onehot = _one_hot(given, c)
    folds = np.random.default_rng(seed).permutation(len(given)) % FOLDS
    others, crossed = 0.0 * onehot, 0.0 * onehot
    for knn in tqdm(graphs, "votes", unit="graph", disable=not progress):
        edges = torch.from_numpy(knn.indices), torch.from_numpy(knn.cosines).double()
        graph = Graph.build(*edges, settings.gamma, settings.affinity)
        others = others + _shares(leave_one_out(graph, onehot, settings)) / len(graphs)
        crossed = crossed + _shares(cross_fitted(graph, onehot, settings, torch.from_numpy(folds))) / len(graphs)
    if isinstance(onehot, torch.Tensor):
        return others.numpy(), crossed.numpy(), folds
    return others, crossed, folds


def _one_hot(given: Int[np.ndarray, " n"], c: int) -> Any:  # noqa: ANN401 (a tensor or a CSR array)
    if c <= MANY:
        return one_hot(torch.from_numpy(given), c, torch.float64)
    n = len(given)
    known = (given >= 0).astype(np.float64)
    return sparse.csr_array((known, np.maximum(given, 0), np.arange(n + 1)), shape=(n, c))


def _shares(Z: Any) -> Any:  # noqa: ANN401 (likewise)
    """Scale rows to sum to one; a row without votes stays zero."""
    if isinstance(Z, torch.Tensor):
        total = Z.sum(dim=1, keepdim=True)
        return Z / torch.where(total > 0, total, 1.0)
    total = Z.sum(axis=1)
    return sparse.diags_array(1 / np.where(total > 0, total, 1)) @ Z


def neighbor_agreement(graphs: Sequence[KnnGraph], given: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Return the share of each example's labelled neighbours with its given label; NaN without any, or without a label.

    Args:
        graphs: Neighbours of each example; those of all graphs count.
        given: Given labels, 0 to c-1; -1 where unlabelled.
    """
    agree = np.zeros((2, len(given)))
    for knn in graphs:
        near = (knn.cosines > 0) & (given[knn.indices] >= 0)
        agree += (near & (given[knn.indices] == given[:, None])).sum(axis=1), near.sum(axis=1)
    return np.where((agree[1] > 0) & (given >= 0), agree[0] / np.maximum(agree[1], 1), np.nan)
