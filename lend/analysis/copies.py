"""Comparison of a compact copy with its run: what the copy lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int

from lend.analysis.shares import share_of
from lend.analysis.steps import rediluted_labels
from lend.neighbors import nearest
from lend.run import Run

NEIGHBORS = 10  # nearest neighbours of each example that are compared; as many as a map keeps


def changes(run: Run, copy: Run) -> pd.DataFrame:
    """Compare a compact copy with its run: how many neighbours and diluted labels are still the same.

    Only the examples in the copy's snapshots count, and neighbours are searched among them alone.

    Args:
        run: The whole run.
        copy: Its compact copy.

    Returns:
        Fractions, one row per snapshot epoch. neighbors: share of the 10 nearest neighbours of each example that are
        the same; labels: share of the diluted labels that are the same, diluted again with the run's settings;
        accuracy_before and accuracy_after: accuracy of these labels in the run and in the copy, NaN where the true
        labels are unknown.
    """
    chosen, steps = copy.snapshot_samples, run.config.dilution.steps
    true = run.labels["true"].to_numpy()[chosen]
    rows = {}
    for epoch in copy.epochs:
        before, after = (rediluted_labels(one, epoch, (steps,), chosen)[steps] for one in (run, copy))
        labels = {"accuracy_before": before, "accuracy_after": after}
        accuracy = {name: share_of(y == true, true >= 0) for name, y in labels.items()}
        old, new = (_neighbors(one, epoch, chosen) for one in (run, copy))
        kept = (old[:, :, None] == new[:, None, :]).any(axis=2).mean()
        rows[epoch] = {"neighbors": float(kept), "labels": float((before == after).mean())} | accuracy
    columns = ["neighbors", "labels", "accuracy_before", "accuracy_after"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("epoch")


def _neighbors(run: Run, epoch: int, positions: Int[np.ndarray, " m"]) -> Int[np.ndarray, "m k"]:
    V = torch.from_numpy(run.embeddings(epoch)[run.snapshot_rows(positions)]).float()
    return nearest(V, min(NEIGHBORS, len(V) - 1))[0].numpy()
