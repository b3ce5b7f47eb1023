"""cleanlab's tables of label issues.

The columns are those of ``Datalab.get_issues("label")`` (cleanlab's guide to Datalab issue types) and of
``CleanLearning.get_label_issues()``, in which the score is called label_quality.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lend.auditing.report.audited import Audited
from lend.auditing.report.exports.rows import labelled
from lend.inputs import require, require_name, safe_table
from lend.storage import write_csv

SCORES = {"datalab": "label_score", "cleanlearning": "label_quality"}


def cleanlab_issues(found: Audited, kind: str = "datalab") -> pd.DataFrame:
    """Return the label issues as cleanlab gives them.

    Args:
        found: The audit.
        kind: "datalab": class names, as from ``Datalab.get_issues("label")``. "cleanlearning": the place of each class
            among the sorted classes, as from ``CleanLearning.get_label_issues()``; its ``fit`` takes this table.

    Returns:
        One row per example with a label, in their order: ``is_label_issue``, ``label_score`` or ``label_quality``,
        ``given_label`` and ``predicted_label``. Its index is the ids of the examples, or their positions of
        "cleanlearning".
    """
    require_name(kind, SCORES, "kind")
    issues = labelled(found)
    table = pd.DataFrame(
        {
            "is_label_issue": issues["is_label_issue"].astype(bool),
            SCORES[kind]: issues["label_score"].astype(float),
            "given_label": issues["given_label"],
            "predicted_label": issues["predicted_label"],
        }
    )
    if kind == "datalab":
        return table
    require(len(issues) == len(found.issues), "kind", "datalab where examples have no label", kind)
    classes = pd.Index(found.classes.index, dtype=object)
    for column in ("given_label", "predicted_label"):
        table[column] = classes.get_indexer(pd.Index(table[column], dtype=object)).astype(np.int64)
    return table.reset_index(drop=True)


def write_cleanlab(found: Audited, path: Path, *, kind: str = "datalab") -> Path:
    """Write :func:`cleanlab_issues` as CSV."""
    return write_csv(path, safe_table(cleanlab_issues(found, kind)))
