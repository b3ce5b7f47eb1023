"""Where a map starts: in two principal components, or in the map of the epoch before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from lend.neighbors import unit_rows_of_sparse

if TYPE_CHECKING:
    from scipy.sparse import csr_array

START = 1e-4  # standard deviation of the first component of a first map
WIDE = 512  # numbers of a row from which the other eigenvectors would take longer than the rest of a map's start
CARRY_STEPS, CARRY_LEAST, CARRY_SPREAD = 30, 0.02, 5.0  # see carry_over


def principal_plane(vectors: Tensor | csr_array, seed: int) -> np.ndarray:
    """Project on two principal components, the usual first map of t-SNE.

    Deterministic up to the jitter, which keeps equal rows apart; without it they would never part.

    Args:
        vectors: Finite floats of shape (n, d); the rows of a sparse matrix, of 3 columns at least, need not be of
            length 1.
        seed: Seed of the jitter.

    Returns:
        A map of shape (n, 2), float64, standard deviation ``START`` in the first column.
    """
    plane = _components(vectors) if isinstance(vectors, Tensor) else _components_of_sparse(vectors)
    spread = plane[:, 0].std()
    if spread > 1e-9:  # rounding alone gives less when all rows are equal
        plane *= START / spread
    return plane + np.random.default_rng(seed).normal(0, 1e-6, plane.shape)


def _components(vectors: Tensor) -> np.ndarray:
    x = vectors.double().cpu().numpy()
    x = x - x.mean(axis=0)
    axes = _leading(x.T @ x) if x.shape[1] > WIDE else np.linalg.eigh(x.T @ x)[1][:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    plane = np.zeros((len(x), 2))
    plane[:, : axes.shape[1]] = x @ axes
    return plane


def _leading(moment: np.ndarray) -> np.ndarray:
    """The two leading eigenvectors of a large matrix (d, d), largest first, without the others."""
    from scipy.sparse.linalg import eigsh

    if not moment.any():  # all rows are equal
        return np.eye(len(moment), 2)
    return eigsh(moment, 2, v0=np.random.default_rng(0).normal(size=len(moment)))[1][:, ::-1]


def _components_of_sparse(matrix: csr_array) -> np.ndarray:
    """The same of unit rows that no one makes dense: the mean is taken off within the products."""
    from sklearn.decomposition import PCA

    rows = unit_rows_of_sparse(matrix)
    if abs(rows - rows[:1][np.zeros(rows.shape[0], int)]).max() == 0:  # no component to find
        return np.zeros((rows.shape[0], 2))
    return PCA(2, svd_solver="arpack", random_state=0).fit_transform(rows)


def carry_over(previous: np.ndarray, affinity: Any) -> np.ndarray:  # noqa: ANN401
    """The start of the next map: the map before, spread along the new graph.

    Points whose neighbours have changed move among their new neighbours before the optimisation, which moves
    points only a little at a time and would leave a class that has just formed in several pieces. Spreading ends
    early where it shrinks the map to a fiftieth: a small dense graph would shrink to a point.

    Args:
        previous: The map before, (n, 2).
        affinity: Symmetric sparse affinities P of the new map, (n, n).

    Returns:
        A map of shape (n, 2), float64, centred.
    """
    new = previous.astype(np.float64) - previous.mean(axis=0)
    degrees, least = np.asarray(affinity.sum(axis=1)).reshape(-1, 1), CARRY_LEAST * new.std()
    for _ in range(CARRY_STEPS):
        new = affinity @ new / degrees
        new = new - new.mean(axis=0)
        if new.std() < least:
            break
    return new * (CARRY_SPREAD / max(new.std(), 1e-12))
