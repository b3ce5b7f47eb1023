"""Votes without the noise: q of votes = q T, by a few steps of EM from the shares of the true classes.

A step is q_j ← q_j Σ_y T_jy votes_y / (q T)_y. Each of two ways takes the votes of some examples and returns their q;
they differ in nothing but rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

ITERATIONS = 10  # steps of EM: more would fit the sampling noise
TINY = 1e-12  # least expected vote to divide by


def unmix_dense(
    votes: Float[np.ndarray, "m c"], T: Float[np.ndarray, "c c"], prior: Float[np.ndarray, " c"]
) -> Float[np.ndarray, "m c"]:
    """The step as it stands, for few classes.

    Args:
        votes: Shares of given labels; rows sum to one, or to zero.
        T: P(given label | true class), row = true class.
        prior: Share of each true class.

    Returns:
        q, of rows that sum to one; to zero without votes.
    """
    true = np.tile(prior, (len(votes), 1))
    for _ in range(ITERATIONS):
        true *= (votes / np.maximum(true @ T, TINY)) @ T.T
        true /= np.maximum(true.sum(axis=1, keepdims=True), 1e-300)
    return true


def unmix_sparse(
    votes: sparse.csr_array, seen: sparse.csr_array, unseen: Float[np.ndarray, " c"], prior: Float[np.ndarray, " c"]
) -> Float[np.ndarray, "m c"]:
    """The step where T is sparse but for a number for each row, T_jy = S_jy + u_j, as smoothed counts are.

    A class j from which S leads to no class that was voted for is *far*. All far classes of an example change by one
    factor and their own u_j: q_j = κ w_j, where κ belongs to the example and w to all examples. So only the others,
    q_j = κ w_j + e_j, are kept one by one, in cells of example and class.

    Args:
        votes: (m, c) shares of given labels; rows sum to one, or to zero.
        seen: (c, c) S.
        unseen: u.
        prior: Share of each true class.

    Returns:
        q, of rows that sum to one; to zero without votes.
    """
    m, c = votes.shape
    voted = np.repeat(np.arange(m), np.diff(votes.indptr))  # the example of each vote
    links, cells = _links(votes, voted, seen.T.tocsr())
    row, column = cells // c, cells % c
    back, u = links.T.tocsr(), unseen[column]
    e, kappa, w = np.zeros(len(cells)), np.ones(m), prior
    for _ in range(ITERATIONS):
        everywhere = kappa * (w @ unseen) + np.bincount(row, e * u, m)
        expected = links @ e + kappa[voted] * (w @ seen)[votes.indices] + everywhere[voted]
        ratio = votes.data / np.maximum(expected, TINY)
        total = np.bincount(voted, ratio, m)
        near = (e + kappa[row] * w[column]) * (back @ ratio + total[row] * u)
        kappa, w = kappa * total, w * unseen
        e = near - kappa[row] * w[column]
    true = kappa[:, None] * w
    true[row, column] += e
    return true / np.maximum(true.sum(axis=1, keepdims=True), 1e-300)


def _links(votes: sparse.csr_array, voted: np.ndarray, transposed: sparse.csr_array) -> tuple[sparse.csr_array, Any]:
    """Return S_jy between each vote, for y by i, and the cells (i, j); and the cells as numbers i c + j, sorted."""
    columns = transposed[votes.indices]
    keys = np.repeat(voted, np.diff(columns.indptr)) * votes.shape[1] + columns.indices
    cells, place = np.unique(keys, return_inverse=True)
    return sparse.csr_array((columns.data, place, columns.indptr), shape=(len(voted), len(cells))), cells
