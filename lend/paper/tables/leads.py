"""Settings beside each other: how far each is ahead of cross entropy, and what it trained on."""

from __future__ import annotations

import pandas as pd


def leads(selected: pd.DataFrame) -> pd.DataFrame:
    """Means over the trials of each row, in per cent; rows without a finished run are left out.

    Args:
        selected: One panel of :func:`selected`, with the row Standard; and "Standard, augmentation" where
            rows of augmented trainings are to be compared.

    Returns:
        Indexed by row: last, lead, best, right_kept and wrong_kept. lead is last above that of Standard, the augmented
        one where the row is augmented; NaN where that is not finished.
    """
    found = selected[selected["complete"]]
    cells = 100 * found.groupby("row", sort=False)[["last", "best", "right_kept", "wrong_kept"]].mean()
    rivals = ["Standard, augmentation" if "augmentation" in row else "Standard" for row in cells.index]
    cells.insert(1, "lead", cells["last"] - cells["last"].reindex(rivals).to_numpy())
    return cells
