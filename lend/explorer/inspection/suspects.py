"""What an audit says of the points of an inspection: which labels are doubtful, and which it suggests instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True, eq=False)
class Suspects:
    """Scores and suggestions for m points, of an audit of n examples.

    Args:
        suggested: Codes of the suggested labels, -1 where there is none.
        scores: Label scores; NaN where an example is unlabelled.
        issues: Whether the label is an issue.
        rows: Positions of the points among the examples of the audit.
        distributions: (n, c) probability of each class.
        classes: The c classes, as the labels of the audit are: names, integers or booleans.
        ids: Sample ids of the n examples.
        digest: SHA-256 of the sample ids and given labels of the audit.
        listed: Positions of the points to review, in this order, in place of the issues; None for the issues.
    """

    suggested: Int[np.ndarray, " m"]
    scores: Float[np.ndarray, " m"]
    issues: Bool[np.ndarray, " m"]
    rows: Int[np.ndarray, " m"]
    distributions: Float[np.ndarray, "n c"]
    classes: Sequence[Any]
    ids: pd.Index
    digest: str
    listed: Int[np.ndarray, " l"] | None = None

    def worst_first(self, among: Bool[np.ndarray, " m"]) -> Int[np.ndarray, " s"]:
        """Return the positions of these points, lowest score first; equal ones in the order of the points."""
        chosen = np.flatnonzero(among)
        return chosen[np.argsort(self.scores[chosen], kind="stable")]  # NaN is last

    def likeliest(self, position: int, besides: Sequence[int]) -> int:
        """Return the likeliest class of a point, others than these."""
        shares = self.distributions[self.rows[position]].copy()
        shares[[code for code in besides if code >= 0]] = -1
        return int(shares.argmax())
