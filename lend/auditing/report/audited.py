"""What a report is written of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd


@runtime_checkable
class Audited(Protocol):
    """The tables of an audit, as :class:`lend.Audit` describes them: whatever has these can be reported."""

    @property
    def issues(self) -> pd.DataFrame:
        """One row per example."""

    @property
    def distributions(self) -> np.ndarray:
        """Probability of each class, of each example, (n, c)."""

    @property
    def estimate(self) -> Any:  # noqa: ANN401 (lend.auditing.transition.Estimate)
        """Estimated number of wrong labels: ``errors``, ``low``, ``high``, ``examples``; its text is one line."""

    @property
    def transition_matrix(self) -> pd.DataFrame:
        """P(given label | true class), (c, c), row = true class."""

    @property
    def classes(self) -> pd.DataFrame:
        """One row per class, in the order of the columns of ``distributions``."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the audit."""
