"""Exact nearest neighbours by cosine, the graph under dilution, audit and maps."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lend.inputs import check_finite
from lend.neighbors.topk import Best

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
    if check:
        check_finite(embeddings)
    with torch.no_grad(), torch.autocast(embeddings.device.type, enabled=False):
        vectors = unit_rows(embeddings)
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


def _check_shapes(embeddings: Tensor, k: int, block: int) -> None:
    if embeddings.ndim != 2:
        raise ValueError(f"embeddings must have shape (n, d), got {tuple(embeddings.shape)}")
    if not embeddings.is_floating_point():
        raise ValueError(f"embeddings must be floating point, got {embeddings.dtype}")
    if not 1 <= k < len(embeddings):
        raise ValueError(f"k must be at least 1 and below n = {len(embeddings)}, got {k}")
    if block < 1:
        raise ValueError(f"block must be at least 1, got {block}")


def nearest_by_blocks(
    read: Callable[[Tensor], Tensor], n: int, k: int, block: int = 4096, progress: bool = False
) -> Best:
    """Find the k nearest neighbours of every row among all, exactly, holding two blocks of rows at a time.

    Args:
        read: Gives the rows of these ids (b,), of length 1 or 0, as a tensor (b, d).
        n: Rows in all.
        k: Neighbours per row, 1 <= k < n.
        block: Rows of a block.
        progress: Show a progress bar.

    Returns:
        Neighbours as columns (n, k) and cosines as values (n, k).
    """
    from tqdm.auto import tqdm

    like = read(torch.arange(1))
    best, parts = Best(n, k, like), torch.arange(n, device=like.device).split(block)
    pairs = len(parts) * (len(parts) + 1) // 2
    for _ in tqdm(compare_all(best, parts, read), "neighbours", pairs, unit="block", disable=not progress):
        pass
    return best


def compare_all(best: Best, parts: Sequence[Tensor], read: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Compare every row of some blocks with every other row of them, pair of blocks by pair of blocks.

    The cosines of two blocks are computed once, and serve the rows of both.

    Args:
        best: Takes the cosines.
        parts: Ids (b,) of the rows of each block, all different.
        read: Gives the rows of some ids.

    Yields:
        None, after each pair.
    """
    space = _space(parts, parts, read)
    for number, ids in enumerate(parts):
        rows = read(ids)
        best.update(ids, _cosines(rows, rows, space).fill_diagonal_(-torch.inf), ids)
        yield
        yield from _compare_with(best, ids, rows, parts[number + 1 :], read, space)


def compare_two(
    best: Best, parts: Sequence[Tensor], others: Sequence[Tensor], read: Callable[[Tensor], Tensor]
) -> Iterator[None]:
    """Compare every row of some blocks with every row of others that share none with them, as :func:`compare_all`."""
    space = _space(parts, others, read)
    for ids in parts:
        yield from _compare_with(best, ids, read(ids), others, read, space)


def _compare_with(
    best: Best, ids: Tensor, rows: Tensor, others: Sequence[Tensor], read: Callable[[Tensor], Tensor], space: Tensor
) -> Iterator[None]:
    for other_ids in others:
        cosines = _cosines(rows, read(other_ids), space)
        best.update(ids, cosines, other_ids)
        best.update(other_ids, cosines.T, ids)
        yield


def _space(parts: Sequence[Tensor], others: Sequence[Tensor], read: Callable[[Tensor], Tensor]) -> Tensor:
    """Memory for the cosines of any two blocks, used again for each: new memory can cost as much as the product."""
    return read(parts[0][:1]).new_empty(max(map(len, parts)) * max(map(len, others)))


def _cosines(rows: Tensor, others: Tensor, space: Tensor) -> Tensor:
    shape = (len(rows), len(others))
    return torch.mm(rows, others.T, out=space[: shape[0] * shape[1]].view(shape))


def nearest_of(ids: Tensor, read: Callable[[Tensor], Tensor], n: int, k: int, block: int = 4096) -> Best:
    """Find the k nearest neighbours of some rows among all, exactly.

    Args:
        ids: Numbers of the rows, (t,), increasing.
        read: Gives the rows of some ids, of length 1 or 0.
        n: Rows in all.
        k: Neighbours per row, 1 <= k < n.
        block: Rows of a block; t times as many cosines are held.

    Returns:
        Neighbours as columns (t, k) and cosines as values (t, k).
    """
    queries = read(ids)
    best, places = Best(len(ids), k, queries), torch.arange(len(ids), device=ids.device)
    for part in torch.arange(n, device=ids.device).split(block):
        cosines = queries @ read(part).T
        own = places[(ids >= part[0]) & (ids <= part[-1])]
        cosines[own, ids[own] - part[0]] = -torch.inf
        best.update(places, cosines, part)
    return best
