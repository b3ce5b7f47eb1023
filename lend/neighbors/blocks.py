"""All rows against all, exactly: blocks of them, two at a time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.neighbors.topk import Best

FEW, CENTRES = 4, 32  # blocks up to which rows stay in their order, and rows that others come together by


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
    best, parts = Best(n, k, like), _side_by_side(read, n, block, like.device).split(block)
    pairs = len(parts) * (len(parts) + 1) // 2
    for _ in tqdm(compare_all(best, parts, read), "neighbours", pairs, unit="block", disable=not progress):
        pass
    return best


def _side_by_side(read: Callable[[Tensor], Tensor], n: int, block: int, device: torch.device) -> Int[Tensor, " n"]:
    """Ids of all rows; where they are many, those that are closest to the same of a few rows come together."""
    ids = torch.arange(n, device=device)
    if n <= FEW * block:
        return ids
    centres = read(ids[:: max(1, n // CENTRES)])
    return torch.cat([(read(part) @ centres.T).argmax(dim=1) for part in ids.split(block)]).argsort(stable=True)


def compare_all(best: Best, parts: Sequence[Tensor], read: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Compare every row of some blocks with every other row of them, pair of blocks by pair of blocks.

    The cosines of two blocks are computed once, and serve the rows of both. Each block is compared with itself first:
    the more neighbours it holds, the fewer of the other cosines have to be looked into.

    Args:
        best: Takes the cosines.
        parts: Ids (b,) of the rows of each block, all different.
        read: Gives the rows of some ids.

    Yields:
        None, after each pair.
    """
    space = _space(parts, parts, read)
    for ids in parts:
        _compare_within(best, ids, read(ids), space)
        yield
    for number, ids in enumerate(parts[:-1]):
        yield from _compare_with(best, ids, read(ids), parts[number + 1 :], read, space)


def compare_two(
    best: Best, parts: Sequence[Tensor], others: Sequence[Tensor], read: Callable[[Tensor], Tensor]
) -> Iterator[None]:
    """Compare every row of some blocks with every row of others that share none with them, as :func:`compare_all`."""
    space = _space(parts, others, read)
    for ids in parts:
        yield from _compare_with(best, ids, read(ids), others, read, space)


def _compare_within(best: Best, ids: Tensor, rows: Tensor, space: Tensor) -> None:
    best.update(ids, _cosines(rows, rows, space).fill_diagonal_(-torch.inf), ids)


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


def cosines_of_pairs(
    vectors: Float[Tensor, "n d"], ids: Int[Tensor, " b"], starts: Int[Tensor, " s"], columns: Int[Tensor, " p"]
) -> Float[Tensor, " p"]:
    """Return the products of some rows with a few others each, without copies of the rows.

    Args:
        vectors: All rows.
        ids: Numbers of some rows.
        starts: (b + 1,) where the columns of each of them begin, and the end of all.
        columns: Numbers of the others.
    """
    zeros = vectors.new_zeros(len(columns))
    with warnings.catch_warnings():  # that this part of torch is young
        warnings.simplefilter("ignore")
        wanted = torch.sparse_csr_tensor(starts, columns, zeros, (len(ids), len(vectors)))
        return torch.sparse.sampled_addmm(wanted, vectors[ids], vectors.T).values()
