"""The tables of an audit: its issues, the transition matrix, and the classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.auditing.outliers import OUTLIER
from lend.auditing.scores import Judged
from lend.auditing.transition import Transition


def issues_table(
    judged: Judged,
    given: Int[np.ndarray, " n"],
    names: list[Any],
    index: pd.Index,
    agreement: np.ndarray,
    witnesses: Mapping[str, np.ndarray],
    outlier: np.ndarray,
) -> pd.DataFrame:
    """Return the table ``Audit.issues``, one row per example.

    Args:
        judged: Judgement of each label.
        given: Given labels, 0 to c-1; -1 where unlabelled.
        names: The c classes that the codes stand for.
        index: Sample ids.
        agreement: (n,) share of the neighbours with the same given label.
        witnesses: Further columns (n,): what each witness alone says of the given label.
        outlier: (n,) score of an outlier.
    """
    columns = {
        "given_label": named(given, names),
        "predicted_label": named(judged.predicted, names),
        "label_score": judged.scores,
        "is_label_issue": judged.flagged,
        "neighbor_agreement": agreement,
        "is_unlabelled": given < 0,
        "outlier_score": outlier,
        "is_outlier": outlier >= OUTLIER,
        **witnesses,
    }
    return pd.DataFrame(columns, index=index)


def named(codes: Int[np.ndarray, " n"], names: list[Any]) -> Any:  # noqa: ANN401 (a column of pandas)
    """Return the classes that codes stand for, missing for -1: without a gap integers stay plain integers."""
    entries = np.array([*names, None], dtype=object)[codes].tolist()
    return pd.Series(entries, dtype=nullable(names) if (codes < 0).any() else None).array


def nullable(names: list[Any]) -> str:
    """The type of a column of these classes that can have gaps."""
    if isinstance(names[0], str):
        return "string"
    if isinstance(names[0], bool):
        return "boolean"
    return "Int64" if names[-1] < 2**63 else "UInt64"


def matrix_table(transition: Transition, names: list[Any]) -> pd.DataFrame:
    """Return the transition matrix as a table with the classes as index, true, and as columns, given."""
    true, given = (pd.Index(names, name=name) for name in ("true_label", "given_label"))
    return pd.DataFrame(transition.matrix, index=true, columns=given)


def classes_table(
    judged: Judged, given: Int[np.ndarray, " n"], names: list[Any], transition: Transition
) -> pd.DataFrame:
    """Return the table ``Audit.classes``, one row per class.

    Args:
        judged: Judgement of each label.
        given: Given labels, 0 to c-1.
        names: Classes that the codes stand for.
        transition: The noise.
    """
    counts = np.bincount(given, minlength=len(names))
    right = transition.prior * transition.matrix.diagonal() * len(given)  # labels of each class that are right
    flagged = np.bincount(given[judged.flagged], minlength=len(names))
    columns = {
        "given": counts,
        "true": transition.prior * len(given),
        "wrong": np.clip(1 - right / counts, 0, 1),
        "mean_score": np.bincount(given, judged.scores, len(names)) / counts,
        "issues": flagged,
        "confused_with": _confused_with(judged, given, names),
    }
    return pd.DataFrame(columns, index=pd.Index(names, name="class"))


def _confused_with(judged: Judged, given: Int[np.ndarray, " n"], names: list[Any]) -> pd.Series:
    """Return the class that most issues of each class probably belong to; missing without issues."""
    flagged, c = judged.flagged, len(names)
    pairs, count = np.unique(given[flagged] * c + judged.voted[flagged], return_counts=True)
    best: list[Any] = [None] * c
    for pair in pairs[np.argsort(-count, kind="stable")[::-1]].tolist():  # the most frequent comes last
        best[pair // c] = names[pair % c]
    return pd.Series(best, index=pd.Index(names), dtype=nullable(names))
