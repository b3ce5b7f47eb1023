"""Dilution of the shown labels with other settings: its limits and its result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from lend.inputs import Dilution

POINTS = 10_000  # examples to dilute among
MOST_NEIGHBORS = 32


@dataclass(frozen=True, eq=False)
class Redilution:
    """Diluted labels of a part of the points of a map.

    Args:
        labels: (m,) codes; -1 for points outside the part.
        accuracy: Share of them equal to the true ones, where those are known; NaN if none is.
        seconds: Time that the dilution took, without the search of the neighbours.
        epoch: The snapshot.
        settings: Those of :func:`lend.dilute`.
        points: How many examples were diluted.
    """

    labels: Int[np.ndarray, " m"]
    accuracy: float
    seconds: float
    epoch: int
    settings: Dilution
    points: int
