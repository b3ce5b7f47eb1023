"""What all others say about an example: Eq. (3) without the share that its own label gives to its own row.

Eq. (3) is linear, Z(T) = P Y with a symmetric P, so the own share is one number per example, P_ii. It is a sum over
walks in the graph that return to their start:

    P = (αW + (1-α) I)^T  ("previous")   or   (αW)^T + (1-α) Σ_{t<T} (αW)^t  ("initial"),    P_ii = Σ_t p_t (W^t)_ii
"""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lend.dilution.equations import Graph, diffuse
from lend.inputs import Dilution, require

ROWS = 256  # of W^t held at a time; at five steps such a row can have an entry for every example


def leave_one_out(
    graph: Graph,
    onehot: Any,  # noqa: ANN401 (of either kind)
    settings: Dilution,
    heirs: Bool[np.ndarray, " n"] | None = None,
) -> Any:  # noqa: ANN401
    """Eq. (3) as printed, each row without the votes of its own label: as if that row of Y were zero.

    Of two steps most go to a neighbour's neighbour. Where an example has one other of its class near, the second step
    leads from there back to itself, and with its own label the only vote for its class is lost. So the share of the own
    label can be left to those neighbours from which walks of two steps return.

    Args:
        graph: Eq. (1) and (2).
        onehot: (n, c) given labels, Eq. (4): a tensor, or a SciPy CSR array where the classes are many.
        settings: alpha, steps and reserve are used; the steps must be a number.
        heirs: Examples whose labels get the shares of the own labels; none if not given.

    Returns:
        (n, c) votes of at least 0, of the kind of ``onehot``; a row is zero where nobody else has a say.

    Raises:
        ValueError: If the steps are "converged", where every label of a component has reached every example.
    """
    require(settings.steps != "converged", "steps", "a number: at convergence no example is told apart", settings.steps)
    shares = own_shares(graph, settings)
    own = _scale_rows(onehot, shares)
    others = _diffuse(graph, onehot, settings) - own
    kept = others > 1e-9 * own  # below, a rest of rounding that would be a vote for itself
    others = torch.where(kept, others, 0.0) if isinstance(others, Tensor) else others.multiply(kept).tocsr()
    return others if heirs is None or not heirs.any() else others + _inherited(graph, onehot, shares, heirs)


def _inherited(graph: Graph, onehot: Any, shares: Float[Tensor, " n"], heirs: Bool[np.ndarray, " n"]) -> Any:  # noqa: ANN401
    """Return the votes Σ_a P_ii W_ia² / (W²)_ii Y_a over the heirs a: what is left to them of the own labels."""
    from scipy import sparse

    chosen = np.flatnonzero(heirs)
    back = sparse.eye_array(len(heirs), format="csr")[:, chosen]
    for factor in reversed(_factors(graph)):
        back = factor @ back
    walks = closed_walks(graph, 2)[2].numpy()
    part = sparse.diags_array(shares.cpu().double().numpy() / np.where(walks > 0, walks, 1)) @ back.multiply(back)
    if isinstance(onehot, Tensor):
        return torch.from_numpy(part @ onehot[chosen].cpu().double().numpy()).to(onehot)
    return part @ onehot[chosen]


def cross_fitted(graph: Graph, onehot: Any, settings: Dilution, folds: Int[Tensor, " n"]) -> Any:  # noqa: ANN401
    """Eq. (3) as printed, each row from the labels of the other folds alone.

    Leaving one out is not enough to choose examples by what the others say of them: of two neighbours, the wrongly
    labelled one sees the right label of the other and not its own, so the surest rows hold too many errors. The rows
    of a fold know nothing of each other's labels.

    Args:
        graph: Eq. (1) and (2).
        onehot: (n, c) given labels, Eq. (4): a tensor, or a SciPy CSR array where the classes are many.
        settings: alpha, steps and reserve are used; the steps must be a number for a CSR array.
        folds: Number of the fold of each example.

    Returns:
        (n, c) votes, of the kind of ``onehot``.
    """
    votes = 0.0 * onehot
    for fold in folds.unique():
        inside = (folds == fold).double()
        votes = votes + _scale_rows(_diffuse(graph, _scale_rows(onehot, 1 - inside), settings), inside)
    return votes


