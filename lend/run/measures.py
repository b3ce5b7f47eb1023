"""Numbers of a run by epoch, and the four scores that sum them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lend.run.layout import RunFolder
from lend.run.records import read_record

if TYPE_CHECKING:
    import pandas as pd

LAST = 10  # "last" is the mean test accuracy of this many final epochs, as in the paper
MEASURES = {
    "best": "the highest of any epoch, an oracle on the test set",
    "last": "the mean of the last ten epochs",
    "chosen": "that of the epoch which is best on held-out noisy labels",
    "ensemble": "as last, of the mean softmax of the method's networks",
}


def scores_of(history: pd.DataFrame, validation: float) -> dict[str, float]:
    """Return the four scores of a history, by the names of :data:`MEASURES`, as fractions.

    Args:
        history: One row per epoch, as :attr:`Run.history`.
        validation: Share of the training examples that was held out; 0 leaves "chosen" NaN.

    Returns:
        Each score, NaN where the history does not have it: all of them before the first epoch.
    """
    scores = dict.fromkeys(MEASURES, float("nan"))
    if history.empty:
        return scores
    test = history["test_accuracy"]
    scores |= {"best": float(test.max()), "last": float(test.iloc[-LAST:].mean())}
    if validation:
        scores["chosen"] = float(test[history["validation_accuracy"].idxmax()])
    if "ensemble_accuracy" in history:
        scores["ensemble"] = float(history["ensemble_accuracy"].iloc[-LAST:].mean())
    return scores


class History:
    """Reader of a run's history records; it keeps what it has read until another epoch is committed.

    Args:
        folder: The folder of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._newest: tuple[int, int] | None = None
        self._table: pd.DataFrame | None = None

    def table(self) -> pd.DataFrame:
        """Return one row per committed epoch; an empty table before the first.

        Raises:
            DamagedFileError: If a record was truncated or altered.
        """
        import pandas as pd

        done = self._folder.epochs_done
        # a run that goes on from an older state writes its later epochs anew: the same number, a newer file
        newest = (done, self._folder.history_path(done).lstat().st_mtime_ns if done else 0)
        if self._table is None or newest != self._newest:
            rows = [read_record(self._folder, epoch)["row"] for epoch in range(1, done + 1)]
            self._table = pd.DataFrame(rows).set_index("epoch") if rows else pd.DataFrame()
            self._newest = newest
        return self._table.copy()
