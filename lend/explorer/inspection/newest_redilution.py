"""The newest re-dilution of the shown labels.

What computes it (``rediluter``) is imported when it is first wanted: torch alone takes seconds to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from lend.explorer.inspection.mapped import UNKNOWN, Mapped, shown_type
from lend.explorer.inspection.redilution import Redilution
from lend.inputs import Dilution, require

if TYPE_CHECKING:
    from lend.explorer.inspection.rediluter import Rediluter


class NewestRedilution:
    """Dilutes the noisy labels of the points again, and keeps the newest result.

    Args:
        points: Those of a run or of embeddings; a table has none to dilute by.

    Attributes:
        result: The newest; None before the first.
    """

    def __init__(self, points: Mapped) -> None:
        self.result: Redilution | None = None
        self._points = points
        self._rediluter: Rediluter | None = None

    def search(self, map_epoch: int) -> None:
        """Search the neighbours that :meth:`dilute` wants at this map, before it is called.

        Raises:
            ValueError: If there are no embeddings.
        """
        self._prepared().search(map_epoch)

    def dilute(self, map_epoch: int, settings: Dilution) -> Redilution:
        """Dilute at the snapshot of this map.

        Raises:
            ValueError: If there are no embeddings, or the settings ask for more than is computed here.
        """
        self.result = self._prepared().dilute(map_epoch, settings)
        return self.result

    def labels(self, map_epoch: int) -> Int[np.ndarray, " m"]:
        """Return the codes of the newest result; -1 everywhere at another map than its own."""
        if self.result is not None and self.result.epoch == map_epoch:
            return self.result.labels
        return self._unknown()

    def _unknown(self) -> Int[np.ndarray, " m"]:
        return np.full(len(self._points.sample_ids), UNKNOWN, shown_type(len(self._points.class_names)))

    def _prepared(self) -> Rediluter:
        if self._rediluter is None:
            embeddings = self._points.embeddings
            if embeddings is None:
                told = self._points.title
                raise ValueError(f"re-dilution must be of embeddings or a run: a table has no embeddings, got {told!r}")
            require("noisy" in self._points.fixed, "re-dilution", "of noisy labels", "none")
            from lend.explorer.inspection.rediluter import Rediluter

            noisy = self._points.fixed["noisy"]
            true = self._points.fixed.get("true", self._unknown())
            self._rediluter = Rediluter(noisy, true, len(self._points.class_names), embeddings)
        return self._rediluter
