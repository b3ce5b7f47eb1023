"""Embeddings and labels of users as tensors, checked; results as the array type that came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.dilution.equations import Array, one_hot
from lend.inputs import require
from lend.neighbors import EXACT, KnnGraph, as_graph, nearest, require_one
from lend.neighbors import knn_graph as find_neighbors


def find_neighbors_and_encode(
    embeddings: Array | None,
    labels: Array,
    num_classes: int | None,
    k: int,
    knn_graph: Any,  # noqa: ANN401
) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"], Float[Tensor, "n c"]]:
    """Neighbours, their cosines and one-hot labels: of embeddings, on their device, or of a graph that is known."""
    require_one(embeddings, knn_graph)
    known = embeddings if embeddings is not None else as_graph(knn_graph)
    y, c = check_labels(labels, known.n if isinstance(known, KnnGraph) else len(known), num_classes)
    if not isinstance(known, KnnGraph) and len(known) <= EXACT:
        indices, cosines = nearest(check_embeddings(known), k)
    else:
        graph = known.first(k) if isinstance(known, KnnGraph) else find_neighbors(known, k)
        device = embeddings.device if isinstance(embeddings, Tensor) else "cpu"
        indices, cosines = torch.from_numpy(graph.indices).to(device), torch.from_numpy(graph.cosines).to(device)
    return indices, cosines, one_hot(y.to(indices.device), c, cosines.dtype)


def check_embeddings(embeddings: Array) -> Float[Tensor, "n d"]:
    V = as_tensor(embeddings).detach()
    require(V.ndim == 2 and V.numel() > 0, "embeddings", "of shape (n, d)", tuple(V.shape))
    return V if V.dtype == torch.float64 else V.float()  # whether all are finite, nearest() checks


def check_labels(labels: Array, n: int, num_classes: int | None) -> tuple[Int[Tensor, " n"], int]:
    """Labels as a tensor, and the number of classes; ValueError unless there are n, all integers from 0."""
    y = as_tensor(labels)
    require(y.shape == (n,), "labels", f"of shape ({n},), one per embedding", tuple(y.shape))
    whole = not (y.is_floating_point() or y.is_complex() or y.dtype == torch.bool)
    require(whole, "labels", "integers", str(y.dtype).removeprefix("torch."))
    low, high = int(y.min()), int(y.max())
    c = high + 1 if num_classes is None else num_classes
    require(c >= 1 and low >= 0 and high < c, "labels", f"inside 0..{c - 1}", f"{low}..{high}")
    return y.long(), c


def as_tensor(values: Array) -> Tensor:
    if isinstance(values, Tensor):
        return values
    values = np.asarray(values)
    # torch shares memory with NumPy, and warns where it could write into a read-only array
    return torch.from_numpy(values if values.flags.writeable else values.copy())


def answer_like(result: Tensor, like: Array) -> Array:
    return result if isinstance(like, Tensor) else result.cpu().numpy()
