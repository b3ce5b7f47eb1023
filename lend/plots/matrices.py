"""Transition matrices as heat maps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from lend.plots.colours import LEGEND_CLASSES
from lend.plots.names import literal
from lend.plots.style import PAGE, Picture, styled


@styled
def transition_matrices(
    matrices: Mapping[str, np.ndarray], class_names: Mapping[str, Sequence[str]], columns: int = 2
) -> Figure:
    """Draw transition matrices as heat maps, row = true class, in per cent: Fig. 5.

    Up to 20 classes, shares of half a per cent and more are written into their cells.

    Args:
        matrices: (c, c) fractions, by title; at least one.
        class_names: Names of the classes of each matrix, by the same titles.
        columns: Panels in a row.
    """
    columns = min(columns, len(matrices))
    rows = math.ceil(len(matrices) / columns)
    side = PAGE / columns
    figure = Picture(figsize=(PAGE if columns > 1 else 3.9, (min(side, 3.5) - 0.2) * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (title, matrix) in zip(grid.flat, matrices.items(), strict=False):
        image = heat_map(axes, 100 * np.asarray(matrix), class_names[title])
        axes.set_title(literal(title, 36))
    for axes in grid.flat[len(matrices) :]:
        axes.set_visible(False)
    figure.colorbar(image, ax=grid, label="share of the true class (%)", shrink=0.6, aspect=30)
    return figure


def heat_map(axes: Axes, percent: np.ndarray, names: Sequence[Any], most: int = 20) -> AxesImage:
    """Draw one matrix (c, c) of per cents; up to 20 classes with their names, of at most so many columns."""
    image = axes.imshow(percent, cmap="Blues", vmin=0, vmax=100, interpolation="nearest")
    axes.set(xlabel="given label", ylabel="true class")
    for spine in axes.spines.values():
        spine.set(visible=True, color="#cccccc")
    c = len(names)
    if c > LEGEND_CLASSES:
        return image
    names = [literal(name, most) for name in names]
    turned = max(len(name) for name in names) > 2
    axes.set_xticks(range(c), names, rotation=90 if turned else 0)
    axes.set_yticks(range(c), names)
    axes.tick_params(length=0)
    for (i, j), value in np.ndenumerate(percent):
        if value >= 0.5:
            axes.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=7, color="w" if value > 65 else "k")
    return image
