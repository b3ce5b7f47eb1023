"""Comparison of methods: accuracy against the value of a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lend.plots.colours import Line, row_lines
from lend.plots.names import literal
from lend.plots.notes import absent_below, more_lines, nothing, row_legend, trials
from lend.plots.style import PAGE, Picture, styled

BEHIND = "#e9e4d8"  # colour behind the default value


@styled
def sensitivity(panels: Mapping[str, pd.DataFrame], defaults: Mapping[str, Any]) -> Figure:
    """Draw best and last accuracy against the values of one setting per panel, ± 1 standard deviation: Fig. 8.

    Numbers are joined by lines, categories are not. A cell without a finished run is named below its panel.

    Args:
        panels: Tables of :func:`lend.paper.tables.long`, by the name of the setting whose values are their columns.
        defaults: Value of each setting in the other panels; it is marked.
    """
    lines = row_lines(row for table in panels.values() for row in table["row"])
    handles: list[Artist] = [
        _setting_line(row, style, measure) for row, style in lines.items() for measure in ("best", "last")
    ]
    handles += [Patch(color=BEHIND, label="default")] if handles else []
    height = 3.0 + more_lines([str(handle.get_label()) for handle in handles], PAGE)
    figure = Picture(figsize=(PAGE, height), layout="constrained")
    widths = [_letters(table) for table in panels.values()] or [1]
    grid = figure.subplots(1, len(widths), sharey=True, squeeze=False, width_ratios=widths)[0]
    for axes, (setting, table) in zip(grid, panels.items(), strict=False):
        _draw_setting(axes, table, setting, defaults.get(setting), lines)
    grid[0].set_ylabel("test accuracy (%)")
    if not any((table["n"] > 0).any() for table in panels.values()):
        grid[0].set_yticks([])
    note = "best: the highest of any epoch, an oracle on the test set; last: mean of the last ten epochs"
    row_legend(figure, handles, note)
    return figure


def _letters(table: pd.DataFrame) -> int:
    """Return the number of characters that the values of a setting need below their panel."""
    return max(14, sum(max(3, len(str(value).split(" (")[0])) + 1 for value in table["column"].unique()))


def _draw_setting(axes: Axes, table: pd.DataFrame, setting: str, default: object, lines: Mapping[str, Line]) -> None:
    values, found = list(dict.fromkeys(table["column"])), table[table["n"] > 0]
    axes.set_title(literal(setting), loc="left", fontweight="bold")
    axes.set_title(trials(table["n"]), loc="right", fontsize=7, color="#444444")
    axes.set_xticks(range(len(values)), [literal(value).replace(" (", "\n(") for value in values])
    axes.set_xlim(-0.6, max(len(values), 1) - 0.4)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    if default in values and len(found):
        axes.axvspan(values.index(default) - 0.4, values.index(default) + 0.4, color=BEHIND, linewidth=0, zorder=0)
    joined = not any(isinstance(value, str) for value in values)
    curves = found.groupby(["row", "measure"], sort=False)
    for shift, ((row, measure), cells) in zip(_shifts(len(curves)), curves, strict=True):
        line = _setting_line(row, lines[row], measure)
        line.set_linestyle(line.get_linestyle() if joined else "none")
        _draw_setting_line(axes, cells, [values.index(value) + shift for value in cells["column"]], line)
    absent = table[table["n"] == 0].groupby("row", sort=False)["column"].unique()
    names = [f"{row} at {', '.join(map(str, columns))}" for row, columns in absent.items()]
    axes.set_xlabel(absent_below("", names, width=34) if len(found) else "")
    if not len(found):
        nothing(axes, "no finished run yet" if len(table) else "not planned\nin this profile")


def _shifts(count: int) -> np.ndarray:
    """Return a small shift of each curve, so that error bars at one value do not overlap."""
    return 0.09 * (np.arange(count) - (count - 1) / 2)


def _setting_line(row: str, style: Line, measure: str) -> Line2D:
    """Return a line of :func:`sensitivity`: best is dashed with hollow markers, last is solid with filled ones."""
    return Line2D(
        [],
        [],
        label=f"{literal(row)}, {measure}",
        color=style["color"],
        marker=style["marker"],
        markersize=4,
        linewidth=1.3 if measure == "last" else 0.9,
        linestyle="-" if measure == "last" else (0, (3, 1.5)),
        markerfacecolor=style["color"] if measure == "last" else "w",
    )


def _draw_setting_line(axes: Axes, cells: pd.DataFrame, places: Sequence[float], line: Line2D) -> None:
    mean, std = 100 * cells["mean"].to_numpy(float), 100 * cells["std"].to_numpy(float)
    axes.errorbar(places, mean, std, fmt="none", ecolor=line.get_color(), elinewidth=0.9, capsize=1.5, zorder=2)
    line.set_data(places, mean)
    line.set_zorder(3)
    axes.add_line(line)
    axes.autoscale_view()
