"""Votes of the neighbours on each example, without its own label, and the share that agree with it.

A class is small here if it has k examples or fewer, so that the k neighbours of each must hold examples of other
classes. Three rules keep those from outvoting it; without small classes none of them changes anything.

- A neighbour of a small class of s examples counts only among the s - 1 nearest, as many as others of its class there
  are. Farther off it is not there as one of them.
- The share of the own label, which is left out, goes to the neighbours of small classes
  (:func:`lend.dilution.leaveoneout.leave_one_out`).
- Folds keep the surest examples of a class from being chosen by each other's labels. Of a small class all are counted,
  none is chosen, and a fold could take the last other example away: votes for a small class come from all others.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from tqdm.auto import tqdm

from lend.auditing.transition import FOLDS
from lend.dilution import Graph, cross_fitted, leave_one_out, one_hot
from lend.inputs import Dilution
from lend.neighbors import KnnGraph

MANY = 256  # with more classes than this, votes are kept without their zeros: an example has few classes around it
SILENT = 0.1  # share of the examples without a vote from which on somebody should know


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
    size = np.bincount(given[given >= 0], minlength=c)
    small, onehot = size <= settings.k, _one_hot(given, c)
    _warn(size, small, settings.k)
    size, of_small = np.append(size, len(given))[given], np.append(small, False)[given]  # of the class of each example
    folds = np.random.default_rng(seed).permutation(len(given)) % FOLDS
    others, crossed = 0.0 * onehot, 0.0 * onehot
    for knn in tqdm(graphs, "votes", unit="graph", disable=not progress):
        near = np.arange(knn.k) < np.maximum(size[knn.indices] - 1, 1)
        cosines = torch.from_numpy(np.where(near | ~of_small[knn.indices], knn.cosines, 0)).double()
        graph = Graph.build(torch.from_numpy(knn.indices), cosines, settings.gamma, settings.affinity)
        others = others + _shares(leave_one_out(graph, onehot, settings, of_small)) / len(graphs)
        crossed = crossed + _shares(cross_fitted(graph, onehot, settings, torch.from_numpy(folds))) / len(graphs)
    if isinstance(onehot, torch.Tensor):
        others, crossed = others.numpy(), crossed.numpy()
    silent = int((others.sum(axis=1) == 0).sum())
    if SILENT * len(given) < silent < len(given):
        warnings.warn(
            f"embeddings: {silent:,} of {len(given):,} rows are similar to no labelled one, as rows of zeros are; "
            f"these labels stay as they are, and the number of wrong ones is estimated from the others",
            stacklevel=3,
        )
    whole = small[others.argmax(axis=1)]
    if isinstance(others, np.ndarray):
        return others, np.where(whole[:, None], others, crossed), folds
    return others, sparse.diags_array(whole * 1.0) @ others + sparse.diags_array(~whole * 1.0) @ crossed, folds


def _warn(size: Int[np.ndarray, " c"], small: Bool[np.ndarray, " c"], k: int) -> None:
    """Warn of small classes, in one line."""
    if small.any():
        warnings.warn(
            f"labels: {small.sum():,} of {len(size):,} classes, with {size[small].sum():,} of {size.sum():,} examples, "
            f"have no more than k = {k} examples; what is said of their labels rests on few others, and the number "
            f"of wrong ones may be estimated too high",
            stacklevel=4,
        )


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
