"""Checks of what an audit is given beside its labels: images or texts, and embeddings or their graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lend.inputs import align, align_rows, as_matrix, is_sparse, require
from lend.neighbors import KnnGraph, as_graph, require_one
from lend.neighbors import knn_graph as find_neighbors

NEIGHBORS = 16  # neighbours of each example, if k is not given


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


def neighbor_graphs(
    embeddings: Any,  # noqa: ANN401 (arrays of any library)
    given_graph: Any,  # noqa: ANN401
    n: int,
    k: int | None,
    progress: bool,
    index: pd.Index | None = None,
) -> list[KnnGraph]:
    """Find the neighbours in each set of embeddings, or take those of the given graph.

    Args:
        embeddings: One array (n, d), or a list or mapping of them; None with a graph.
        given_graph: A `lend.KnnGraph` or a SciPy CSR matrix of cosine distances; None with embeddings.
        n: Number of examples.
        k: Neighbours of each example; if not given, 16, or those of the graph where it has fewer.
        progress: Show a progress bar.
        index: Index of the labels, by which frames of embeddings go; positions if None.

    Returns:
        One graph per set of embeddings.

    Raises:
        ValueError: If both or neither are given, or one is not of n examples.
    """
    require_one(embeddings, given_graph)
    if embeddings is None:
        graph = as_graph(given_graph)
        require(graph.n == n, "knn_graph", f"of {n} examples, one per label", graph.n)
        return [graph.first(min(NEIGHBORS, graph.k) if k is None else k)]
    matrices = matrices_of(embeddings, n, index)
    return [find_neighbors(matrix, NEIGHBORS if k is None else k, progress=progress) for matrix in matrices]


def matrices_of(embeddings: Any, n: int, index: pd.Index | None = None) -> list[Any]:  # noqa: ANN401 (likewise)
    """Return each set of embeddings as a matrix of n rows, in the order of the labels; none for None.

    Args:
        embeddings: One array (n, d), or a list or mapping of them; or None.
        n: Number of examples.
        index: Index of the labels, by which frames of embeddings go; positions if None.

    Raises:
        ValueError: If one is not of n examples.
    """
    if embeddings is None:
        return []
    several = isinstance(embeddings, list | tuple | Mapping) and not _is_rows(embeddings)
    parts = list(embeddings.values() if isinstance(embeddings, Mapping) else embeddings) if several else [embeddings]
    require(len(parts) > 0, "embeddings", "at least one array", "none")
    matrices = [as_matrix(align_rows(part, index)) for part in parts]
    for matrix in matrices:  # before the long work
        require(matrix.shape[0] == n, "embeddings", f"of {n} rows, one per label", matrix.shape[0])
    return matrices


def _is_rows(embeddings: Any) -> bool:  # noqa: ANN401
    """Whether a list is one array, written as a list of its rows."""
    first = next(iter(embeddings), None) if isinstance(embeddings, list | tuple) else None
    return first is not None and not is_sparse(first) and np.ndim(first) == 1
