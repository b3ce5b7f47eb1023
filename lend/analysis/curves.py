"""Label accuracy by epoch, Fig. 4 of the paper, and its summary."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from lend.run import Run

CURVES = ("predicted", "diluted", "dominant", "noisy")


def label_accuracy(run: Run) -> pd.DataFrame:
    """Return the label accuracy by epoch: the curves of Fig. 4 of the paper.

    Args:
        run: A run with at least one epoch.

    Returns:
        Fractions, one row per epoch, in columns predicted, diluted, dominant and noisy. Predicted, diluted and
        dominant labels are those of the training pass; noisy is the same in every epoch.
    """
    return run.history[[f"{kind}_label_accuracy" for kind in CURVES]].set_axis(list(CURVES), axis=1)


def accuracy_summary(curves: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Summarise label accuracies: the best and the last of predicted and of diluted labels, one row per run.

    Args:
        curves: Tables of :func:`label_accuracy`, by the name of the run.

    Returns:
        Fractions best_predicted, last_predicted, best_diluted, last_diluted and noisy, and the epochs
        best_predicted_epoch and best_diluted_epoch, missing where the true labels are unknown.
    """
    rows = {}
    for name, table in curves.items():
        row = {}
        for kind in ("predicted", "diluted"):
            known = table[kind].notna().any()
            row[f"best_{kind}"], row[f"last_{kind}"] = table[kind].max(), table[kind].iloc[-1]
            row[f"best_{kind}_epoch"] = table[kind].idxmax() if known else None
        rows[name] = row | {"noisy": table["noisy"].iloc[0]}
    summary = pd.DataFrame.from_dict(rows, orient="index").rename_axis("run")
    return summary.astype({f"best_{kind}_epoch": "Int64" for kind in ("predicted", "diluted")})
