"""The tables of an audit: its issues, the transition matrix, and the classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.auditing.scores import Judged
from lend.auditing.transition import Transition


def issues_table(
    judged: Judged, given: Int[np.ndarray, " n"], names: np.ndarray, index: pd.Index, agreement: np.ndarray
) -> pd.DataFrame:
    columns = {
        "given_label": names[given].tolist(),
        "predicted_label": names[judged.predicted].tolist(),
        "label_score": judged.scores,
        "is_label_issue": judged.flagged,
        "neighbor_agreement": agreement,
    }
    return pd.DataFrame(columns, index=index)


def matrix_table(transition: Transition, names: list[Any]) -> pd.DataFrame:
    true, given = (pd.Index(names, name=name) for name in ("true_label", "given_label"))
    return pd.DataFrame(transition.matrix, index=true, columns=given)


def classes_table(
    judged: Judged, given: Int[np.ndarray, " n"], names: list[Any], transition: Transition
) -> pd.DataFrame:
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
    """The class that the others say most issues of each class to be; missing without issues."""
    said = judged.distributions.argmax(axis=1)
    suggested = [said[judged.flagged & (given == code)] for code in range(len(names))]
    found = [names[np.bincount(codes).argmax()] if len(codes) else None for codes in suggested]
    return pd.Series(found, index=pd.Index(names), dtype="string" if isinstance(names[0], str) else "Int64")
