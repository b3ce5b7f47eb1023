"""What the classifier sees of embeddings: their principal directions, after each number is standardised.

At most ``DIRECTIONS`` of them: with all 1,280 of a pretrained network the scores were no better, and took five times as
long.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lend.inputs import is_sparse
from lend.neighbors import Rows, unit_rows_of_sparse

DIRECTIONS = 256
WIDE = 2048  # numbers of an embedding; longer ones are first projected at random onto so many


def features(matrix: Any) -> Float[Tensor, "n r"]:  # noqa: ANN401 (an array, a tensor or a CSR array)
    """Return unit rows of embeddings, standardised, along their principal directions; the last column is one.

    Args:
        matrix: (n, d) finite embeddings, as :func:`lend.inputs.as_matrix` returns them; read in blocks.
    """
    if is_sparse(matrix):
        return _along_directions(_of_sparse(matrix))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "embeddings are nearly parallel")  # the search for neighbours has said so
        rows = Rows(matrix)
    parts = (rows.take(ids) for ids in rows.parts())
    if rows.d <= WIDE:
        return _along_directions(list(parts))
    onto = torch.randn(rows.d, WIDE, generator=torch.Generator().manual_seed(0)).to(rows.device, rows.precision)
    return _along_directions([part @ onto / WIDE**0.5 for part in parts])


def _of_sparse(matrix: Any) -> list[Tensor]:  # noqa: ANN401 (any sparse matrix)
    """Rows as they are; of many numbers along the directions of a randomised singular value decomposition."""
    from sklearn.utils.extmath import randomized_svd

    rows = unit_rows_of_sparse(matrix)
    if rows.shape[1] <= WIDE:  # no more memory than the same rows would take in an array
        return [torch.from_numpy(rows.toarray()).float()]
    U, S, _ = randomized_svd(rows, min(DIRECTIONS, *rows.shape), random_state=0)
    return [torch.from_numpy(np.ascontiguousarray(U * S)).float()]


def _along_directions(parts: list[Tensor]) -> Float[Tensor, "n r"]:
    """Standardise the rows of all parts, each (b, d), and turn them into their principal directions."""
    X = torch.cat(parts)
    X -= X.mean(dim=0)
    X /= X.std(dim=0, correction=0).clamp(min=torch.finfo(X.dtype).eps)
    X = X.float()
    few = len(X) < X.shape[1]  # then the smaller matrix has the same directions
    values, vectors = torch.linalg.eigh((X @ X.T if few else X.T @ X) / len(X))
    vectors = vectors[:, -DIRECTIONS:]
    X = vectors * (len(X) * values[-DIRECTIONS:].clamp(min=0)).sqrt() if few else X @ vectors
    return torch.cat([X, X.new_ones(len(X), 1)], dim=1)
