"""What the classifier sees of embeddings: their principal directions, after each number is standardised.

At most ``DIRECTIONS`` of them: with all 1,280 of a pretrained network the scores were no better, and took five times as
long. Means, deviations and directions are those of some rows, which tell them well enough.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lend.inputs import is_sparse
from lend.neighbors import Rows, unit_rows_of_sparse

DIRECTIONS = 256
WIDE = 2048  # numbers of an embedding; longer ones are first projected at random onto so many
SAMPLE = 8192  # rows that directions are taken from


def features(matrix: Any) -> Float[Tensor, "n r"]:  # noqa: ANN401 (an array, a tensor or a CSR array)
    """Return unit rows of embeddings, standardised, along their principal directions; the last column is one.

    Args:
        matrix: (n, d) finite embeddings, as :func:`lend.inputs.as_matrix` returns them; read in blocks.
    """
    some = torch.from_numpy(np.sort(np.random.default_rng(0).permutation(matrix.shape[0])[:SAMPLE]))
    if is_sparse(matrix):
        dense = _of_sparse(matrix)
        return _along_directions(dense.split(SAMPLE), dense[some])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "embeddings are nearly parallel")  # the search for neighbours has said so
        rows = Rows(matrix)
    parts = (rows.take(ids) for ids in rows.parts())
    return _along_directions(parts, rows.take(some.to(rows.device)))


def _of_sparse(matrix: Any) -> Tensor:  # noqa: ANN401 (any sparse matrix)
    """Rows as they are; of many numbers along the directions of a randomised singular value decomposition."""
    from sklearn.utils.extmath import randomized_svd

    rows = unit_rows_of_sparse(matrix)
    if rows.shape[1] <= WIDE:  # no more memory than the same rows would take in an array
        return torch.from_numpy(rows.toarray()).float()
    U, S, _ = randomized_svd(rows, min(DIRECTIONS, *rows.shape), random_state=0)
    return torch.from_numpy(np.ascontiguousarray(U * S)).float()


def _along_directions(parts: Iterable[Tensor], sample: Float[Tensor, "s d"]) -> Float[Tensor, "n r"]:
    """Standardise the rows of all parts, each (b, d), and turn them into the principal directions of some of them."""
    mean = sample.mean(dim=0)
    onto = _directions(sample - mean).to(mean)
    X = torch.cat([((part - mean) @ onto).float() for part in parts])
    return torch.cat([X, X.new_ones(len(X), 1)], dim=1)


def _directions(centred: Float[Tensor, "s d"]) -> Float[Tensor, "d r"]:
    """Principal directions of centred rows once each number is divided by its deviation; times that division."""
    d, narrow = centred.shape[1], None
    if d > WIDE:
        narrow = torch.randn(d, WIDE, generator=torch.Generator().manual_seed(0)).to(centred) / WIDE**0.5
        centred = centred @ narrow
    moment = centred.T @ centred / len(centred)
    scale = 1 / moment.diagonal().sqrt().clamp(min=torch.finfo(moment.dtype).eps)
    if len(centred) < len(moment):  # the smaller matrix has the same directions
        X = (centred * scale).float()
        values, vectors = torch.linalg.eigh(X @ X.T)
        known = values > values[-1] * 1e-6  # beyond the rank there is no direction
        vectors = X.T @ (vectors * torch.where(known, values, torch.inf).rsqrt())
    else:
        vectors = torch.linalg.eigh((moment * scale * scale[:, None]).float()).eigenvectors
    onto = scale[:, None] * vectors[:, -DIRECTIONS:]
    return onto if narrow is None else narrow @ onto