def _scale_rows(matrix: Any, scale: Float[Tensor, " n"]) -> Any:  # noqa: ANN401
    from scipy import sparse

    if isinstance(matrix, Tensor):
        return matrix * scale.to(matrix)[:, None]
    return sparse.diags_array(scale.cpu().double().numpy()) @ matrix


def _diffuse(graph: Graph, onehot: Any, settings: Dilution) -> Any:  # noqa: ANN401
    """Z after some steps of Eq. (3). Rows of a CSR array stay as short as the classes near an example are few."""
    if isinstance(onehot, Tensor):
        return diffuse(graph, onehot, settings.alpha, settings.steps, settings.reserve)
    Z, factors = onehot, _factors(graph)
    for _ in range(int(settings.steps)):
        reserve = Z if settings.reserve == "previous" else onehot
        for factor in reversed(factors):
            Z = factor @ Z
        Z = settings.alpha * Z + (1 - settings.alpha) * reserve
    return Z


def own_shares(graph: Graph, settings: Dilution) -> Float[Tensor, " n"]:
    """P_ii: what an example's own label counts in its own row of Z(T)."""
    coefficients = torch.tensor(walk_coefficients(settings), dtype=graph.A.dtype)
    return (coefficients @ closed_walks(graph, int(settings.steps)).to(coefficients)).to(graph.A.device)


def walk_coefficients(settings: Dilution) -> list[float]:
    """The p_t of P = Σ p_t W^t, t = 0 to T."""
    alpha, T = settings.alpha, int(settings.steps)
    if settings.reserve == "previous":
        return [comb(T, t) * alpha**t * (1 - alpha) ** (T - t) for t in range(T + 1)]
    return [(1 - alpha) * alpha**t for t in range(T)] + [alpha**T]


def closed_walks(graph: Graph, steps: int) -> Float[Tensor, "t n"]:
    """(W^t)_ii for t = 0 to ``steps``: weights of the walks that return to their start, by blocks of rows.

    W^t is never formed: (W^(a+b))_ii is the inner product of row i of W^a and of W^b, since W is symmetric.
    """
    from scipy import sparse

    factors, n = _factors(graph), len(graph.A)
    walks = np.empty((steps + 1, n))
    identity, half = sparse.eye_array(n, format="csr"), (steps + 1) // 2
    block = n if half * len(factors) <= 1 else ROWS  # rows of W itself are short
    for start in range(0, n, block):
        rows = slice(start, start + block)
        powers = [identity[rows], _times(factors[0][rows], factors[1:])]
        for _ in range(1, half):
            powers.append(_times(powers[-1], factors))
        for t in range(steps + 1):
            a, b = powers[(t + 1) // 2], powers[t // 2]
            walks[t, start : start + block] = np.asarray(a.multiply(b).sum(axis=1)).ravel()
    return torch.from_numpy(walks)


def _factors(graph: Graph) -> list[Any]:
    """Sparse matrices whose product is W: forming AᵀA for all rows at once would cost k² entries a row."""

    A, scale = graph.to_scipy().astype(np.float64), graph.root_degrees.flatten().cpu().double().numpy()
    if graph.affinity == "product":
        A.data *= scale[A.indices]
        return [A.T.tocsr(), A]
    W = (A + A.T).tocsr()
    W.data *= scale[W.indices] * np.repeat(scale, np.diff(W.indptr))
    return [W]


def _times(rows: Any, factors: list[Any]) -> Any:  # noqa: ANN401
    for factor in factors:
        rows = rows @ factor
    return rows
