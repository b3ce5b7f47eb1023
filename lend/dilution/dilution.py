"""LEND, Eq. (1) to (6) and Definition 1 (arXiv 2206.13025), one short function each.

Letters, as in ``equations.py``:

    V (n, d)  embeddings, rows scaled to length 1     A (n, n)  similarity to the k nearest neighbours
    y (n,)    noisy labels                            W (n, n)  A made symmetric and normalised
    Z (n, c)  label distributions while they dilute   k, γ, α, β  neighbours, exponent, spread, momentum

What the paper leaves open is an option of :func:`dilute`; the README's table of open choices names them all.
Every function takes NumPy arrays or torch tensors and returns the same array type, on the same device.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lend.config import Dilution
from lend.dilution.arrays import answer_like, check_embeddings, check_labels, find_neighbors_and_encode
from lend.dilution.equations import COLLAPSE, Array, Graph, dilute_from_neighbors, most_frequent, one_hot, prior_weights
from lend.neighbors import nearest

# --- Eq. (3) and (4): the dilution --------------------------------------------------------------------------------


def dilute(
    embeddings: Array | None,
    labels: Array,
    *,
    num_classes: int | None = None,
    k: int = 8,
    gamma: float = 3.0,
    alpha: float = 0.99,
    steps: int | str = 2,
    affinity: str = "product",
    reserve: str = "previous",
    class_prior: str | Array | list[float] | None = None,
    normalize: bool = True,
    knn_graph: Any = None,  # noqa: ANN401
) -> Any:  # noqa: ANN401 (an array of the kind that came in)
    """Dilute noisy labels among neighbours in embedding space: Eq. (1) to (4).

    Args:
        embeddings: (n, d) finite numbers; rows are scaled to length 1 (paper: not stated; cosine, since raw products
            favour long vectors). A zero row is no error: it has no neighbours and keeps its label. None with
            ``knn_graph``.
        labels: (n,) noisy labels, integers 0..c-1.
        num_classes: c; the largest label plus one if not given.
        k: Neighbours of each example, 1 to n-1. The order of neighbours at equal similarity is free.
        gamma: Exponent of Eq. (1) (paper: by reference only; 3 in the cited source).
        alpha: Share taken from the neighbours in each step, inside (0, 1).
        steps: Iterations of Eq. (3) (paper: "until converge", which collapses; sane: 1 to 5), or "converged".
        affinity: "product" (W' = AᵀA, as printed) or "sum" (A + Aᵀ).
        reserve: "previous" (Z(t-1), as printed) or "initial" (Z(0)).
        class_prior: None (as printed in the paper); "balanced" where the true classes are equally frequent;
            or the true share of each class. Votes of class j then count true_j / given_j.
        normalize: Rows sum to one. False returns Eq. (3) as printed.
        knn_graph: In place of the embeddings, a `lend.KnnGraph` or a SciPy CSR matrix of cosine distances, with k or
            more neighbours of each example.

    Returns:
        (n, c) label distributions. Dense arithmetic up to 4096 examples, sparse above, the same numbers. Neighbours
        are exact up to 100,000 examples, and those of :func:`lend.knn_graph`, with its progress bar, above.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.

    Example:
        >>> V = np.array([[1.0, 0.0], [0.9, 0.1], [0.9, 0.2], [0.0, 1.0], [0.1, 0.9], [0.2, 0.9]])
        >>> dilute(V, np.array([0, 0, 1, 1, 1, 1]), k=2).argmax(axis=1)
        array([0, 0, 0, 1, 1, 1])
    """
    settings = Dilution(k, gamma, alpha, steps, affinity, reserve)
    if settings.steps == "converged":
        warnings.warn(COLLAPSE, stacklevel=2)
    indices, cosines, onehot = find_neighbors_and_encode(embeddings, labels, num_classes, k, knn_graph)
    weights = prior_weights(class_prior, onehot)
    Z = dilute_from_neighbors(indices, cosines, onehot, weights, settings, normalize)
    return answer_like(Z, labels if embeddings is None else embeddings)


# --- Definition 1, Eq. (5) and (6) --------------------------------------------------------------------------------


def dominant_labels(embeddings: Array, labels: Array, *, k: int = 8, num_classes: int | None = None) -> Any:  # noqa: ANN401
    """Definition 1: the most frequent label among the k nearest neighbours, (n,).

    A zero embedding has no neighbours and keeps its label. Arguments and errors as in :func:`dilute`.
    """
    V = check_embeddings(embeddings)
    y, c = check_labels(labels, len(V), num_classes)
    y = y.to(V.device)
    winners = most_frequent(*nearest(V, k), one_hot(y, c, V.dtype))
    return answer_like(torch.where(V.abs().sum(dim=1) > 0, winners, y), embeddings)


# --- The graph as a matrix ----------------------------------------------------------------------------------------


def similarity(embeddings: Array, *, k: int = 8, gamma: float = 3.0, affinity: str = "product") -> Any:  # noqa: ANN401
    """W of Eq. (2) as a matrix, (n, n), symmetric, largest eigenvalue 1.

    Dense up to 4096 examples; above, a SciPy CSR array for NumPy input and a sparse torch tensor for torch input.
    The product has up to k² entries a row above 4096 examples; :func:`dilute` never forms it.

    Args:
        embeddings: (n, d), as in :func:`dilute`, like the other arguments and the errors.
        k: Neighbours of each example.
        gamma: Exponent of Eq. (1).
        affinity: "product" or "sum".
    """
    Dilution(k=k, gamma=gamma, affinity=affinity)
    V = check_embeddings(embeddings)
    graph = Graph.build(*nearest(V, k), gamma, affinity)
    root = graph.root_degrees
    if not graph.A.is_sparse:
        return answer_like(root * graph.spread(torch.eye(len(V), dtype=V.dtype, device=V.device)) * root.T, embeddings)
    W = _sparse_similarity(graph, root)
    if not isinstance(embeddings, Tensor):
        return W
    W = W.tocoo()
    places = torch.from_numpy(np.stack(W.coords).astype(np.int64))
    return (
        torch.sparse_coo_tensor(places, torch.from_numpy(W.data), W.shape, check_invariants=False)
        .to(V.device)
        .coalesce()
    )


def _sparse_similarity(graph: Graph, root: Float[Tensor, "n 1"]) -> Any:  # noqa: ANN401
    from scipy import sparse

    A = graph.A.cpu()
    A = sparse.csr_array((A.values().numpy(), tuple(A.indices().numpy())), shape=A.shape)
    scale = sparse.diags_array(root.flatten().cpu().numpy())
    return (scale @ (A.T @ A if graph.affinity == "product" else A + A.T) @ scale).tocsr()
