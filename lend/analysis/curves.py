"""Accuracy of labels by epoch: the paper's Fig. 4."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from lend.run import Run

CURVES = ("predicted", "diluted", "dominant", "noisy")


def label_accuracy(run: Run) -> pd.DataFrame:
    """Label accuracy by epoch: the curves of the paper's Fig. 4.

    Args:
        run: A run with at least one epoch.

    Returns:
        Columns predicted, diluted, dominant and noisy, fractions; indexed by epoch. Predicted, diluted and dominant
        labels are those of the training passes, batch by batch; noisy is the same in every epoch.
    """
    return run.history[[f"{kind}_label_accuracy" for kind in CURVES]].set_axis(list(CURVES), axis=1)


def accuracy_summary(curves: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Best and last label accuracy of predicted and diluted labels, and the best epochs, one row per run.

    Args:
        curves: By the name of the run; see :func:`label_accuracy`.

    Returns:
        Fractions, and whole epochs: best_predicted, best_predicted_epoch, last_predicted, the same of diluted, and
        noisy.
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
