"""Labels corrected by hand: given, undone, and handed over as a table or a patch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lend import storage
from lend.explorer.inspection.names import Names
from lend.inputs import safe_table


class Corrections:
    """The given labels of m examples and the labels that replace some of them.

    Args:
        given: Codes of the given labels, -1 where an example has none; None where no example has one.
        corrected: Codes of corrections made before, -1 where there is none.
    """

    def __init__(self, given: Int[np.ndarray, " m"] | None, corrected: Int[np.ndarray, " m"] | None = None) -> None:
        self.possible = given is not None
        self.given = np.zeros(0, np.int16) if given is None else given
        self.labels = self.given.copy()
        if corrected is not None and self.possible:
            self.labels = np.where(corrected >= 0, corrected, self.given)
        self._before: list[tuple[np.ndarray, np.ndarray]] = []

    @property
    def positions(self) -> Int[np.ndarray, " s"]:
        """Positions of the examples whose label differs from the given one."""
        return np.flatnonzero(self.labels != self.given)

    def relabel(self, code: int, positions: Int[np.ndarray, " s"]) -> int:
        """Give these examples this label, and return how many had another one.

        An example that gets its given label back is no longer corrected.

        Raises:
            ValueError: If there are no given labels to correct.
        """
        if not self.possible:
            raise ValueError("relabelling needs noisy labels, and there are none")
        changed = positions[self.labels[positions] != code]
        if len(changed):
            self._before.append((changed, self.labels[changed]))
            self.labels[changed] = code
        return len(changed)

    def undo(self) -> int:
        """Take back the last :meth:`relabel` that changed something, and return how many labels; 0 if there is none."""
        if not self._before:
            return 0
        positions, labels = self._before.pop()
        self.labels[positions] = labels
        return len(positions)

    def table(self, names: Names) -> pd.DataFrame:
        """Return given_label and corrected_label of the corrected examples, as class names, by sample_id."""
        changed = self.positions
        given, corrected = (names.of_codes(labels[changed]) for labels in (self.given, self.labels))
        index = names.index(changed)
        columns = {"given_label": given, "corrected_label": corrected}
        return pd.DataFrame({name: pd.Series(labels, index, dtype=object) for name, labels in columns.items()})

    def write(self, names: Names, scores: Float[np.ndarray, " m"], path: str | Path) -> Path:
        """Write the corrections as CSV in the columns of `lend.Audit.patch`, lowest score first.

        Args:
            names: Sample ids and class names.
            scores: Scores of the given labels of all examples; NaN where unknown, which leaves label_score empty.
            path: The CSV file.
        """
        table = self.table(names).rename(columns={"corrected_label": "suggested_label"})
        return storage.write_patch(safe_table(table.assign(label_score=scores[self.positions])), path)
