"""LEND, Eq. (1) to (6) and Definition 1 (arXiv 2206.13025), one short function each; tensors in and out, unchecked.

The paper's letters, used here and nowhere else:

    V (n, d)  embeddings, rows scaled to length 1     A (n, n)  similarity to the k nearest neighbours
    y (n,)    noisy labels                            W (n, n)  A made symmetric and normalised
    Z (n, c)  label distributions while they dilute   k, γ, α, β  neighbours, exponent, spread, momentum

What the paper leaves open is an option; :func:`lend.dilute` documents each.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lend.inputs import MOST_STEPS, Dilution, as_matrix, as_shares, is_real, require

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = np.ndarray | Tensor

DENSE = 4096  # up to this many examples the graph may be a dense matrix (64 MB in float32); it is sparse above
FEW, FULL = 256, 8  # on a CPU up to so many, or so many times k: of 1,294 and k = 10 dense takes 4 to 12 times as long

TOLERANCE = 1e-6  # steps="converged": largest change of an entry; after MOST_STEPS it gives up

COLLAPSE = (
    "steps='converged': the limit of Eq. (3) is one eigenvector per connected component, so every example of a "
    "component gets the same class; 1 to 5 steps dilute without that collapse"
)


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
        if n <= (min(DENSE, max(FEW, FULL * k)) if indices.device.type == "cpu" else DENSE):
            A = weights.new_zeros(n, n).scatter(1, indices, weights)
            return cls(A, A.T, affinity)
        columns, order = indices.sort(dim=1)
        starts = torch.arange(0, n * k + 1, k, device=indices.device)
        values, (column, back) = weights.gather(1, order).flatten(), columns.flatten().sort(stable=True)
        ends = torch.bincount(column, minlength=n).cumsum(dim=0)
        with warnings.catch_warnings():  # that rows in this form are young; their products take a tenth of the time
            warnings.filterwarnings("ignore", "Sparse CSR tensor support")
            A = torch.sparse_csr_tensor(starts, columns.flatten(), values, (n, n), check_invariants=False)
            before = torch.cat([ends.new_zeros(1), ends])
            At = torch.sparse_csr_tensor(before, back // k, values[back], (n, n), check_invariants=False)
        return cls(A, At, affinity)

    def spread(self, Z: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        """W' Z. The product is applied as Aᵀ(A Z): forming AᵀA would cost k² entries a row."""
        return self.At @ (self.A @ Z) if self.affinity == "product" else self.A @ Z + self.At @ Z

    def to_scipy(self) -> csr_array:
        """A as a SciPy CSR array of its own memory, without entries of zero."""
        from scipy import sparse

        A = self.A.cpu()
        if A.layout is torch.strided:
            return sparse.csr_array(A.numpy())
        parts = (A.values().numpy(), A.col_indices().numpy(), A.crow_indices().numpy())
        A = sparse.csr_array(parts, shape=A.shape, copy=True)  # what follows changes it
        A.eliminate_zeros()
        return A

    @cached_property
    def root_degrees(self) -> Float[Tensor, "n 1"]:
        """D^-½; 0 for an example of degree 0 (a zero vector, or with the product one in nobody's list)."""
        d = self.spread(torch.ones(len(self.A), 1, dtype=self.A.dtype, device=self.A.device))
        return torch.where(d > 0, d.clamp(min=torch.finfo(d.dtype).tiny).rsqrt(), 0.0)


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
    """Return Z after a number of steps of Eq. (3), or its limit with steps="converged".

    Warns if the limit is not reached in ``MOST_STEPS`` steps: an entry still changes by ``TOLERANCE`` or more.
    """
    states = iterate(graph, onehot, alpha, reserve)
    Z = next(states)
    if steps != "converged":
        for _ in range(int(steps)):
            Z = next(states)
        return Z
    for _ in range(MOST_STEPS):
        before, Z = Z, next(states)
        if (Z - before).abs().max() < TOLERANCE:
            return Z
    warnings.warn(f"steps='converged': no limit after {MOST_STEPS:,} steps; the last one is returned", stacklevel=2)
    return Z


