"""Embeddings and labels of users as tensors, checked; results as the array type that came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.dilution.equations import Array, one_hot
from lend.inputs import align_rows, as_codes, as_count, as_matrix, as_tensor, index_of
from lend.neighbors import EXACT, KnnGraph, as_graph, nearest, require_one
from lend.neighbors import knn_graph as find_neighbors


def find_neighbors_and_encode(
    embeddings: Any,  # noqa: ANN401 (arrays of any library)
    labels: Any,  # noqa: ANN401
    num_classes: int | None,
    k: int,
    knn_graph: Any,  # noqa: ANN401
) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"], Float[Tensor, "n c"]]:
    """Neighbours, their cosines and one-hot labels: of embeddings, on their device, or of a graph that is known."""
    require_one(embeddings, knn_graph)
    if embeddings is None:
        graph = as_graph(knn_graph)
        y, c = as_codes(labels, graph.n, num_classes)
        indices, cosines = _as_tensors(graph.first(k))
    else:
        rows = as_matrix(align_rows(embeddings, index_of(labels)))
        y, c = as_codes(labels, rows.shape[0], num_classes)
        indices, cosines = neighbors_of(rows, k)
    return indices, cosines, one_hot(y.to(indices.device), c, cosines.dtype)


def neighbors_of(embeddings: Any, k: int) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:  # noqa: ANN401
    """The k nearest neighbours of each row and their cosines, on the device of the embeddings."""
    rows = as_matrix(embeddings)
    k = as_count(k, "k", 1, rows.shape[0] - 1)
    if rows.shape[0] <= EXACT and isinstance(rows, Tensor | np.ndarray):
        V = rows if isinstance(rows, Tensor) else as_tensor(rows)
        return nearest(V if V.dtype == torch.float64 else V.float(), k)
    device = rows.device if isinstance(rows, Tensor) else "cpu"
    indices, cosines = _as_tensors(find_neighbors(rows, k, progress=rows.shape[0] > EXACT))
    return indices.to(device), cosines.to(device)


def _as_tensors(graph: KnnGraph) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(graph.indices), torch.from_numpy(graph.cosines)


def answer_like(result: Tensor, like: Any) -> Array:  # noqa: ANN401
    return result if isinstance(like, Tensor) else result.cpu().numpy()
