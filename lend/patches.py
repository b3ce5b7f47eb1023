"""Corrections of labels handed over as a CSV, whoever made them: an audit or a hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lend import storage

COLUMNS = ["given_label", "suggested_label", "label_score"]


def write_patch(table: pd.DataFrame, path: str | Path) -> Path:
    """Write corrections as CSV, lowest score first: sample_id, given_label, suggested_label, label_score.

    Args:
        table: Index sample_id; the columns as in the file. An unknown score is NaN, which leaves it empty, and last.
        path: Of the CSV.
    """
    return storage.write_csv(path, table[COLUMNS].sort_values("label_score", kind="stable"))
