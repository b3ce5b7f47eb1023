"""Comparison of methods: each trial as a dot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lend.plots.colours import row_lines
from lend.plots.names import literal
from lend.plots.notes import absent_below, nothing
from lend.plots.style import PAGE, Picture, styled

MEASURE_TITLES = {
    "best": "test accuracy of the best epoch, an oracle on the test set (%)",
    "last": "test accuracy, mean of the last ten epochs (%)",
    "chosen": "test accuracy of the epoch that is best on held-out noisy labels (%)",
    "ensemble": "test accuracy of the networks' mean softmax, last ten epochs (%)",
}


@styled
def trial_dots(collected: pd.DataFrame, measure: str = "last") -> Figure:
    """Draw every trial as a small dot, the mean as a large one, and ± 1 standard deviation as a line.

    There is one panel per column of the experiment, and one line of dots per row.

    Args:
        collected: Table of :func:`lend.paper.tables.collect`.
        measure: Accuracy to draw: "best", "last", "chosen" or "ensemble".
    """
    columns = list(dict.fromkeys(collected["column"]))
    across = min(max(len(columns), 1), 3)
    down = math.ceil(max(len(columns), 1) / across)
    rows = list(dict.fromkeys(collected["row"]))
    figure = Picture(figsize=(PAGE, (0.19 * max(len(rows), 5) + 0.45) * down + 0.35), layout="constrained")
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).flatten()
    for axes, column in zip(grid, columns, strict=False):
        _draw_dots(axes, collected[collected["column"] == column], rows, measure)
        axes.set_title(literal(column), loc="left", fontweight="bold")
        axes.tick_params(labelbottom=True)
    for axes in grid[max(len(columns), 1) :]:
        axes.set_visible(False)
    if not collected[measure].notna().any():
        grid[0].set_xticks([])
    if not columns:
        nothing(grid[0], "no runs are planned for this figure")
        grid[0].set_yticks([])
    repeated = collected.dropna(subset=measure).groupby(["row", "column"]).size().max() > 1
    note = "\nsmall: single trials; large: their mean, ± 1 standard deviation" if repeated else "\none trial"
    figure.supxlabel(f"{MEASURE_TITLES[measure]}{note}", fontsize=8)
    return figure


def _draw_dots(axes: Axes, table: pd.DataFrame, rows: Sequence[str], measure: str) -> None:
    lines = row_lines(rows)
    for place, row in enumerate(rows):
        percent = 100 * table.loc[table["row"] == row, measure].dropna().astype(float)
        style = lines[row]
        if len(percent) > 1:
            axes.errorbar(percent.mean(), place, xerr=percent.std(), fmt="none", ecolor=style["color"], elinewidth=1)
            below = [place + 0.3] * len(percent)
            axes.scatter(percent, below, s=8, color=style["color"], alpha=0.6, linewidths=0, zorder=2)
        if len(percent):
            axes.scatter(percent.mean(), place, s=30, color=style["color"], edgecolors="w", linewidths=0.6, zorder=3)
    axes.set_yticks(range(len(rows)), [literal(row) for row in rows])
    axes.set_ylim(len(rows) - 0.3, -0.7)
    axes.grid(color="#ececec", linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    planned = list(dict.fromkeys(table["row"]))  # a row may have some of the columns alone
    for left_out, block in groupby(range(len(rows)), lambda place: rows[place] not in planned):
        if left_out:
            places = [*block]
            axes.axhspan(places[0] - 0.5, places[-1] + 0.5, color="#f3f2ee", linewidth=0, zorder=1)
            middle = (0.5, (places[0] + places[-1]) / 2)
            style = {"ha": "center", "va": "center", "color": "#777777", "fontsize": 7}
            axes.annotate("not compared", middle, xycoords=axes.get_yaxis_transform(), **style)
    absent = [row for row in planned if not table.loc[table["row"] == row, measure].notna().any()]
    if len(absent) == len(planned):
        nothing(axes, "no finished run yet")
    else:
        axes.set_xlabel(absent_below("", absent, width=46), fontsize=7)
