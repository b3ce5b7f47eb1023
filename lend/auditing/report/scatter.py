"""The map of a report: points as a drawing of lines without length, which is small, sharp and prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from lend.auditing.report.words import shown
from lend.inputs import require
from lend.plots import GREY, LABEL_COLOURS, LEGEND_CLASSES, class_colours

SIDE = 640  # units of the drawing
DRAWN = 20_000  # most points in a drawing


@dataclass(frozen=True)
class Layer:
    """Points of one colour.

    Args:
        name: Of the class, or of what they are.
        colour: Hexadecimal.
        path: SVG path.
        flagged: SVG path of those that are label issues, drawn over all others.
    """

    name: str
    colour: str
    path: str
    flagged: str = ""


@dataclass(frozen=True)
class Scatter:
    """A map.

    Args:
        layers: Points by colour.
        rings: SVG path of the points that are label issues.
        size: Diameter of a point.
        drawn: How many points there are.
        examples: Out of how many examples.
    """

    layers: list[Layer]
    rings: str
    size: float
    drawn: int
    examples: int


def scatter(places: Any, issues: pd.DataFrame, class_names: Sequence[Any]) -> Scatter:  # noqa: ANN401 (any array)
    """Draw a map: of few classes in their colours, with a ring around each issue; of many, issues against the rest.

    Args:
        places: (n, 2) coordinates; rows that are not finite are not drawn.
        issues: Table ``Audit.issues``.
        class_names: The classes.

    Raises:
        ValueError: If there is not one row for each example, or none is finite.
    """
    xy = np.asarray(places, np.float64)
    require(xy.shape == (len(issues), 2), "map", f"coordinates of shape ({len(issues)}, 2)", xy.shape)
    rows = np.flatnonzero(np.isfinite(xy).all(axis=1))
    require(len(rows) > 0, "map", "of at least one example", "no finite coordinates")
    if len(rows) > DRAWN:
        rows = np.sort(np.random.default_rng(0).choice(rows, DRAWN, replace=False))
    points, flagged = _fitted(xy[rows]), issues["is_label_issue"].to_numpy()[rows]
    size = float(np.clip(SIDE / np.sqrt(5 * len(rows)), 2.5, 9))
    if len(class_names) > LEGEND_CLASSES:
        layers = [
            Layer("other examples", GREY, _path(points[~flagged])),
            Layer("label issues", LABEL_COLOURS["predicted"], _path(points[flagged])),
        ]
        return Scatter(layers, "", size, len(rows), len(issues))
    codes = pd.Index(class_names, dtype=object).get_indexer(pd.Index(issues["given_label"], dtype=object)[rows])
    layers = [Layer("no label", GREY, _path(points[codes < 0]))] if (codes < 0).any() else []
    for code, (name, colour) in enumerate(zip(class_names, class_colours(len(class_names)), strict=True)):
        others, issues_of = ((codes == code) & chosen for chosen in (~flagged, flagged))
        layers.append(Layer(shown(name), colour, _path(points[others]), _path(points[issues_of])))
    return Scatter(layers, _path(points[flagged]), size, len(rows), len(issues))


def _fitted(points: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, "m 2"]:
    """Scale points into the drawing, with a margin; both axes by the same factor."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = float((high - low).max()) or 1.0
    return SIDE / 2 + (points - (low + high) / 2) * (SIDE - 24) / span


def _path(points: Float[np.ndarray, "m 2"]) -> str:
    """Return lines without length at these points: round ends make them dots."""
    return "".join(f"M{x:.0f} {SIDE - y:.0f}h0" for x, y in points)
