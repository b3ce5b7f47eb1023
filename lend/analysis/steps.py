"""Dilution of a saved snapshot by other numbers of steps, and its limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from lend.analysis.shares import share_of
from lend.dilution import Graph, diffuse, hard_labels, one_hot, prior_weights, reweight_and_normalize
from lend.neighbors import nearest
from lend.run import Run

STEPS = (1, 2, 3, 5, 10, 50, "converged")


def step_accuracy(
    run: Run, epochs: Sequence[int] | None = None, steps: Sequence[int | str] = STEPS, points: int = 10_000
) -> pd.DataFrame:
    """Return the accuracy of diluted labels of saved snapshots, by the number of dilution steps.

    All settings but the steps are those of the run. "converged" is the limit itself, :func:`limit_labels`.

    Args:
        run: A run with snapshots.
        epochs: Snapshot epochs; all those of the run if not given.
        steps: Numbers of steps, or "converged".
        points: Most examples to dilute among, evenly spaced over those in the snapshots. Where no example is left out,
            the run's own number of steps gives the diluted labels that it saved.

    Returns:
        Fractions, one row per number of steps, one column per epoch.
    """
    samples = run.snapshot_samples
    chosen = samples[np.unique(np.linspace(0, len(samples) - 1, min(points, len(samples))).round().astype(int))]
    true = run.labels["true"].to_numpy()[chosen]
    table = pd.DataFrame(index=pd.Index(list(steps), name="steps", dtype=object))
    for epoch in run.epochs if epochs is None else epochs:
        diluted = rediluted_labels(run, epoch, steps, chosen)
        table[epoch] = [share_of(diluted[count] == true, (true >= 0) & (diluted[count] >= 0)) for count in steps]
    return table.rename_axis(columns="epoch")


def rediluted_labels(
    run: Run, epoch: int, steps: Sequence[int | str], chosen: Int[np.ndarray, " m"]
) -> dict[int | str, Int[np.ndarray, " m"]]:
    """Return diluted labels of chosen examples of a snapshot, by the number of steps; -1 where no vote reaches one.

    The settings but the steps are those of the run. The graph, over the chosen examples, is made once for all steps.

    Args:
        run: A run with snapshots.
        epoch: A snapshot epoch.
        steps: Numbers of steps, or "converged".
        chosen: Positions in the training set of the examples, which must be in the snapshots.
    """
    settings = run.config.dilution
    V = torch.from_numpy(run.embeddings(epoch)[run.snapshot_rows(chosen)]).float()
    onehot = one_hot(torch.from_numpy(run.labels["noisy"].to_numpy()[chosen]), len(run.class_names))
    weights = prior_weights(settings.class_prior, onehot)
    graph = Graph.build(*nearest(V, settings.k), settings.gamma, settings.affinity)
    labels: dict[int | str, np.ndarray] = {}
    for count in steps:
        if count == "converged" and settings.reserve == "previous":
            labels[count] = limit_labels(graph, onehot, weights)
        else:
            Z = diffuse(graph, onehot, settings.alpha, count, settings.reserve)
            labels[count] = hard_labels(reweight_and_normalize(Z, onehot, weights, True)).numpy()
    return labels


def limit_labels(
    graph: Graph, onehot: Float[torch.Tensor, "n c"], weights: Float[torch.Tensor, " c"]
) -> Int[np.ndarray, " n"]:
    """Return the labels in the limit of Eq. (3), without iterating: one class per connected component of W.

    W has the eigenvalue 1 once per component, with eigenvector entries sqrt(d_i); all other parts of Z vanish. So every
    example of a component gets the class with the largest sum of sqrt(d_i) over its labels in that component.

    Args:
        graph: Graph of Eq. (1) and (2).
        onehot: Given labels, Eq. (4).
        weights: Weight of a vote for each class; see :func:`lend.dilution.equations.prior_weights`.
    """
    root = graph.root_degrees.double()
    strength = torch.where(root > 0, 1 / root.clamp(min=1e-300), 1.0)  # degree 0: a component of its own
    component = torch.from_numpy(components(graph))
    votes = torch.zeros(int(component.max()) + 1, onehot.shape[1], dtype=torch.float64)
    votes = votes.index_add(0, component, strength * onehot * weights)
    return hard_labels(votes)[component].numpy()


def components(graph: Graph) -> Int[np.ndarray, " n"]:
    """Return the number of each example's connected component of W; some numbers may be unused."""
    A, n = graph.to_scipy(), len(graph.A)
    if graph.affinity == "product":  # AᵀA joins the examples that share a row of A: make the rows nodes between them
        A = sparse.block_array([[None, A], [A.T, None]]).tocsr()
    return connected_components(A, directed=False)[1][-n:].astype(np.int64)
