"""Nearest neighbours through the indexes of faiss: flat, which is exact, and HNSW, which is approximate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from lend.inputs import extra
from lend.neighbors.rows import BLOCK, Rows
from lend.neighbors.topk import Best

LINKS, BUILD_WIDTH, SEARCH_WIDTH = 24, 80, 96  # M, efConstruction and efSearch of HNSW


def nearest_by_flat(rows: Rows, k: int, *, seed: int = 0, progress: bool = False) -> Best:
    """Find the k nearest neighbours of every row, exactly but of nearly parallel ones. The index holds all in float32.

    Args:
        rows: The embeddings.
        k: Neighbours per row, 1 <= k < n.
        seed: Not used: nothing is drawn.
        progress: Show a progress bar.

    Returns:
        Neighbours as columns (n, k) and cosines as values (n, k).
    """
    with extra("faiss"):
        import faiss

    best = _search(faiss.IndexFlatIP(rows.d), rows, k, progress)
    if rows.precision == torch.float64:  # the index took its cosines in float32
        _rank(best, rows)
    return best


def nearest_by_hnsw(rows: Rows, k: int, *, seed: int = 0, progress: bool = False) -> Best:
    """Find most of the k nearest neighbours of every row in a navigable small world.

    The index holds all rows in float16 and 48 links of each; cosines are those of the rows as given. With one thread
    the same seed gives the same result. With several it does not: faiss links rows as its threads come to them.

    Args:
        rows: The embeddings.
        k: Neighbours per row, 1 <= k < n.
        seed: Seed of the levels of the rows.
        progress: Show a progress bar.

    Returns:
        Neighbours as columns (n, k) and cosines as values (n, k); columns are -1 where the search found fewer.
    """
    with extra("faiss"):
        import faiss

    library: Any = faiss  # its types are generated, and lack what is used here
    index = library.IndexHNSWSQ(rows.d, library.ScalarQuantizer.QT_fp16, LINKS, library.METRIC_INNER_PRODUCT)
    index.hnsw.rng = library.RandomGenerator(seed)
    index.hnsw.efConstruction = BUILD_WIDTH
    index.hnsw.efSearch = max(SEARCH_WIDTH, 2 * k)
    best = _search(index, rows, k, progress)
    _rank(best, rows)
    return best


def _search(index: Any, rows: Rows, k: int, progress: bool) -> Best:  # noqa: ANN401
    best = Best(rows.n, k, torch.empty(0, dtype=rows.precision, device=rows.device))
    with _threads(), tqdm(total=2 * rows.n, desc="neighbours", unit="row", disable=not progress) as bar:
        index.train(rows.take(rows.parts()[0]).float().cpu().numpy())
        for ids in rows.parts():
            index.add(rows.take(ids).float().cpu().numpy())
            bar.update(len(ids))
        for ids in rows.parts():
            values, columns = index.search(rows.take(ids).float().cpu().numpy(), k + 1)
            near, best.columns[ids] = _without_self(ids, values, columns)
            best.values[ids] = near.to(rows.precision)
            bar.update(len(ids))
    return best


@contextmanager
def _threads() -> Iterator[None]:
    """Let faiss use as many threads as torch does."""
    with extra("faiss"):
        import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(torch.get_num_threads())
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _without_self(
    ids: Int[Tensor, " b"], values: np.ndarray, columns: np.ndarray
) -> tuple[Float[Tensor, "b k"], Int[Tensor, "b k"]]:
    """Drop each row from its own neighbours; where it is not among them, as with many duplicates, drop the last."""
    own = columns == ids.cpu().numpy()[:, None]
    own[:, -1] |= ~own.any(axis=1)
    shape = (len(ids), columns.shape[1] - 1)
    kept = [torch.from_numpy(array[~own].reshape(shape)).to(ids.device) for array in (values, columns)]
    return kept[0], kept[1]


def _rank(best: Best, rows: Rows) -> None:
    """Replace the cosines, which the index took from rounded rows, by exact ones, and sort by them."""
    k = best.columns.shape[1]
    for ids in rows.parts(max(1, BLOCK // k)):
        columns = best.columns[ids]
        neighbors = rows.take(columns.clamp(min=0).flatten()).unflatten(0, (-1, k))
        cosines = torch.einsum("bd,bkd->bk", rows.take(ids), neighbors)
        values, order = cosines.where(columns >= 0, -torch.inf).sort(dim=1, descending=True, stable=True)
        best.values[ids], best.columns[ids] = values, columns.gather(1, order)
