"""The toy of the dilution: label distributions of points in the plane, of two classes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lend.plots.colours import WRONG, class_colours
from lend.plots.marks import dot
from lend.plots.names import literal
from lend.plots.style import PAGE, Picture, styled


@styled
def dilution_toy(
    points: pd.DataFrame, shares: pd.DataFrame, edges: np.ndarray | None = None, boundary: float | None = None
) -> Figure:
    """Draw label distributions of points of two classes, before and after dilution: the setting of Fig. 2 and 3.

    Args:
        points: Table of :func:`lend.analysis.toy`, with columns x, y and true (0 or 1).
        shares: Table of :func:`lend.analysis.toy_shares`, the share of class 1 of each point; one panel per column.
        edges: (e, 2) positions of pairs of neighbours, to draw as thin lines.
        boundary: The x at which the true class changes, to draw as a line.
    """
    panels = {"true classes": points["true"].astype(float), **shares}
    columns = 3
    rows = math.ceil(len(panels) / columns)
    figure = Picture(figsize=(PAGE, 1.56 * rows + 0.35), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (name, share) in zip(grid.flat, panels.items(), strict=False):
        _draw_toy(axes, points, np.asarray(share), edges, boundary)
        axes.set_title(literal(name), loc="left")
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    colours = ScalarMappable(Normalize(0, 1), two_class_colours())
    figure.colorbar(colours, ax=grid, label="share of class 1", shrink=0.7, aspect=25, ticks=[0, 0.5, 1])
    _toy_legend(figure, edges is not None, boundary is not None)
    return figure


def two_class_colours() -> LinearSegmentedColormap:
    """Return the colours from that of class 0 through near white to that of class 1."""
    first, second = class_colours(2)
    return LinearSegmentedColormap.from_list("two classes", [first, "#f4f2ee", second])


def _draw_toy(
    axes: Axes, points: pd.DataFrame, share: np.ndarray, edges: np.ndarray | None, boundary: float | None
) -> None:
    places, wrong = points[["x", "y"]].to_numpy(), (share > 0.5) != points["true"].to_numpy()
    if edges is not None:
        axes.add_collection(LineCollection(places[edges], colors="#d9d9d9", linewidths=0.4, zorder=0))
    if boundary is not None:
        axes.axvline(boundary, color="#555555", linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    axes.scatter(
        places[:, 0],
        places[:, 1],
        c=share,
        cmap=two_class_colours(),
        vmin=0,
        vmax=1,
        s=18,
        linewidths=0.5,
        edgecolors="#777777",
        zorder=2,
    )
    axes.scatter(
        places[wrong, 0], places[wrong, 1], s=46, facecolors="none", edgecolors=WRONG, linewidths=1.1, zorder=3
    )
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_title(f"accuracy {100 * (1 - wrong.mean()):.1f} %", loc="right", fontsize=7)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#cccccc")


def _toy_legend(figure: Figure, edges: bool, boundary: bool) -> None:
    first, second = class_colours(2)
    handles = [
        dot(first, "class 0", markeredgewidth=0.5, markeredgecolor="#777777"),
        dot(second, "class 1", markeredgewidth=0.5, markeredgecolor="#777777"),
        dot("none", "largest share is not the true class", markersize=7, markeredgewidth=1.1, markeredgecolor=WRONG),
    ]
    if boundary:
        handles.append(Line2D([], [], color="#555555", linewidth=0.9, linestyle=(0, (4, 2)), label="true boundary"))
    if edges:
        handles.append(Line2D([], [], color="#bbbbbb", linewidth=0.6, label="neighbours"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
