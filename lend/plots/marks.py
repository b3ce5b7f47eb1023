"""Single marks: the size of points in a panel, and a dot in a legend."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from lend.plots.names import literal


def marker_size(n: int, side: float) -> float:
    """Return the area of a marker, in square points, at which n of them cover a fifth of a square panel.

    Args:
        n: Number of markers.
        side: Side of the panel, in inches.
    """
    return float(np.clip((72 * side) ** 2 / (5 * max(n, 1)), 0.4, 30))


def dot(colour: str, label: str, **settings: Any) -> Line2D:  # noqa: ANN401 (those of Line2D)
    """Make a dot with its label, as an entry of a legend.

    Args:
        colour: Colour of the dot.
        label: Text beside it, drawn as it is written.
        settings: Further properties of the line, such as ``markersize``.
    """
    settings = {"markersize": 5, "markeredgewidth": 0} | settings
    return Line2D([], [], linestyle="none", marker="o", color=colour, label=literal(label), **settings)
