"""Checks of what an audit is given: labels, sample ids, images, and embeddings or their graph."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.inputs import require
from lend.neighbors import KnnGraph, as_graph, require_one
from lend.neighbors import knn_graph as find_neighbors

NEIGHBORS = 16  # neighbours of each example, if k is not given

Images = TypeVar("Images", bound=Sized)


def encode(labels: Any) -> tuple[Int[np.ndarray, " n"], list[Any]]:  # noqa: ANN401 (arrays of any library)
    """Encode labels as numbers 0..c-1.

    Args:
        labels: (n,) integers or strings: an array, a tensor, a Series or a list.

    Returns:
        Code of each label, and the sorted list of the classes that the codes stand for, Python integers or strings.

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


def _is_whole(label: object) -> bool:
    return isinstance(label, int | np.integer) and not isinstance(label, bool)


def _kinds(array: np.ndarray) -> str:
    """Return the types of the labels, for the message of an error."""
    if array.dtype.kind != "O":
        return str(array.dtype)
    return " and ".join(sorted({type(label).__name__ for label in array}))


def check_ids(sample_ids: Any, n: int) -> pd.Index:  # noqa: ANN401 (arrays of any library)
    """Return the ids of n examples as the index of a table.

    Args:
        sample_ids: (n,) ids, or None for positions.
        n: Number of examples.

    Raises:
        ValueError: If the ids are of another number, or not all different.
    """
    ids = np.arange(n) if sample_ids is None else sample_ids
    index = pd.Index(np.asarray(ids.detach().cpu() if hasattr(ids, "detach") else ids), name="sample_id")
    require(len(index) == n, "sample_ids", f"of length {n}, one per label", len(index))
    repeated = index[index.duplicated()].unique()
    require(not len(repeated), "sample_ids", "all different", f"{list(repeated[:5])} more than once")
    return index


def check_images(images: Images, n: int) -> Images:
    """Return the images, or raise ValueError unless there is one for each of n labels."""
    require(len(images) == n, "images", f"of length {n}, one per label", len(images))
    return images


def neighbor_graphs(
    embeddings: Any,  # noqa: ANN401 (arrays of any library)
    given_graph: Any,  # noqa: ANN401
    n: int,
    k: int | None,
    progress: bool,
) -> list[KnnGraph]:
    """Find the neighbours in each set of embeddings, or take those of the given graph.

    Args:
        embeddings: One array (n, d), or a list or mapping of them; None with a graph.
        given_graph: A `lend.KnnGraph` or a SciPy CSR matrix of cosine distances; None with embeddings.
        n: Number of examples.
        k: Neighbours of each example; if not given, 16, or those of the graph where it has fewer.
        progress: Show a progress bar.

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
    parts = embeddings.values() if isinstance(embeddings, Mapping) else embeddings
    several = isinstance(embeddings, list | tuple | Mapping)
    require(not several or len(parts) > 0, "embeddings", "at least one array", "none")
    return [_graph(part, n, NEIGHBORS if k is None else k, progress) for part in (parts if several else [parts])]


def _graph(embeddings: Any, n: int, k: int, progress: bool) -> KnnGraph:  # noqa: ANN401 (likewise)
    shape = tuple(getattr(embeddings, "shape", ()))
    require(len(shape) == 2, "embeddings", "an array of shape (n, d), or a list of such arrays", shape or embeddings)
    require(shape[0] == n, "embeddings", f"of {n} rows, one per label", shape[0])
    return find_neighbors(embeddings, k, progress=progress)
