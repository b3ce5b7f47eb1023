"""Votes without the noise: q of votes = q T, by a few steps of EM from the shares of the true classes.

A step is q_j ← q_j Σ_y T_jy votes_y / (q T)_y. Each of two ways takes the votes of some examples and returns their q;
they differ in nothing but rounding.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
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
    row, column = np.divmod(cells, c)
    size, back, u = np.bincount(row, minlength=m), links.T.tocsr(), unseen[column]
    sums = sparse.csr_array((u, np.arange(len(cells)), np.append(0, np.cumsum(size))), shape=(m, len(cells)))
    e, far, kappa, w = np.zeros(len(cells)), prior[column], np.ones(m), prior  # far: κ w in the cells
    for _ in range(ITERATIONS):
        everywhere = kappa * (w @ unseen) + sums @ e
        expected = links @ e + kappa[voted] * (w @ seen)[votes.indices] + everywhere[voted]
        ratio = votes.data / np.maximum(expected, TINY)
        total = np.bincount(voted, ratio, m)
        factor = np.repeat(total, size) * u  # of a far class; in a cell, the votes that S links to it add to it
        e, far = e * factor + (e + far) * (back @ ratio), far * factor
        kappa, w = kappa * total, w * unseen
    whole = np.maximum(kappa * w.sum() + np.bincount(row, e, m), 1e-300)
    true = (kappa / whole)[:, None] * w
    true.reshape(-1)[cells] += e / np.repeat(whole, size)
    return true


def _links(
    votes: sparse.csr_array, voted: Int[np.ndarray, " v"], transposed: sparse.csr_array
) -> tuple[sparse.csr_array, Int[np.ndarray, " l"]]:
    """Return S_jy between each vote, for y by i, and the cells (i, j); and the cells as numbers i c + j, sorted."""
    m, c = votes.shape
    columns = transposed[votes.indices]
    keys = np.repeat((voted * c).astype(np.int32), np.diff(columns.indptr)) + columns.indices
    linked = np.zeros(m * c, bool)  # of a block of rows: quicker than to sort the keys
    linked[keys] = True
    cells, place = np.flatnonzero(linked), np.cumsum(linked, dtype=np.int32) - 1
    return sparse.csr_array((columns.data, place[keys], columns.indptr), shape=(len(voted), len(cells))), cells
