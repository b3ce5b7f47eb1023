"""Exact nearest neighbours by cosine, the graph under dilution, audit and maps."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lend.inputs import check_finite
from lend.neighbors import halves
from lend.neighbors.blocks import nearest_by_blocks

PARALLEL = 0.99  # mean cosine above which float32, exact to some 1e-7, no longer tells neighbours apart


def nearest(
    embeddings: Tensor, k: int, *, block: int = 4096, progress: bool = False, check: bool = True
) -> tuple[Tensor, Tensor]:
    """Find the k nearest neighbours of every row by cosine, exactly.

    A row is never its own neighbour; a duplicate of it is one. A zero row has cosine 0 with all
    others. The order of neighbours at equal cosine is free. No gradient is recorded, and autocast
    does not lower the precision. Nearly parallel rows are compared in float64, with a warning.

    Args:
        embeddings: Floats of shape (n, d) on any device; rows need no normalisation. Half
            precisions are computed in float32, float64 stays float64.
        k: Neighbours per row, 1 <= k < n.
        block: At most block² cosines are held at a time; the result does not depend on it.
        progress: Show a progress bar where there is more than one block.
        check: Refuse NaN and infinite values, and look for nearly parallel rows, which waits for the device; a training
            step passes False.

    Returns:
        Neighbours (n, k), int64, and their cosines (n, k), float32 or float64, by decreasing cosine.

    Raises:
        ValueError: If embeddings are not a finite floating (n, d) tensor, k is outside [1, n) or block < 1.
    """
    _check_shapes(embeddings, k, block)
    with torch.no_grad(), torch.autocast(embeddings.device.type, enabled=False):
        vectors = unit_rows(embeddings, check)
        dtype = vectors.dtype
        if len(vectors) <= block:
            indices, cosines = _nearest_in_one(vectors, k)
            # no row is farther on average from its nearest than from all others, whose mean takes longer
            near = 1 + (len(vectors) - 1) * float(cosines.mean()) > len(vectors) * PARALLEL if check else False
            if near and nearly_parallel(vectors.mean(dim=0)):
                indices, cosines = _nearest_in_one(unit_rows(embeddings.double()), k)
            return indices, cosines.to(dtype)
        if check and nearly_parallel(vectors.mean(dim=0)):
            vectors = unit_rows(embeddings.double())
        if halves.pay(len(vectors), vectors.shape[1], k, vectors):
            best = halves.nearest_by_halves(vectors, k, progress)
        else:
            best = nearest_by_blocks(vectors.__getitem__, len(vectors), k, block, progress)
        return best.columns, best.values.to(dtype)


def _nearest_in_one(vectors: Tensor, k: int) -> tuple[Tensor, Tensor]:
    cosines, indices = (vectors @ vectors.T).fill_diagonal_(-torch.inf).topk(k)
    return indices, cosines


def nearly_parallel(mean: Tensor) -> bool:
    """Whether unit rows with this mean (d,) are nearly parallel, as embeddings far from the origin are; then warns."""
    cosine = float(mean.double().square().sum())
    if cosine <= PARALLEL:
        return False
    warnings.warn(
        f"embeddings are nearly parallel, with a mean cosine of {cosine:.6f}: neighbours are found in float64; "
        f"subtracting the mean of all rows may give more telling ones",
        stacklevel=4,
    )
    return True


def unit_rows(embeddings: Tensor, check: bool = False) -> Tensor:
    """Divide every row by its length, in float32 at least; zero rows stay zero.

    Args:
        embeddings: Floats of shape (n, d).
        check: Refuse NaN and infinite values, which waits for the device.

    Returns:
        Rows of length 1 or 0, of shape (n, d), float32 or float64.

    Raises:
        ValueError: If ``check`` and a value is not finite; names the first such row.
    """
    vectors = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
    # The largest entry first: squares of large or tiny entries would leave the range of float32.
    largest = vectors.abs().amax(dim=1, keepdim=True)
    if check and not largest.isfinite().all():
        check_finite(vectors)
    return normalize(vectors / torch.where(largest > 0, largest, 1), dim=1)


def _check_shapes(embeddings: Tensor, k: int, block: int) -> None:
    if embeddings.ndim != 2:
        raise ValueError(f"embeddings must have shape (n, d), got {tuple(embeddings.shape)}")
    if not embeddings.is_floating_point():
        raise ValueError(f"embeddings must be floating point, got {embeddings.dtype}")
    if not 1 <= k < len(embeddings):
        raise ValueError(f"k must be at least 1 and below n = {len(embeddings)}, got {k}")
    if block < 1:
        raise ValueError(f"block must be at least 1, got {block}")
