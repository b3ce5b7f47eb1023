"""Exact nearest neighbours of sparse rows, such as TF-IDF, which no one makes dense."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import norm
from tqdm.auto import tqdm

from lend.neighbors.exact import nearly_parallel
from lend.neighbors.topk import Best

COSINES = 1 << 24  # that are held at a time


def nearest_by_sparse(matrix: csr_array, k: int, progress: bool = False) -> Best:
    """Find the k nearest neighbours of every row by cosine, exactly, in float64.

    Args:
        matrix: (n, d) floats; a zero row has cosine 0 with all others.
        k: Neighbours per row, 1 <= k < n.
        progress: Show a progress bar.

    Returns:
        Neighbours as columns (n, k) and cosines as values (n, k).

    Raises:
        ValueError: If a value is NaN or infinite; names the first such row.
    """
    rows, n = unit_rows_of_sparse(matrix), matrix.shape[0]
    nearly_parallel(torch.from_numpy(np.asarray(rows.mean(axis=0)).reshape(-1)))
    columns, everyone = rows.T.tocsr(), torch.arange(n)
    best = Best(n, k, torch.empty(0, dtype=torch.float64))
    with tqdm(total=n, desc="neighbours", unit="row", disable=not progress) as bar:
        for ids in everyone.split(max(1, COSINES // n)):
            cosines = torch.from_numpy((rows[ids.numpy()] @ columns).toarray())
            cosines[torch.arange(len(ids)), ids] = -torch.inf
            best.update(ids, cosines, everyone)
            bar.update(len(ids))
    return best


def unit_rows_of_sparse(matrix: Any) -> csr_array:  # noqa: ANN401 (any sparse matrix)
    """Rows of length 1 or 0, float64; ValueError if a value is NaN or infinite."""
    matrix = csr_array(matrix, dtype=np.float64)
    bad = np.unique(matrix.nonzero()[0][~np.isfinite(matrix.data[matrix.data != 0])])
    if len(bad):
        raise ValueError(f"embeddings must be finite, got NaN or inf in {len(bad)} rows, the first is row {bad[0]}")
    # the largest entry first: squares of large or tiny entries would leave the range
    largest = abs(matrix).max(axis=1).toarray().reshape(-1)
    matrix = diags_array(np.divide(1, largest, out=np.zeros_like(largest), where=largest > 0)) @ matrix
    length = norm(matrix, axis=1)
    return (diags_array(np.divide(1, length, out=np.zeros_like(length), where=length > 0)) @ matrix).tocsr()
