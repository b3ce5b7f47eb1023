"""The graph and the dilution of embeddings that no process may hold: shards, two at a time, on a Dask cluster."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lend.inputs import as_count, extra, require
from lend.neighbors.blocks import compare_all, compare_two
from lend.neighbors.graph import KnnGraph
from lend.neighbors.rows import Rows
from lend.neighbors.topk import Best

if TYPE_CHECKING:
    from distributed import Client, Future


class Part(NamedTuple):
    """A shard's place among all."""

    source: str
    start: int
    rows: int


# --- Reading a shard ----------------------------------------------------------------------------------------------


def read_shard(source: str | Path, name: str = "embeddings") -> np.ndarray:
    """Read one shard: embeddings (n, d), or labels (n,).

    Args:
        source: Path, or URL that fsspec opens, ending in .npy, .parquet or .zarr.
        name: Column of a parquet file, numbers or lists of one length; array of a zarr group. A zarr array and an
            .npy hold one array only.

    Returns:
        The array.

    Raises:
        ValueError: If the ending is another, the array is missing, or lists differ in length.
    """
    ending = Path(str(source)).suffix
    require(ending in READERS, "source", f"a path ending in {', '.join(READERS)}", str(source))
    try:
        return READERS[ending](str(source), name)
    except KeyError:
        raise ValueError(f"source must hold {name!r}, got {str(source)!r} without it") from None


def _read_npy(source: str, name: str) -> np.ndarray:
    import fsspec

    with fsspec.open(source, "rb") as file:
        return np.load(file, allow_pickle=False)


def _read_parquet(source: str, name: str) -> np.ndarray:
    import fsspec
    from pyarrow import parquet

    with fsspec.open(source, "rb") as file, parquet.ParquetFile(file) as table:
        if name not in table.schema_arrow.names:
            raise KeyError(name)
        column = table.read([name]).column(name).combine_chunks()
    if not hasattr(column, "flatten"):
        return column.to_numpy(zero_copy_only=False)
    values = column.flatten().to_numpy(zero_copy_only=False)
    lengths = np.unique(column.value_lengths().to_numpy(zero_copy_only=False))
    require(len(lengths) == 1, name, f"lists of one length in {source}", lengths.tolist())
    return values.reshape(len(column), -1)


def _read_zarr(source: str, name: str) -> np.ndarray:
    import zarr

    opened = zarr.open(source, mode="r")
    return np.asarray(opened[name] if isinstance(opened, zarr.Group) else opened)


READERS = {".npy": _read_npy, ".parquet": _read_parquet, ".zarr": _read_zarr}


# --- The graph ----------------------------------------------------------------------------------------------------


def sharded_graph(
    sources: Sequence[str | Path], k: int, client: Client, *, name: str = "embeddings", progress: bool = True
) -> KnnGraph:
    """Find the k nearest neighbours of every example among all shards, exactly.

    A task compares two shards and holds no others; another merges what the tasks found for one shard. Tasks read and
    compute, nothing else: what a lost worker had done is done again elsewhere. Only neighbours and cosines come back.

    Args:
        sources: Shards of embeddings, in order, readable by every worker; each as :func:`lend.neighbors.read_shard`
            takes it.
        k: Neighbours of each, 1 to n-1.
        client: Client of the Dask cluster. Its workers' threads work on a pair of shards each.
        name: Column or array in each shard.
        progress: Show a progress bar with the time left.

    Returns:
        The graph over all examples, numbered through the shards.

    Raises:
        ValueError: Naming the argument, what is allowed and what came; a bad shard by its source.
    """
    require(len(sources) >= 1, "sources", "at least one shard", len(sources))
    parts = _lay_out([str(source) for source in sources], client, name)
    n = parts[-1].start + parts[-1].rows
    k = as_count(k, "k", most=n - 1)
    pairs = {
        (i, j): client.submit(_compare, parts[i], parts[j], k, name, pure=True)
        for i, j in combinations_with_replacement(range(len(parts)), 2)
    }
    merged = []
    for number in range(len(parts)):
        found = [pair for pair in pairs if number in pair]
        sides = [pair.index(number) for pair in found]
        merged.append(client.submit(_merge, [pairs[pair] for pair in found], sides, k, pure=True))
    tasks: list[Future] = [*pairs.values(), *merged]
    del pairs  # what they found may go as soon as it is merged
    return KnnGraph(*_gather(tasks, merged, progress), "sharded", 1.0)


def _lay_out(sources: list[str], client: Client, name: str) -> list[Part]:
    """Where each shard begins, from a first look at all of them, which finds what is wrong with them too."""
    shapes = client.gather(client.map(_look, sources, name=name))
    widths = sorted({width for _, width in shapes})
    require(len(widths) == 1, "sources", "of embeddings of one length", widths)
    starts = np.cumsum([0] + [rows for rows, _ in shapes]).tolist()
    return [Part(source, start, rows) for source, start, (rows, _) in zip(sources, starts, shapes, strict=False)]


def _look(source: str, name: str) -> tuple[int, int]:
    rows = _open(source, name)
    return rows.n, rows.d


def _open(source: str, name: str) -> Rows:
    try:
        return Rows(read_shard(source, name))
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def _compare(a: Part, b: Part, k: int, name: str) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The k nearest neighbours in b of the rows of a, and in a of the rows of b: indices and cosines of each."""
    first = _open(a.source, name)
    if a == b:
        best = Best(a.rows, k, torch.empty(0))
        for _ in compare_all(best, first.parts(), first.take):
            pass
    else:
        best = _compare_two(first, _open(b.source, name), k)
    starts = torch.tensor([a.start, b.start - a.rows])
    columns = (best.columns + starts[(best.columns >= a.rows).long()]).where(best.columns >= 0, -1)
    return tuple((columns[side].numpy(), best.values[side].numpy()) for side in (slice(a.rows), slice(a.rows, None)))


def _compare_two(first: Rows, second: Rows, k: int) -> Best:
    """Compare every row of one shard with every row of another, whose positions follow those of the first."""
    best = Best(first.n + second.n, k, torch.empty(0))
    others = [ids + first.n for ids in second.parts()]

    def read(ids: Tensor) -> Tensor:
        return second.take(ids - first.n) if ids[0] >= first.n else first.take(ids)

    for _ in compare_two(best, first.parts(), others, read):
        pass
    return best


def _merge(
    found: list[tuple[tuple[np.ndarray, np.ndarray], ...]], sides: list[int], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest of all neighbours that the tasks found for one shard."""
    indices = torch.from_numpy(np.concatenate([pair[side][0] for pair, side in zip(found, sides, strict=True)], axis=1))
    cosines = torch.from_numpy(np.concatenate([pair[side][1] for pair, side in zip(found, sides, strict=True)], axis=1))
    cosines, order = cosines.topk(k)
    return indices.gather(1, order).numpy(), cosines.clamp(-1, 1).numpy()


def _gather(tasks: list[Future], merged: list[Future], progress: bool) -> tuple[np.ndarray, np.ndarray]:
    """Indices and cosines of all shards, when all tasks are done; the first error of a task is raised."""
    with extra("sweeps"):
        from distributed import as_completed
    from tqdm.auto import tqdm

    total = len(tasks)
    done = as_completed(tasks)
    tasks.clear()
    for future in tqdm(done, "neighbours", total, unit="task", disable=not progress):
        if future.status != "finished":
            future.result()
    graphs = [future.result() for future in merged]
    return np.concatenate([indices for indices, _ in graphs]), np.concatenate([cosines for _, cosines in graphs])
