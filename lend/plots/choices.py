"""Comparison of settings, changed one at a time: accuracy, and right and wrong labels kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lend.plots.colours import LINES
from lend.plots.marks import dot
from lend.plots.names import heading, literal
from lend.plots.notes import absent_below, nothing, row_legend
from lend.plots.style import PAGE, Picture, styled

PANELS = {
    "test accuracy (%)": ("best", "last"),
    "right labels kept (%)": ("right_kept",),
    "wrong labels kept (%)": ("wrong_kept",),
}
CHANGED = "#444444"  # colour of a row that is not in LINES


@styled
def choices(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw accuracy, right labels kept and wrong labels kept of each row: mean over trials ± 1 standard deviation.

    There is one line of panels per table. Vertical lines mark the means of Standard, LEND and LEND+prior, to compare
    the other rows with. Rows without a finished run are named below.

    Args:
        tables: Tables of :func:`lend.paper.tables.selected`, by their titles.
    """
    counts = [max(table["row"].nunique(), 4) for table in tables.values()] or [4]
    figure = Picture(figsize=(PAGE, 0.16 * sum(counts) + 0.75 * len(counts) + 0.4), layout="constrained")
    grid = figure.subplots(len(counts), len(PANELS), sharey="row", squeeze=False, height_ratios=counts)
    for line, (title, table) in zip(grid.tolist(), tables.items(), strict=False):
        _draw_line(line, title, table)
    measured = [dot(CHANGED, "last"), dot(CHANGED, "best, an oracle", markerfacecolor="w", markeredgewidth=0.9)]
    lines = [Line2D([], [], **_reference(row), label=row) for row in LINES if _has(tables, row)]
    row_legend(figure, [*measured, *lines], "last: mean of the last ten epochs, of the kept shares as well")
    return figure


def _has(tables: Mapping[str, pd.DataFrame], row: str) -> bool:
    return any((table["complete"] & (table["row"] == row)).any() for table in tables.values())


def _reference(row: str) -> dict[str, Any]:
    style = LINES[row]
    return {"color": style["color"], "linestyle": style["linestyle"], "linewidth": 0.9}


def _draw_line(line: Sequence[Axes], title: str, table: pd.DataFrame) -> None:
    rows = list(dict.fromkeys(table["row"]))
    found = table[table["complete"]]
    absent = [row for row in rows if row not in set(found["row"])]
    for axes, (label, measures) in zip(line, PANELS.items(), strict=True):
        axes.grid(color="#ececec", linewidth=0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(label)
        for measure in measures:
            _draw_measure(axes, found, rows, measure)
    line[0].set_yticks(range(len(rows)), [literal(row) for row in rows])
    line[0].set_ylim(len(rows) - 0.4, -0.6)
    line[0].set_title(heading(title), loc="left", fontweight="bold")
    line[0].set_xlabel(absent_below(line[0].get_xlabel(), absent, width=46))
    if not len(found):
        nothing(line[0], "no finished run yet")


def _draw_measure(axes: Axes, found: pd.DataFrame, rows: list[str], measure: str) -> None:
    cells = 100 * found.groupby("row", sort=False)[measure].agg(["mean", "std"]).astype(float)
    for row, (mean, std) in cells.iterrows():
        style = LINES.get(row)
        colour, place = style["color"] if style else CHANGED, rows.index(row)
        if style and measure != "best":
            axes.axvline(mean, zorder=1, **_reference(row))
        if std > 0:
            axes.errorbar(mean, place, xerr=std, fmt="none", ecolor=colour, elinewidth=0.9, capsize=1.5, zorder=2)
        face = "w" if measure == "best" else colour
        axes.scatter(mean, place, s=20, facecolors=face, edgecolors=colour, linewidths=0.9, zorder=3)
