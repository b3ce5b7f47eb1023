"""Numbers of a snapshot: places in the map, label accuracies and neighbour purities."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.analysis.shares import share_of
from lend.run import Run


def snapshot_points(run: Run, epoch: int) -> pd.DataFrame:
    """Return the place in the t-SNE map, and the labels, of every mapped example after an epoch.

    Args:
        run: A run with maps.
        epoch: A snapshot epoch.

    Returns:
        One row per example, indexed by sample id: columns x, y, true, noisy, predicted (argmax of the logits) and
        diluted (argmax of the diluted distribution in the graph over all training examples); -1 where a recorded run
        does not know it.
    """
    positions = run.map_samples()
    points = run.labels.iloc[positions][["true", "noisy"]].assign(**run.snapshot_labels(epoch, positions))
    coordinates = run.map(epoch)
    points.insert(0, "x", coordinates[:, 0])
    points.insert(1, "y", coordinates[:, 1])
    return points


def neighbor_purity(labels: Int[np.ndarray, " m"], neighbors: Int[np.ndarray, "m k"]) -> float:
    """Return the share of the neighbours that have the label of their example; NaN if no label is known.

    Args:
        labels: Label of each example; examples and neighbours whose label is unknown, -1, do not count.
        neighbors: Positions of the neighbours of each example.
    """
    own, theirs = labels[:, None], labels[neighbors]
    return share_of(own == theirs, (own >= 0) & (theirs >= 0))


def snapshot_numbers(run: Run, epoch: int) -> pd.Series:
    """Return label accuracy and neighbour purity of the mapped examples after an epoch.

    Args:
        run: A run with maps.
        epoch: A snapshot epoch.

    Returns:
        Fractions: KIND_label_accuracy of predicted, diluted and noisy labels; KIND_purity of these and of true labels,
        the share of the 10 nearest neighbours in embedding space that have the same label of this kind.
    """
    points, neighbors = snapshot_points(run, epoch), run.map_neighbors(epoch)
    true = points["true"].to_numpy()
    kinds = {name: points[name].to_numpy() for name in ("true", "predicted", "diluted", "noisy")}
    known = {k: (true >= 0) & (y >= 0) for k, y in kinds.items() if k != "true"}
    accuracies = {f"{k}_label_accuracy": share_of(kinds[k] == true, there) for k, there in known.items()}
    purities = {f"{k}_purity": neighbor_purity(y, neighbors) for k, y in kinds.items()}
    return pd.Series(accuracies | purities, name=epoch)


def snapshot_table(run: Run) -> pd.DataFrame:
    """Return the numbers of :func:`snapshot_numbers` for every snapshot of a run, one row per epoch."""
    return pd.DataFrame([snapshot_numbers(run, epoch) for epoch in run.epochs]).rename_axis("epoch")
