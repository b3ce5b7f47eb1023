"""What an audit is given, checked: labels, sample ids, images, and embeddings or their graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.config import require
from lend.neighbors import KnnGraph, as_graph, require_one
from lend.neighbors import knn_graph as find_neighbors

NEIGHBORS = 16


def encode(labels: Any) -> tuple[Int[np.ndarray, " n"], list[Any]]:  # noqa: ANN401
    """Labels as codes 0..c-1 and the sorted list of what they stand for, Python integers or strings.

    Args:
        labels: (n,) integers or strings: an array, a tensor, a Series or a list.

    Raises:
        ValueError: If they are of another kind or shape, one is missing, or there are fewer than two classes.
    """
    labels = labels.detach().cpu() if hasattr(labels, "detach") else labels
    # NumPy would turn the numbers of a mixed list into text
    array = np.asarray(labels) if hasattr(labels, "dtype") else np.array(list(labels), dtype=object)
    require(array.ndim == 1 and len(array) > 0, "labels", "of shape (n,)", array.shape)
    text = array.dtype.kind in "OTU" and all(isinstance(label, str) for label in array)
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "O" and all(_is_whole(label) for label in array))
    require(text or whole, "labels", "all integers or all strings", _kinds(array))
    names, codes = np.unique(array.astype(object if text else np.int64), return_inverse=True)
    require(len(names) > 1, "labels", "of at least 2 classes", list(names))
    return codes.astype(np.int64), names.tolist()


def _is_whole(label: Any) -> bool:  # noqa: ANN401
    return isinstance(label, int | np.integer) and not isinstance(label, bool)


def _kinds(array: np.ndarray) -> str:
    """What came, for the message of an error."""
    if array.dtype.kind != "O":
        return str(array.dtype)
    return " and ".join(sorted({type(label).__name__ for label in array}))


def check_ids(sample_ids: Any, n: int) -> pd.Index:  # noqa: ANN401
    """The index of the issues: the given ids, or positions."""
    ids = np.arange(n) if sample_ids is None else sample_ids
    index = pd.Index(np.asarray(ids.detach().cpu() if hasattr(ids, "detach") else ids), name="sample_id")
    require(len(index) == n, "sample_ids", f"of length {n}, one per label", len(index))
    repeated = index[index.duplicated()].unique()
    require(not len(repeated), "sample_ids", "all different", f"{list(repeated[:5])} more than once")
    return index


def check_images(images: Any, n: int) -> Any:  # noqa: ANN401
    require(len(images) == n, "images", f"of length {n}, one per label", len(images))
    return images


def neighbor_graphs(
    embeddings: Any,  # noqa: ANN401
    given_graph: Any,  # noqa: ANN401
    n: int,
    k: int | None,
    progress: bool,
) -> list[KnnGraph]:
    """The graph of each set of embeddings, or the given one, with k neighbours of each of n examples."""
    require_one(embeddings, given_graph)
    if embeddings is None:
        graph = as_graph(given_graph)
        require(graph.n == n, "knn_graph", f"of {n} examples, one per label", graph.n)
        return [graph.first(min(NEIGHBORS, graph.k) if k is None else k)]
    parts = embeddings.values() if isinstance(embeddings, Mapping) else embeddings
    several = isinstance(embeddings, list | tuple | Mapping)
    require(not several or len(parts) > 0, "embeddings", "at least one array", "none")
    return [_graph(part, n, NEIGHBORS if k is None else k, progress) for part in (parts if several else [parts])]


def _graph(embeddings: Any, n: int, k: int, progress: bool) -> KnnGraph:  # noqa: ANN401
    shape = tuple(getattr(embeddings, "shape", ()))
    require(len(shape) == 2, "embeddings", "an array of shape (n, d), or a list of such arrays", shape or embeddings)
    require(shape[0] == n, "embeddings", f"of {n} rows, one per label", shape[0])
    return find_neighbors(embeddings, k, progress=progress)
