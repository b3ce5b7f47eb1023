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
from jaxtyping import Bool, Float
from torch import Tensor

from lend.dilution.arrays import answer_like, find_neighbors_and_encode, neighbors_of
from lend.dilution.equations import (
    COLLAPSE,
    DENSE,
    Graph,
    agreeing,
    dilute_from_neighbors,
    most_frequent,
    one_hot,
    prior_weights,
)
from lend.inputs import Dilution, align_rows, as_codes, as_matrix, as_tensor, check_finite, index_of, is_sparse, require

# --- Eq. (3) and (4): the dilution --------------------------------------------------------------------------------


def dilute(
    embeddings: Any,  # noqa: ANN401 (arrays of any library here and below)
    labels: Any,  # noqa: ANN401
    *,
    num_classes: int | None = None,
    k: int = 8,
    gamma: float = 3.0,
    alpha: float = 0.99,
    steps: int | str = 2,
    affinity: str = "product",
    reserve: str = "previous",
    class_prior: Any = None,  # noqa: ANN401
    normalize: bool = True,
    knn_graph: Any = None,  # noqa: ANN401
) -> Any:  # noqa: ANN401 (an array of the kind that came in)
    """Dilute noisy labels among neighbours in embedding space: Eq. (1) to (4).

    Args:
        embeddings: (n, d) finite numbers of any type, dense or SciPy sparse; rows are scaled to length 1 (paper: not
            stated; cosine, since raw products favour long vectors). A zero row is no error: it has no neighbours and
            keeps its label. Nearly parallel rows are computed in float64, with a warning. None with ``knn_graph``.
        labels: (n,) noisy labels, integers 0..c-1 of any type. -1 or missing where an example is unlabelled: it has no
            vote, and gets the votes of the others. A frame of embeddings is put in the order of a Series of labels by
            its index; see :func:`lend.inputs.align_rows`.
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
        (n, c) label distributions. Unlabelled rows that no vote reaches hold the shares of the given labels. Dense
        arithmetic up to 4096 examples, sparse above, the same numbers. Neighbours
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
    if normalize and onehot.sum() < len(onehot):  # an unlabelled row may have no vote at all
        Z = torch.where(Z.sum(dim=1, keepdim=True) > 0, Z, onehot.sum(dim=0) / onehot.sum())
    return answer_like(Z, labels if embeddings is None else embeddings)


# --- Definition 1, Eq. (5) and (6) --------------------------------------------------------------------------------


def dominant_labels(embeddings: Any, labels: Any, *, k: int = 8, num_classes: int | None = None) -> Any:  # noqa: ANN401
    """Definition 1: the most frequent label among the k nearest neighbours, (n,).

    An example without neighbours, or with unlabelled ones alone, keeps its label. Arguments and errors as in
    :func:`dilute`.
    """
    rows = as_matrix(align_rows(embeddings, index_of(labels)))
    y, c = as_codes(labels, rows.shape[0], num_classes)
    indices, cosines = neighbors_of(rows, k)
    y = y.to(indices.device)
    winners = most_frequent(indices, cosines, one_hot(y, c, cosines.dtype))
    voted = _directed(rows) & (y[indices] >= 0).any(dim=1)
    return answer_like(torch.where(voted, winners, y), embeddings)


def _directed(rows: Any) -> Bool[Tensor, " n"]:  # noqa: ANN401
    """Which rows are not zero."""
    if is_sparse(rows):
        return torch.from_numpy(np.asarray(abs(rows).max(axis=1).todense()).reshape(-1) > 0)
    V = rows if isinstance(rows, Tensor) else as_tensor(rows)
    return (V != 0).any(dim=1)


def select(diluted: Any, labels: Any) -> Any:  # noqa: ANN401
    """Eq. (6): keep example i if its noisy label is the argmax of its diluted distribution.

    Args:
        diluted: (n, c) label distributions, finite numbers.
        labels: (n,) noisy labels, integers; one that is -1, unlabelled, is not kept.

    Returns:
        (n,) bool, of the array type of ``diluted``.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.
    """
    rows = as_matrix(align_rows(diluted, index_of(labels), "diluted"), "diluted")
    require(not is_sparse(rows), "diluted", "dense", "a sparse matrix")
    Z = rows if isinstance(rows, Tensor) else as_tensor(rows)
    check_finite(Z, "diluted")
    y, _ = as_codes(labels, len(Z), Z.shape[1])
    return answer_like(agreeing(Z, y.to(Z.device)), diluted)


# --- The graph as a matrix ----------------------------------------------------------------------------------------


def similarity(embeddings: Any, *, k: int = 8, gamma: float = 3.0, affinity: str = "product") -> Any:  # noqa: ANN401
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
    indices, cosines = neighbors_of(embeddings, k)
    graph = Graph.build(indices, cosines, gamma, affinity)
    root = graph.root_degrees
    if len(indices) <= DENSE:
        identity = torch.eye(len(indices), dtype=cosines.dtype, device=cosines.device)
        return answer_like(root * graph.spread(identity) * root.T, embeddings)
    W = _sparse_similarity(graph, root)
    if not isinstance(embeddings, Tensor):
        return W
    W = W.tocoo()
    places = torch.from_numpy(np.stack(W.coords).astype(np.int64))
    return (
        torch.sparse_coo_tensor(places, torch.from_numpy(W.data), W.shape, check_invariants=False)
        .to(cosines.device)
        .coalesce()
    )


def _sparse_similarity(graph: Graph, root: Float[Tensor, "n 1"]) -> Any:  # noqa: ANN401
    from scipy import sparse

    A = graph.to_scipy()
    scale = sparse.diags_array(root.flatten().cpu().numpy())
    return (scale @ (A.T @ A if graph.affinity == "product" else A + A.T) @ scale).tocsr()
