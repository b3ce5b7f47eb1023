"""Single marks: the size of points in a panel, and a dot in a legend."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.lines import Line2D


def marker_size(n: int, side: float) -> float:
    """Area in square points of each of n markers, so that together they cover a fifth of a square panel.

    Args:
        n: Points.
        side: Of the panel, in inches.
    """
    return float(np.clip((72 * side) ** 2 / (5 * max(n, 1)), 0.4, 30))


def dot(colour: str, label: str, **settings: Any) -> Line2D:  # noqa: ANN401
    """Draw the dot of a legend's entry."""
    settings = {"markersize": 5, "markeredgewidth": 0} | settings
    return Line2D([], [], linestyle="none", marker="o", color=colour, label=label, **settings)
