"""The labels that are saved in a run: those that were given, and those of each epoch."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lend import storage
from lend.run.contents import require_given, require_labels
from lend.run.layout import SEEN
from lend.run.settings import RunSettings

if TYPE_CHECKING:
    import pandas as pd


class SavedLabels(RunSettings):
    """The given labels of a run, and the predicted, diluted and dominant ones of its epochs."""

    @property
    def examples(self) -> int:
        """Number of training examples, n."""
        return len(self.labels)

    @cached_property
    def labels(self) -> pd.DataFrame:
        """True and noisy label of each training example, by sample id; -1 where it is unknown."""
        import pandas as pd

        arrays = self.given()
        index = pd.Index(arrays["sample_id"], name="sample_id")
        return pd.DataFrame({name: arrays[name].astype(np.int64) for name in ("true", "noisy")}, index=index)

    def given(self) -> dict[str, np.ndarray]:
        """Read the given labels as they are saved: true, noisy and sample_id, each (n,).

        Raises:
            DamagedFileError: If the file is missing or damaged, or holds something else.
        """
        arrays = storage.read_arrays(self.given_path)
        require_given(self.given_path, arrays, len(self.class_names), self.recorded is not None)
        return arrays

    def epoch_labels(self, epoch: int) -> dict[str, np.ndarray]:
        """Read predicted, diluted and dominant labels and the kept and seen masks of an epoch's passes, each (n,).

        One read for those who want several of them; integers are as small as they are saved. In a recorded run a label
        may be missing, -1; those of an example that the epoch did not see always are.

        Raises:
            KeyError: If the run has no such epoch; the message names the command that makes it.
        """
        if not self.history_path(epoch).exists():
            raise KeyError(
                f"run {self.path.name} has no epoch {epoch}; it has 1 to {self.epochs_done}. {self._command(epoch)}"
            )
        arrays = storage.read_arrays(self.labels_path(epoch))
        recorded = self.recorded is not None
        require_labels(self.labels_path(epoch), arrays, self.examples, len(self.class_names), recorded)
        return {SEEN: np.ones(self.examples, bool), **arrays}

    def predicted(self, epoch: int) -> np.ndarray:
        """The network's labels in this epoch's training passes, (n,)."""
        return self.epoch_labels(epoch)["predicted"].astype(np.int64)

    def diluted(self, epoch: int) -> np.ndarray:
        """The argmax of Eq. (3) in this epoch's batches, (n,)."""
        return self.epoch_labels(epoch)["diluted"].astype(np.int64)

    def dominant(self, epoch: int) -> np.ndarray:
        """The dominant labels (Definition 1) in this epoch's batches, (n,)."""
        return self.epoch_labels(epoch)["dominant"].astype(np.int64)

    def kept(self, epoch: int) -> np.ndarray:
        """Which examples the method trained on in this epoch, (n,) bool."""
        return self.epoch_labels(epoch)["kept"]

    def seen(self, epoch: int) -> np.ndarray:
        """Which examples were in this epoch's batches, (n,) bool: all, but in a recorded run."""
        return self.epoch_labels(epoch)[SEEN]
