"""A snapshot as numbers: places in the map, accuracies, purities of neighbourhoods."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.analysis.shares import share_of
from lend.run import Run


def snapshot_points(run: Run, epoch: int) -> pd.DataFrame:
    """Place in the t-SNE map and labels of every mapped example after an epoch.

    Args:
        run: A run with maps.
        epoch: A snapshot epoch.

    Returns:
        Columns x, y, true, noisy, predicted (argmax of the logits) and diluted (argmax of the diluted
        distribution, of the graph over all training examples), indexed by sample id.
    """
    positions, snapshot = run.map_samples(), run.snapshot(epoch)
    rows = run.snapshot_rows(positions)
    points = run.labels.iloc[positions][["true", "noisy"]].copy()
    for name, source in (("predicted", "logits"), ("diluted", "diluted")):
        points[name] = snapshot[source].values[rows].argmax(axis=1)
    coordinates = run.map(epoch)
    points.insert(0, "x", coordinates[:, 0])
    points.insert(1, "y", coordinates[:, 1])
    return points


def neighbor_purity(labels: Int[np.ndarray, " m"], neighbors: Int[np.ndarray, "m k"]) -> float:
    """Share of the neighbours that have the label of the example; NaN if no label is known.

    Args:
        labels: Of each example; -1 where unknown, and such examples and neighbours do not count.
        neighbors: Positions of the neighbours of each example.
    """
    own, theirs = labels[:, None], labels[neighbors]
    return share_of(own == theirs, (own >= 0) & (theirs >= 0))


def snapshot_numbers(run: Run, epoch: int) -> pd.Series:
    """Label accuracy and neighbour purity of the mapped examples after an epoch.

    Args:
        run: A run with maps.
        epoch: A snapshot epoch.

    Returns:
        Fractions: ``label_accuracy`` of predicted, diluted and noisy labels; ``purity`` of these and of true ones, the
        share of the 10 nearest neighbours in embedding space with the same such label.
    """
    points, neighbors = snapshot_points(run, epoch), run.map_neighbors(epoch)
    true = points["true"].to_numpy()
    kinds = {name: points[name].to_numpy() for name in ("true", "predicted", "diluted", "noisy")}
    accuracies = {f"{k}_label_accuracy": share_of(y == true, true >= 0) for k, y in kinds.items() if k != "true"}
    purities = {f"{k}_purity": neighbor_purity(y, neighbors) for k, y in kinds.items()}
    return pd.Series(accuracies | purities, name=epoch)


def snapshot_table(run: Run) -> pd.DataFrame:
    """:func:`snapshot_numbers` of every snapshot, one row per epoch."""
    return pd.DataFrame([snapshot_numbers(run, epoch) for epoch in run.epochs]).rename_axis("epoch")
