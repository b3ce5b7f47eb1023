"""The graph of the k nearest neighbours: how it is found for any number of embeddings, kept and handed over."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lend.inputs import as_count, as_matrix, is_sparse, require, require_name
from lend.neighbors import apart, clusters, halves, reduced
from lend.neighbors import faiss_index as indexes
from lend.neighbors.blocks import nearest_by_blocks, nearest_of
from lend.neighbors.rows import BLOCK, Rows
from lend.neighbors.sparse import nearest_by_sparse
from lend.neighbors.threads import torch_threads
from lend.neighbors.topk import Best
from lend.storage import DamagedFileError, read_arrays, write_arrays

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

EXACT = 100_000  # examples up to which all may be compared: half a minute at 512 numbers each, two cores without AMX
FEW = 20_000  # examples below which exact search is as quick as any
WIDE = 1024  # numbers of a row from which "auto" reduces them: with fewer that can take a fifth longer
RECALL = 0.99  # that "auto" asks of an approximate graph up to EXACT
ROUNDING, ROUNDING_64 = 1e-6, 1e-14  # of a cosine in float32 and float64


@dataclass(frozen=True, eq=False)
class KnnGraph:
    """The k nearest neighbours of every example by cosine, the nearest first.

    Args:
        indices: Neighbours (n, k), int64; no example is its own.
        cosines: Cosines to the neighbours, (n, k), float32, in [-1, 1].
        method: How they were found.
        recall: Share of the true neighbours that were found: 1 if exact, measured on some rows if approximate, None
            where it is not known.

    Raises:
        ValueError: If shapes, types, range or order differ from these, or an example is its own neighbour.
    """

    indices: np.ndarray
    cosines: np.ndarray
    method: str
    recall: float | None

    def __post_init__(self) -> None:
        shape, types = self.indices.shape, (str(self.indices.dtype), str(self.cosines.dtype))
        require(len(shape) == 2 and shape[0] > shape[1] >= 1, "indices", "of shape (n, k) with k below n", shape)
        require(self.cosines.shape == shape, "cosines", f"of shape {shape}, as the indices", self.cosines.shape)
        require(types == ("int64", "float32"), "indices and cosines", "int64 and float32", types)
        low, high = int(self.indices.min()), int(self.indices.max())
        require(low >= 0 and high < self.n, "indices", f"inside 0..{self.n - 1}", f"{low}..{high}")
        ordered = bool((np.diff(self.cosines, axis=1) <= 0).all() and (np.abs(self.cosines) <= 1).all())
        require(ordered, "cosines", "inside [-1, 1] and decreasing in every row", "others")
        own = np.flatnonzero((self.indices == np.arange(self.n)[:, None]).any(axis=1))
        require(len(own) == 0, "indices", "those of other examples", f"row {own[:1]} among its own neighbours")

    @property
    def n(self) -> int:
        """Examples."""
        return self.indices.shape[0]

    @property
    def k(self) -> int:
        """Neighbours of each."""
        return self.indices.shape[1]

    @property
    def search(self) -> str:
        """How the neighbours were found, in words: "exact", "clusters, recall 0.995", "given, recall not known"."""
        if self.recall == 1:
            return self.method
        return f"{self.method}, recall " + ("not known" if self.recall is None else f"{self.recall:.3f}")

    def first(self, k: int) -> KnnGraph:
        """The graph of the k nearest of these neighbours. What it found of them is known only if it is exact."""
        k = as_count(k, "k", 1, self.k)
        recall = self.recall if k == self.k or self.method in EXACT_METHODS else None
        return KnnGraph(self.indices[:, :k], self.cosines[:, :k], self.method, recall)

    def to_csr(self) -> csr_matrix:
        """Cosine distances as a SciPy CSR matrix (n, n), k of them a row, ascending: cleanlab's ``knn_graph``.

        A duplicate has the distance 0, which is stored.
        """
        from scipy.sparse import csr_matrix

        distances = 1 - self.cosines.astype(np.float64)
        starts = np.arange(0, self.n * self.k + 1, self.k)
        return csr_matrix((distances.ravel(), self.indices.ravel(), starts), shape=(self.n, self.n))

    @classmethod
    def from_csr(cls, matrix: Any, name: str = "matrix") -> KnnGraph:  # noqa: ANN401
        """Take in a graph of cosine distances, such as one made for cleanlab; its recall is not known.

        Args:
            matrix: SciPy CSR (n, n), the same number of stored entries in every row, in any order, none on the
                diagonal, each inside [0, 2].
            name: Of the argument that it was given as, for errors.

        Raises:
            ValueError: If it is another matrix.
        """
        shape: tuple[int, ...] = getattr(matrix, "shape", ())
        form = getattr(matrix, "format", type(matrix).__name__)
        square = len(shape) == 2 and shape[0] == shape[1] and form == "csr"
        require(square, name, "CSR of shape (n, n)", f"{form} of shape {shape}")
        entries = np.unique(np.diff(matrix.indptr))
        require(len(entries) == 1, name, "of as many entries in every row", entries.tolist())
        shape = (shape[0], int(entries[0]))
        distances = np.asarray(matrix.data, np.float64).reshape(shape)
        valid = bool(((distances >= -ROUNDING) & (distances <= 2 + ROUNDING)).all())
        got = (float(distances.min(initial=2)), float(distances.max(initial=0)))
        require(valid, name, "of cosine distances inside [0, 2]", got)
        order = np.argsort(distances, axis=1, kind="stable")
        indices = np.take_along_axis(matrix.indices.astype(np.int64).reshape(shape), order, axis=1)
        cosines = (1 - np.take_along_axis(distances, order, axis=1)).clip(-1, 1).astype(np.float32)
        graph = cls(indices, cosines, "given", None)
        repeated = np.flatnonzero((np.diff(np.sort(indices, axis=1), axis=1) == 0).any(axis=1))
        require(len(repeated) == 0, name, "of different neighbours in each row", f"row {repeated[:1]} with one twice")
        _refuse_connectivity(*got)
        return graph

    def save(self, path: str | Path) -> None:
        """Write one .npz, whole or not at all."""
        recall = np.array(np.nan if self.recall is None else self.recall)
        arrays = {"indices": self.indices, "cosines": self.cosines, "method": np.array(self.method), "recall": recall}
        write_arrays(Path(path).resolve(), arrays)

    @classmethod
    def load(cls, path: str | Path) -> KnnGraph:
        """Read what :meth:`save` wrote; executes nothing.

        Raises:
            DamagedFileError: If the file is missing, damaged or holds something else.
        """
        arrays = read_arrays(Path(path).resolve())
        try:
            recall = float(arrays["recall"])
            return cls(
                arrays["indices"], arrays["cosines"], str(arrays["method"]), None if np.isnan(recall) else recall
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedFileError(f"{path} holds no graph of neighbours: {error}") from None


def _refuse_connectivity(least: float, most: float) -> None:
    """A graph that says only who is a neighbour of whom has ones in place of distances: no neighbour would count."""
    only_ones = least == most == 1
    require(not only_ones, "matrix", "of cosine distances (metric='cosine', mode='distance')", "ones alone")
    if least == most > 0:
        warnings.warn(f"knn_graph: all distances are {least:g}, so every neighbour counts alike", stacklevel=5)


def require_one(embeddings: Any, knn_graph: Any) -> None:  # noqa: ANN401
    """ValueError unless there are embeddings or a graph that stands for them, and not both."""
    came = "neither" if knn_graph is None else "both"
    require((embeddings is None) != (knn_graph is None), "embeddings", "given, or else knn_graph", came)


def as_graph(graph: Any) -> KnnGraph:  # noqa: ANN401
    """A graph that was handed in: one of ours, or a SciPy CSR matrix of cosine distances."""
    return graph if isinstance(graph, KnnGraph) else KnnGraph.from_csr(graph, "knn_graph")


def knn_graph(
    embeddings: Any,  # noqa: ANN401
    k: int,
    *,
    method: str = "auto",
    sample: int = 1000,
    seed: int = 0,
    threads: int | None = None,
    progress: bool = True,
) -> KnnGraph:
    """Find the k nearest neighbours of every example by cosine, exactly or nearly.

    An example is never its own neighbour; a duplicate of it is one. A zero row has cosine 0 with all others. The order
    of neighbours at equal cosine is free. Up to 2²⁶ numbers are held once more, in float32; more are read in blocks.
    Beside that "faiss" and "hnsw" hold a copy in their index, "reduced" one in float32, and so does "exact" up to 2²⁸
    numbers, with another where rows lie in groups, or one or three in bfloat16 where the processor multiplies halves
    (AMX). The same seed and number of threads give the same graph on a CPU, but for
    "hnsw" with several threads.

    Args:
        embeddings: (n, d) finite numbers: a NumPy array of any number type, in memory or mapped from a file, a torch
            tensor on any device, a frame, or a SciPy sparse matrix, which is searched exactly. Computed in float32;
            in float64 where rows are nearly parallel, with a warning.
        k: Neighbours of each, 1 to n-1.
        method: "exact"; "faiss", its flat index, as exact; "clusters", nearly exact: clusters are looked into until
            99.5 % of the true neighbours of some trial rows are found; "reduced", for wide embeddings: candidates from
            fewer numbers, then exact cosines, exact where these do not tell; "hnsw", of faiss; or "auto": "exact" below
            20,000 examples, and up to 100,000 where the processor multiplies halves (AMX); else up to 100,000 "reduced"
            from 1,024 numbers and "clusters" of fewer, but "exact" where their recall is below 0.99, or rows of
            fewer numbers lie on another device than the processor; "clusters" above 100,000.
        sample: Rows on which the recall of an approximate graph is measured against exact search.
        seed: Seed of whatever is drawn: those rows, clusters, levels.
        threads: To use; torch's number if not given.
        progress: Show a progress bar with the time left.

    Returns:
        The graph, with its recall. A neighbour counts as found where its cosine is one of the k largest, so that
        either of two equal ones is right.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.
    """
    require_name(method, ["auto", *METHODS], "method")
    sample, seed = as_count(sample, "sample"), as_count(seed, "seed", 0)
    threads = None if threads is None else as_count(threads, "threads")
    matrix = as_matrix(embeddings)
    k = as_count(k, "k", 1, matrix.shape[0] - 1)
    if is_sparse(matrix):
        require(method in ("auto", "exact"), "method", "'auto' or 'exact' for a sparse matrix", method)
        return _finished(nearest_by_sparse(matrix, k, progress), "exact", 1.0)
    rows = Rows(matrix)
    chosen = method == "auto"
    if chosen:
        method = _automatic(rows, k)
    with torch.no_grad(), torch.autocast(rows.device.type, enabled=False), torch_threads(threads):
        best = METHODS[method](rows, k, seed=seed, progress=progress)
        _complete(best, rows)
        exact = method == "exact" or (method in EXACT_METHODS and rows.precision == torch.float32)
        recall = 1.0 if exact else _recall(best, rows, sample, seed)
        if chosen and rows.n <= EXACT and recall < RECALL:
            method, best, recall = "exact", _exact(rows, k, progress=progress), 1.0
    return _finished(best, method, recall)


def _finished(best: Best, method: str, recall: float) -> KnnGraph:
    return KnnGraph(best.columns.cpu().numpy(), best.values.clamp(-1, 1).float().cpu().numpy(), method, recall)


def _automatic(rows: Rows, k: int) -> str:
    if rows.n > EXACT:
        return "clusters"
    if rows.n < FEW or _halves_pay(rows, k):
        return "exact"
    if rows.d >= WIDE:
        return "reduced"
    return "clusters" if rows.device.type == "cpu" else "exact"  # other devices were not measured


def _halves_pay(rows: Rows, k: int) -> bool:
    return halves.pay(rows.n, rows.d, k, torch.empty(0, dtype=rows.precision, device=rows.device))


def _exact(rows: Rows, k: int, *, seed: int = 0, progress: bool = False) -> Best:
    if apart.LEAST <= rows.n and rows.n * rows.d <= halves.LARGEST and rows.device.type == "cpu":
        found = apart.nearest_if_apart(rows.all(), k, progress)
        if found is not None:
            return found
    if _halves_pay(rows, k):
        return halves.nearest_by_halves(rows.all(), k, progress)
    return nearest_by_blocks(rows.take, rows.n, k, BLOCK, progress)


METHODS: dict[str, Callable[..., Best]] = {
    "exact": _exact,
    "faiss": indexes.nearest_by_flat,
    "clusters": clusters.nearest_by_clusters,
    "reduced": reduced.nearest_by_reduced,
    "hnsw": indexes.nearest_by_hnsw,
}
EXACT_METHODS = {"exact", "faiss", "sharded"}


def _complete(best: Best, rows: Rows) -> None:
    """Find the neighbours of the rows that lack some, exactly."""
    short = (best.columns < 0).any(dim=1).nonzero()[:, 0]
    for ids in short.split(BLOCK) if len(short) else ():
        found = nearest_of(ids, rows.take, rows.n, best.columns.shape[1])
        best.columns[ids], best.values[ids] = found.columns, found.values


def _recall(best: Best, rows: Rows, sample: int, seed: int) -> float:
    """Share of the k nearest neighbours found, of rows drawn apart from those that a search tries itself on."""
    drawn = np.random.default_rng([seed, 1]).choice(rows.n, min(sample, rows.n), replace=False)
    ids = torch.from_numpy(np.sort(drawn)).to(rows.device)
    least = nearest_of(ids, rows.take, rows.n, best.values.shape[1]).values[:, -1:]
    rounding = ROUNDING if best.values.dtype == torch.float32 else ROUNDING_64
    return float((best.values[ids] >= least - rounding).double().mean())
