"""The issues that a figure or a report shows; it needs no matplotlib."""

from __future__ import annotations

import pandas as pd


def worst(issues: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the label issues with the lowest scores, worst first; equal scores keep the order of the examples.

    Args:
        issues: Table ``Audit.issues``.
        count: Most rows to return.
    """
    return issues[issues["is_label_issue"]].sort_values("label_score", kind="stable").head(count)