def prior_weights(class_prior: Any, onehot: Float[Tensor, "n c"]) -> Float[Tensor, " c"]:  # noqa: ANN401
    """True over given share of each class: what a vote of that class counts. Ones for None, as printed.

    "balanced" takes all true classes as equally frequent. A class without a given label has no votes to weigh. Shares
    are checked, by :func:`lend.inputs.as_shares`: how many there must be is known here alone.
    """
    c = onehot.shape[1]
    shares = as_shares(class_prior, range(c))
    if shares is None:
        return onehot.new_ones(c)
    given = onehot.mean(dim=0)
    true = torch.full_like(given, 1 / c) if isinstance(shares, str) else torch.from_numpy(shares).to(given)
    return torch.where(given > 0, true / given.clamp(min=1e-12), 0.0)


def reweight_and_normalize(
    Z: Float[Tensor, "n c"], onehot: Float[Tensor, "n c"], weights: Float[Tensor, " c"], normalize: bool
) -> Float[Tensor, "n c"]:
    """Weigh the classes by the prior and make rows sum to one; a row without any vote keeps its own label."""
    Z = Z * weights
    total = Z.sum(dim=1, keepdim=True)
    Z = torch.where(total > 0, Z, onehot)
    return Z / torch.where(total > 0, total, 1.0) if normalize else Z


def dilute_from_neighbors(
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
    return reweight_and_normalize(Z, onehot, weights, normalize)


def most_frequent(
    indices: Int[Tensor, "n k"], cosines: Float[Tensor, "n k"], onehot: Float[Tensor, "n c"]
) -> Int[Tensor, " n"]:
    """Definition 1 from known neighbours; of equally frequent labels the one with the more similar neighbours."""
    k = indices.shape[1]
    # paper: ties not stated; a neighbour counts 1 and its similarity at most 1/(2k) more, less than a vote in all
    votes = torch.einsum("nk,nkc->nc", 1 + cosines / (2 * k + 1), onehot[indices])
    return votes.argmax(dim=1)


def momentum(new: Any, old: Any, beta: float = 0.9) -> Any:  # noqa: ANN401
    """Eq. (5): fold this epoch's distributions into the memory of each example.

        Z^τ = (1 - β) Z + β Z^(τ-1)

    Args:
        new: (n, c) this epoch's Z; one scale with ``old``, or β means different things for different rows.
        old: (n, c) the memory; the one-hot noisy labels before the first epoch (paper: not stated).
        beta: In [0, 1]; 1 never changes the memory.
    """
    require(is_real(beta) and 0 <= beta <= 1, "beta", "inside [0, 1]", beta)
    new, old = as_matrix(new, "new"), as_matrix(old, "old")
    require(isinstance(old, type(new)), "old", f"a {type(new).__name__}, as new is", type(old).__name__)
    require(new.shape == old.shape, "old", f"of the shape of new, {tuple(new.shape)}", tuple(old.shape))
    return (1 - beta) * new + beta * old


def hard_labels(Z: Float[Tensor, "n c"]) -> Int[Tensor, " n"]:
    """The class with the largest vote in each row; -1 where an unlabelled example is reached by none."""
    return torch.where(Z.sum(dim=1) > 0, Z.argmax(dim=1), -1)


def agreeing(Z: Float[Tensor, "n c"], y: Int[Tensor, " n"]) -> Bool[Tensor, " n"]:
    """Eq. (6): an example is kept if its noisy label is the argmax of its diluted distribution."""
    return Z.argmax(dim=1) == y


def one_hot(y: Int[Tensor, " n"], c: int, dtype: torch.dtype = torch.float32) -> Float[Tensor, "n c"]:
    """Eq. (4), without the host synchronisation of torch's own; a zero row where the label is -1, unlabelled."""
    known = (y >= 0).to(dtype)
    return torch.zeros(len(y), c, dtype=dtype, device=y.device).scatter(1, y.clamp(min=0)[:, None], known[:, None])
