"""LEND, Eq. (1) to (6) and Definition 1 (arXiv 2206.13025), one short function each.

The paper's letters, used here and nowhere else:

    V (n, d)  embeddings, rows scaled to length 1     A (n, n)  similarity to the k nearest neighbours
    y (n,)    noisy labels                            W (n, n)  A made symmetric and normalised
    Z (n, c)  label distributions while they dilute   k, γ, α, β  neighbours, exponent, spread, momentum

What the paper leaves open is an option of :func:`dilute`; the README's table of open choices names them all.
Every function takes NumPy arrays or torch tensors and answers in kind, on the same device.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lend.config import Dilution, require
from lend.graphs import EXACT, as_graph, require_one
from lend.graphs import knn_graph as find_neighbors
from lend.neighbors import nearest

Array = np.ndarray | Tensor
DENSE = 4096  # up to this many examples the graph is a dense matrix (64 MB in float32), sparse above
TOLERANCE, MOST_STEPS = 1e-6, 10_000  # steps="converged": largest change of an entry, and when to give up
COLLAPSE = (
    "steps='converged': the limit of Eq. (3) is one eigenvector per connected component, so every example of a "
    "component gets the same class; 1 to 5 steps dilute without that collapse"
)


# --- Eq. (1) and (2): the graph -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Graph:
    """Eq. (1) and (2), kept as A: no step needs W itself.

    A_ij = max(0, v_i · v_j)^γ  for j among the k nearest neighbours of i, j ≠ i;  0 elsewhere    (1)
    W'   = AᵀA  ("product", as printed)  or  A + Aᵀ  ("sum", as in the cited source)
    D    = diag(W' 1),   W = D^-½ W' D^-½                                                          (2)
    """

    A: Tensor
    At: Tensor
    affinity: str

    @classmethod
    def build(cls, indices: Int[Tensor, "n k"], cosines: Float[Tensor, "n k"], gamma: float, affinity: str) -> Graph:
        """Eq. (1) from each example's neighbours and their cosines. A zero weight is no edge."""
        n, k = indices.shape
        weights = torch.where(cosines > 0, cosines.clamp(min=0) ** gamma, 0.0)
        if n <= DENSE:
            A = weights.new_zeros(n, n).scatter(1, indices, weights)
            return cls(A, A.T, affinity)
        rows = torch.arange(n, device=indices.device).repeat_interleave(k)
        A = torch.sparse_coo_tensor(
            torch.stack([rows, indices.flatten()]), weights.flatten(), (n, n), check_invariants=False
        )
        A = A.coalesce()
        return cls(A, A.T.coalesce(), affinity)

    def spread(self, Z: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        """W' Z. The product is applied as Aᵀ(A Z): forming AᵀA would cost k² entries a row."""
        return self.At @ (self.A @ Z) if self.affinity == "product" else self.A @ Z + self.At @ Z

    @property
    def root_degrees(self) -> Float[Tensor, "n 1"]:
        """D^-½; 0 for an example of degree 0 (a zero vector, or with the product one in nobody's list)."""
        d = self.spread(torch.ones(len(self.A), 1, dtype=self.A.dtype, device=self.A.device))
        return torch.where(d > 0, d.clamp(min=torch.finfo(d.dtype).tiny).rsqrt(), 0.0)


# --- Eq. (3) and (4): the dilution --------------------------------------------------------------------------------


def iterate(graph: Graph, onehot: Float[Tensor, "n c"], alpha: float, reserve: str) -> Iterator[Float[Tensor, "n c"]]:
    """Z(0), Z(1), ... of Eq. (3), without end, from the one-hot noisy labels of Eq. (4).

    Z(t) = α W Z(t-1) + (1 - α) R,   R = Z(t-1) ("previous", as printed) or Z(0) ("initial")      (3)
    Z(0) = onehot(y)                                                                               (4)
    """
    root = graph.root_degrees
    Z = onehot
    while True:
        yield Z
        R = Z if reserve == "previous" else onehot
        Z = alpha * root * graph.spread(root * Z) + (1 - alpha) * R


def diffuse(
    graph: Graph, onehot: Float[Tensor, "n c"], alpha: float, steps: int | str, reserve: str
) -> Float[Tensor, "n c"]:
    """Z after a number of steps, or where it no longer changes."""
    Z = onehot
    for before, Z in pairwise(
        islice(iterate(graph, onehot, alpha, reserve), 1 + (MOST_STEPS if steps == "converged" else int(steps)))
    ):
        if steps == "converged" and (Z - before).abs().max() < TOLERANCE:
            break
    return Z


def prior_weights(class_prior: str | Array | list[float] | None, onehot: Float[Tensor, "n c"]) -> Float[Tensor, " c"]:
    """True over given share of each class: what a vote of that class counts. Ones for the paper's letter.

    "balanced" takes all true classes as equally frequent. A class without a given label has no votes to weigh.
    """
    c = onehot.shape[1]
    if class_prior is None:
        return onehot.new_ones(c)
    given = onehot.mean(dim=0)
    if isinstance(class_prior, str):
        require(class_prior == "balanced", "class_prior", "None, 'balanced' or one share per class", class_prior)
        true = torch.full_like(given, 1 / c)
    else:
        true = torch.as_tensor(class_prior, dtype=given.dtype, device=given.device)
        valid = true.shape == (c,) and bool((true >= 0).all()) and bool((true.sum() - 1).abs() < 1e-3)
        require(valid, "class_prior", f"{c} shares that sum to 1", class_prior)
    return torch.where(given > 0, true / given.clamp(min=1e-12), 0.0)


def finish(
    Z: Float[Tensor, "n c"], onehot: Float[Tensor, "n c"], weights: Float[Tensor, " c"], normalize: bool
) -> Float[Tensor, "n c"]:
    """Weigh the classes by the prior and make rows sum to one; a row without any vote keeps its own label."""
    Z = Z * weights
    total = Z.sum(dim=1, keepdim=True)
    Z = torch.where(total > 0, Z, onehot)
    return Z / torch.where(total > 0, total, 1.0) if normalize else Z


def dilute_known(
    indices: Int[Tensor, "n k"],
    cosines: Float[Tensor, "n k"],
    onehot: Float[Tensor, "n c"],
    weights: Float[Tensor, " c"],
    settings: Dilution,
    normalize: bool = True,
) -> Float[Tensor, "n c"]:
    """Eq. (1) to (4) from known neighbours and known weights of the classes, unchecked: what training calls."""
    graph = Graph.build(indices, cosines, settings.gamma, settings.affinity)
    Z = diffuse(graph, onehot, settings.alpha, settings.steps, settings.reserve)
    return finish(Z, onehot, weights, normalize)


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
        class_prior: None (the paper's letter); "balanced" where the true classes are equally frequent;
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
    indices, cosines, onehot = read_input(embeddings, labels, num_classes, k, knn_graph)
    weights = prior_weights(class_prior, onehot)
    Z = dilute_known(indices, cosines, onehot, weights, settings, normalize)
    return _answer(Z, labels if embeddings is None else embeddings)


def read_input(
    embeddings: Array | None,
    labels: Array,
    num_classes: int | None,
    k: int,
    knn_graph: Any,  # noqa: ANN401
) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"], Float[Tensor, "n c"]]:
    """Neighbours, their cosines and one-hot labels: of embeddings, on their device, or of a graph that is known."""
    require_one(embeddings, knn_graph)
    graph = None if knn_graph is None else as_graph(knn_graph)
    y, c = check_labels(labels, len(embeddings) if graph is None else graph.n, num_classes)
    if graph is None and len(embeddings) <= EXACT:
        indices, cosines = nearest(_check_embeddings(embeddings), k)
    else:
        graph = find_neighbors(embeddings, k) if graph is None else graph.first(k)
        device = embeddings.device if isinstance(embeddings, Tensor) else "cpu"
        indices, cosines = torch.from_numpy(graph.indices).to(device), torch.from_numpy(graph.cosines).to(device)
    return indices, cosines, one_hot(y.to(indices.device), c, cosines.dtype)


# --- Definition 1, Eq. (5) and (6) --------------------------------------------------------------------------------


def most_frequent(
    indices: Int[Tensor, "n k"], cosines: Float[Tensor, "n k"], onehot: Float[Tensor, "n c"]
) -> Int[Tensor, " n"]:
    """Definition 1 from known neighbours; of equally frequent labels the one with the more similar neighbours."""
    k = indices.shape[1]
    # paper: ties not stated; a neighbour counts 1 and its similarity at most 1/(2k) more, less than a vote in all
    votes = torch.einsum("nk,nkc->nc", 1 + cosines / (2 * k + 1), onehot[indices])
    return votes.argmax(dim=1)


def dominant_labels(embeddings: Array, labels: Array, *, k: int = 8, num_classes: int | None = None) -> Any:  # noqa: ANN401
    """Definition 1: the most frequent label among the k nearest neighbours, (n,).

    A zero embedding has no neighbours and keeps its label. Arguments and errors as in :func:`dilute`.
    """
    V = _check_embeddings(embeddings)
    y, c = check_labels(labels, len(V), num_classes)
    y = y.to(V.device)
    winners = most_frequent(*nearest(V, k), one_hot(y, c, V.dtype))
    return _answer(torch.where(V.abs().sum(dim=1) > 0, winners, y), embeddings)


def momentum(new: Array, old: Array, beta: float = 0.9) -> Any:  # noqa: ANN401
    """Eq. (5): fold this epoch's distributions into the memory of each example.

        Z^τ = (1 - β) Z + β Z^(τ-1)

    Args:
        new: (n, c) this epoch's Z; one scale with ``old``, or β means different things for different rows.
        old: (n, c) the memory; the one-hot noisy labels before the first epoch (paper: not stated).
        beta: In [0, 1]; 1 never changes the memory.
    """
    require(0 <= beta <= 1, "beta", "inside [0, 1]", beta)
    require(new.shape == old.shape, "old", f"of the shape of new, {tuple(new.shape)}", tuple(old.shape))
    return (1 - beta) * new + beta * old


def select(diluted: Array, labels: Array) -> Any:  # noqa: ANN401
    """Eq. (6): keep example i if its noisy label is the argmax of its diluted distribution.

    Args:
        diluted: (n, c) label distributions.
        labels: (n,) noisy labels.

    Returns:
        (n,) bool.
    """
    require(len(diluted) == len(labels), "labels", f"of length {len(diluted)}", len(labels))
    return diluted.argmax(1) == labels


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
    V = _check_embeddings(embeddings)
    graph = Graph.build(*nearest(V, k), gamma, affinity)
    root = graph.root_degrees
    if not graph.A.is_sparse:
        return _answer(root * graph.spread(torch.eye(len(V), dtype=V.dtype, device=V.device)) * root.T, embeddings)
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


# --- Arrays in and out --------------------------------------------------------------------------------------------


def one_hot(y: Int[Tensor, " n"], c: int, dtype: torch.dtype = torch.float32) -> Float[Tensor, "n c"]:
    """Eq. (4), without the host synchronisation of torch's own."""
    return torch.zeros(len(y), c, dtype=dtype, device=y.device).scatter(1, y[:, None], 1)


def _check_embeddings(embeddings: Array) -> Float[Tensor, "n d"]:
    V = _tensor(embeddings).detach()
    require(V.ndim == 2 and V.numel() > 0, "embeddings", "of shape (n, d)", tuple(V.shape))
    return V if V.dtype == torch.float64 else V.float()  # whether all are finite, nearest() checks


def check_labels(labels: Array, n: int, num_classes: int | None) -> tuple[Int[Tensor, " n"], int]:
    """Labels as a tensor, and the number of classes; ValueError unless there are n, all integers from 0."""
    y = _tensor(labels)
    require(y.shape == (n,), "labels", f"of shape ({n},), one per embedding", tuple(y.shape))
    whole = not (y.is_floating_point() or y.is_complex() or y.dtype == torch.bool)
    require(whole, "labels", "integers", str(y.dtype).removeprefix("torch."))
    low, high = int(y.min()), int(y.max())
    c = high + 1 if num_classes is None else num_classes
    require(c >= 1 and low >= 0 and high < c, "labels", f"inside 0..{c - 1}", f"{low}..{high}")
    return y.long(), c


def _tensor(values: Array) -> Tensor:
    if isinstance(values, Tensor):
        return values
    values = np.asarray(values)
    # torch shares memory with NumPy, and warns where it could write into a read-only array
    return torch.from_numpy(values if values.flags.writeable else values.copy())


def _answer(result: Tensor, like: Array) -> Array:
    return result if isinstance(like, Tensor) else result.cpu().numpy()
