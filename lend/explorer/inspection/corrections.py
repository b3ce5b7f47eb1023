"""Labels decided by hand: corrected or confirmed, undone, and handed over as a table or a patch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lend import storage
from lend.explorer.inspection.names import Names
from lend.inputs import safe_table

# what a person said of the label of an example: nothing, which it is, "unsure", none of the classes
OPEN, DECIDED, UNSURE, NONE = 0, 1, 2, 3


class Corrections:
    """The given labels of m examples and the labels that replace some of them.

    Attributes:
        labels: Codes (m,): the given labels, and in their place those that replace them.
        checked: (m,) OPEN, DECIDED, UNSURE or NONE: what a person said of each.

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
        self.checked = np.where(self.labels != self.given, DECIDED, OPEN).astype(np.int8)
        self._before: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

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
        self._set(changed, code, DECIDED)
        return len(changed)

    def decide(self, position: int, code: int) -> None:
        """Note that somebody looked at an example, and that this is its label: another one, or the given one."""
        self._set(np.array([position]), code, DECIDED)

    def leave(self, position: int, checked: int) -> None:
        """Note that somebody looked at an example and named no class, UNSURE or NONE: it has its given label."""
        self._set(np.array([position]), int(self.given[position]), checked)

    def _set(self, positions: Int[np.ndarray, " s"], code: int, checked: int) -> None:
        positions = positions[(self.labels[positions] != code) | (self.checked[positions] != checked)]
        if len(positions):
            self._before.append((positions, self.labels[positions], self.checked[positions]))
            self.labels[positions], self.checked[positions] = code, checked

    def restore(
        self, positions: Int[np.ndarray, " s"], codes: Int[np.ndarray, " s"], checked: Int[np.ndarray, " s"]
    ) -> None:
        """Take over what was said of examples before, and the label of each where that is DECIDED."""
        self.labels[positions] = np.where(checked == DECIDED, codes, self.given[positions])
        self.checked[positions] = checked

    def undo(self) -> Int[np.ndarray, " s"]:
        """Take back the last change, and return the positions of its examples; none if there is nothing to undo."""
        if not self._before:
            return np.zeros(0, np.int64)
        positions, labels, checked = self._before.pop()
        self.labels[positions], self.checked[positions] = labels, checked
        return positions

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
