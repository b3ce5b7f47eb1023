"""Exact nearest neighbours by cosine, the graph under dilution, audit and maps."""

import torch
from torch import Tensor
from torch.nn.functional import normalize


def nearest(
    embeddings: Tensor, k: int, *, block: int = 4096, progress: bool = False, check: bool = True
) -> tuple[Tensor, Tensor]:
    """Find the k nearest neighbours of every row by cosine, exactly.

    A row is never its own neighbour; a duplicate of it is one. A zero row has cosine 0 with all
    others. The order of neighbours at equal cosine is free. No gradient is recorded, and autocast
    does not lower the precision.

    Args:
        embeddings: Floats of shape (n, d) on any device; rows need no normalisation. Half
            precisions are computed in float32, float64 stays float64.
        k: Neighbours per row, 1 <= k < n.
        block: At most block² cosines are held at a time; the result does not depend on it.
        progress: Show a progress bar where there is more than one block.
        check: Refuse NaN and infinite values, which waits for the device; a training step passes False.

    Returns:
        Neighbours (n, k), int64, and their cosines (n, k), float32 or float64, by decreasing cosine.

    Raises:
        ValueError: If embeddings are not a finite floating (n, d) tensor, k is outside [1, n) or block < 1.
    """
    _check_shapes(embeddings, k, block)
    if check:
        check_finite(embeddings)
    with torch.no_grad(), torch.autocast(embeddings.device.type, enabled=False):
        vectors = unit_rows(embeddings)
        if len(vectors) <= block:
            cosines, indices = (vectors @ vectors.T).fill_diagonal_(-torch.inf).topk(k)
            return indices, cosines
        return _nearest_by_blocks(vectors, k, block, progress)


def unit_rows(embeddings: Tensor) -> Tensor:
    """Divide every row by its length, in float32 at least; zero rows stay zero.

    Args:
        embeddings: Floats of shape (n, d).

    Returns:
        Rows of length 1 or 0, of shape (n, d), float32 or float64.
    """
    vectors = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
    # The largest entry first: squares of large or tiny entries would leave the range of float32.
    largest = vectors.abs().amax(dim=1, keepdim=True)
    return normalize(vectors / torch.where(largest > 0, largest, 1), dim=1)


def check_finite(embeddings: Tensor) -> None:
    """Refuse NaN and infinite embeddings.

    Args:
        embeddings: Floats of shape (n, d).

    Raises:
        ValueError: If a value is NaN or infinite; names the first such row.
    """
    finite = torch.isfinite(embeddings).all(dim=1)
    if not finite.all():
        bad = (~finite).nonzero()[:, 0].tolist()
        raise ValueError(f"embeddings must be finite, got NaN or inf in {len(bad)} rows, the first is row {bad[0]}")


def _check_shapes(embeddings: Tensor, k: int, block: int) -> None:
    if embeddings.ndim != 2:
        raise ValueError(f"embeddings must have shape (n, d), got {tuple(embeddings.shape)}")
    if not embeddings.is_floating_point():
        raise ValueError(f"embeddings must be floating point, got {embeddings.dtype}")
    if not 1 <= k < len(embeddings):
        raise ValueError(f"k must be at least 1 and below n = {len(embeddings)}, got {k}")
    if block < 1:
        raise ValueError(f"block must be at least 1, got {block}")


def _nearest_by_blocks(vectors: Tensor, k: int, block: int, progress: bool) -> tuple[Tensor, Tensor]:
    from tqdm.auto import tqdm

    n = len(vectors)
    rows = max(1, block * block // n)
    indices = torch.empty((n, k), dtype=torch.int64, device=vectors.device)
    cosines = torch.empty((n, k), dtype=vectors.dtype, device=vectors.device)
    for start in tqdm(range(0, n, rows), desc="neighbours", unit="block", disable=not progress):
        similarity = vectors[start : start + rows] @ vectors.T
        similarity.diagonal(start).fill_(-torch.inf)
        part = slice(start, start + rows)
        torch.topk(similarity, k, out=(cosines[part], indices[part]))
    return indices, cosines
