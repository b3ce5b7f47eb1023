"""Labels corrected by hand: given, undone, and handed over as a patch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lend import storage


class Corrections:
    """The given labels of m examples and those that replace some of them.

    Args:
        given: Codes of the given labels; -1 where an example has none.
    """

    def __init__(self, given: Int[np.ndarray, " m"]) -> None:
        self.given = given
        self.labels = given.copy()
        self._before: list[tuple[np.ndarray, np.ndarray]] = []

    def start(self, corrected: Int[np.ndarray, " m"]) -> None:
        """Take corrections of before; unknown ones are none."""
        self.labels = np.where(corrected >= 0, corrected, self.given)

    @property
    def positions(self) -> Int[np.ndarray, " s"]:
        """Examples whose label differs from the given one."""
        return np.flatnonzero(self.labels != self.given)

    def relabel(self, code: int, positions: Int[np.ndarray, " s"]) -> int:
        """Give these examples this label; how many had another one. Their given label takes the correction back."""
        changed = positions[self.labels[positions] != code]
        if len(changed):
            self._before.append((changed, self.labels[changed]))
            self.labels[changed] = code
        return len(changed)

    def undo(self) -> int:
        """Take back the last :meth:`relabel` that changed something; how many labels, 0 if there is none."""
        if not self._before:
            return 0
        positions, labels = self._before.pop()
        self.labels[positions] = labels
        return len(positions)


def write_patch(table: pd.DataFrame, scores: Float[np.ndarray, " s"], path: str | Path) -> Path:
    """Write corrections as CSV in the columns of `lend.Audit.patch`, lowest score first.

    Args:
        table: Index sample_id; given_label and corrected_label.
        scores: Of the given labels; NaN where unknown, which leaves label_score empty.
        path: Of the CSV.
    """
    table = table.rename(columns={"corrected_label": "suggested_label"}).assign(label_score=scores)
    return storage.write_patch(table, path)
