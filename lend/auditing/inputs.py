"""Checks of what an audit is given beside its labels: images or texts, and embeddings or their graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from lend.inputs import align, align_rows, as_matrix, is_sparse, require
from lend.neighbors import KnnGraph, as_graph, unit_rows
from lend.neighbors import knn_graph as find_neighbors

NEIGHBORS = 16  # neighbours of each example, if k is not given
LOOKED_AT, AWAY = 100, 0.05  # rows whose cosines tell whether a graph is of these embeddings, and how far they may be


def check_shown(shown: Any, n: int, index: pd.Index | None = None, name: str = "images") -> Any:  # noqa: ANN401
    """Return the images or texts of the examples in the order of the labels.

    Args:
        shown: (n, ...) one per label; a Series or dict goes by the index of the labels.
        n: Number of labels.
        index: That index; positions if None.
        name: Of the argument, for errors.

    Raises:
        ValueError: If there is not one for each label.
    """
    shown = align(shown, n, index, name)
    sized = hasattr(shown, "__len__") and hasattr(shown, "__getitem__") and not isinstance(shown, str | bytes)
    require(sized, name, f"a list or an array of {n} {name}", type(shown).__name__)
    require(len(shown) == n, name, f"of length {n}, one per label", len(shown))
    return shown.tolist() if isinstance(shown, pd.Series) else shown


def matrices(
    embeddings: Any,  # noqa: ANN401 (arrays of any library)
    given_graph: Any,  # noqa: ANN401
    n: int,
    index: pd.Index | None = None,
) -> list[Any]:
    """Return each set of embeddings as a matrix; none where a graph stands for them.

    Args:
        embeddings: One array (n, d), or a list or mapping of them; None where a graph stands for them.
        given_graph: A graph of neighbours, or several; None if they are still to be found.
        n: Number of examples.
        index: Index of the labels, by which frames of embeddings go; positions if None.

    Raises:
        ValueError: If neither embeddings nor graph is given, or a set is not of n examples.
    """
    if embeddings is None:
        require(given_graph is not None, "embeddings", "given, or else knn_graph", "neither")
        return []
    parts = parts_of(embeddings)
    require(len(parts) > 0, "embeddings", "at least one array", "none")
    found = [as_matrix(align_rows(part, index)) for part in parts]
    for matrix in found:  # before the long work
        require(matrix.shape[0] == n, "embeddings", f"of {n} rows, one per label", matrix.shape[0])
    return found


def neighbor_graphs(
    parts: Sequence[Any],
    given_graph: Any,  # noqa: ANN401 (a graph of ours, or a SciPy matrix)
    n: int,
    k: int | None,
    progress: bool,
) -> list[KnnGraph]:
    """Find the neighbours in each set of embeddings, or take those of the given graphs.

    Args:
        parts: What ``matrices`` returns.
        given_graph: A `lend.KnnGraph` or a SciPy CSR matrix of cosine distances, or a list of them; None to search.
        n: Number of examples.
        k: Neighbours of each example; if not given, 16, or those of the graphs where one has fewer.
        progress: Show a progress bar.

    Returns:
        One graph per set of embeddings, all of as many neighbours.

    Raises:
        ValueError: If a graph is not of n examples, or of other embeddings, or there is not one for each set.
    """
    if given_graph is None:
        return [find_neighbors(matrix, NEIGHBORS if k is None else k, progress=progress) for matrix in parts]
    graphs = [as_graph(graph) for graph in (given_graph if isinstance(given_graph, list | tuple) else [given_graph])]
    wanted = len(parts) or max(1, len(graphs))
    require(len(graphs) == wanted, "knn_graph", f"{wanted}, one for each set of embeddings", len(graphs))
    for graph in graphs:
        require(graph.n == n, "knn_graph", f"of {n} examples, one per label", graph.n)
    for graph, matrix in zip(graphs, parts, strict=False):  # a graph alone has no embeddings beside it
        _require_graph_of(matrix, graph)
    fewest = min(NEIGHBORS, *(graph.k for graph in graphs))
    return [graph.first(fewest if k is None else k) for graph in graphs]


def _require_graph_of(matrix: Any, graph: KnnGraph) -> None:  # noqa: ANN401 (what as_matrix returns)
    """Refuse a graph of other rows: the cosine to a nearest neighbour is then another one in the embeddings."""
    rows = np.linspace(0, graph.n - 1, min(graph.n, LOOKED_AT)).astype(np.int64)
    ours, theirs = (_some_units(matrix, ids) for ids in (rows, graph.indices[rows, 0]))
    cosines, stored = (ours * theirs).sum(axis=1), graph.cosines[rows, 0]
    away = np.nan_to_num(np.abs(cosines - stored))  # NaN is an error of its own
    worst = int(away.argmax())
    require(
        float(np.median(away)) <= AWAY,
        "knn_graph",
        "of these embeddings, in their order",
        f"cosine {stored[worst]:.2f} from row {rows[worst]} to its nearest, which have {cosines[worst]:.2f}",
    )


def _some_units(matrix: Any, ids: np.ndarray) -> np.ndarray:  # noqa: ANN401
    """Return some rows, scaled to length 1."""
    if isinstance(matrix, torch.Tensor):
        some = matrix.detach()[torch.from_numpy(ids).to(matrix.device)].cpu()
    else:
        some = torch.from_numpy(np.asarray(matrix[ids].toarray() if is_sparse(matrix) else matrix[ids], np.float64))
    return unit_rows(some.double()).numpy()


def parts_of(embeddings: Any) -> list[Any]:  # noqa: ANN401
    """Return one array of embeddings, or several in a list or a mapping, as a list of arrays."""
    if not isinstance(embeddings, list | tuple | Mapping) or _is_rows(embeddings):
        return [embeddings]
    return list(embeddings.values() if isinstance(embeddings, Mapping) else embeddings)


def _is_rows(embeddings: Any) -> bool:  # noqa: ANN401
    """Whether a list is one array, written as a list of its rows."""
    first = next(iter(embeddings), None) if isinstance(embeddings, list | tuple) else None
    return first is not None and not is_sparse(first) and np.ndim(first) == 1
