"""Comparison of methods: test accuracy by epoch."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lend.plots.colours import Line, row_lines
from lend.plots.names import literal
from lend.plots.notes import absent_below, more_lines, nothing, row_legend, trials
from lend.plots.style import PAGE, Picture, styled


@styled
def accuracy_curves(curves: pd.DataFrame) -> Figure:
    """Draw test accuracy by epoch, the mean over trials in a band of ± 1 standard deviation: Fig. 6 and 7.

    The y axis leaves out the rise in the first tenth of the epochs. A cell without a finished run is named below its
    panel; without any cell there is one empty panel.

    Args:
        curves: Table of :func:`lend.paper.tables.curves`, fractions: one panel per column, one curve per row.
    """
    rows, columns = (list(dict.fromkeys(curves.index.get_level_values(name))) for name in ("row", "column"))
    figure = Picture(figsize=(PAGE, 3.1 + more_lines(rows, PAGE)), layout="constrained")
    panels = figure.subplots(1, max(len(columns), 1), sharey=True, squeeze=False)[0]
    lines = {row: _line(style) for row, style in row_lines(rows).items()}
    for axes, column in zip(panels, columns, strict=False):
        _draw_trial_curves(axes, curves.xs(column, level="column"), str(column), lines)
    panels[0].set_ylabel("test accuracy (%)")
    if (curves["n"] > 0).any():
        panels[0].set_ylim(*_accuracy_limits(curves["mean"].astype(float)))
    else:
        panels[0].set_yticks([])
    if not columns:
        nothing(panels[0], "no runs are planned for this figure")
        panels[0].set_xticks([])
    drawn = set(curves[curves["n"] > 0].index.get_level_values("row"))
    handles = [Line2D([], [], label=literal(row), **lines[row]) for row in rows if row in drawn]
    repeated = curves["n"].max() > 1
    row_legend(figure, handles, "mean over the trials; band: ± 1 standard deviation" if repeated else "")
    return figure


def _accuracy_limits(mean: pd.Series) -> tuple[float, float]:
    """Return the range of the curves after their first rise, in per cent, where the methods differ."""
    epochs = mean.index.get_level_values("epoch")
    later = 100 * mean[epochs > 0.1 * epochs.max()].dropna()
    room = 0.08 * (later.max() - later.min()) + 1
    return later.min() - room, min(later.max() + room, 100.5)


def _draw_trial_curves(axes: Axes, table: pd.DataFrame, title: str, lines: Mapping[str, Line]) -> None:
    rows = list(dict.fromkeys(table.index.get_level_values("row")))
    found = [row for row in rows if table.loc[row, "n"].max() > 0]
    for row in found:
        _draw_mean_and_band(axes, 100 * table.loc[row, ["mean", "std"]].astype(float), lines[row])
    axes.set_title(literal(title), loc="left", fontweight="bold")
    axes.set_title(trials(table["n"]), loc="right", fontsize=7, color="#444444")
    axes.set_xlabel(absent_below("epoch", [row for row in rows if row not in found], width=42) if found else "epoch")
    axes.set_xlim(0, table.index.get_level_values("epoch").max())
    axes.locator_params(axis="x", integer=True)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    if not found:
        nothing(axes, "no finished run yet")


def _draw_mean_and_band(axes: Axes, percent: pd.DataFrame, line: Line) -> None:
    low, high = percent["mean"] - percent["std"], percent["mean"] + percent["std"]
    axes.plot(percent.index, percent["mean"], **line)
    if percent["std"].notna().any():
        order = line.get("zorder", 2) - 0.5
        axes.fill_between(percent.index, low, high, color=line["color"], alpha=0.16, linewidth=0, zorder=order)


def _line(style: Line) -> Line:
    """Return the style of a curve: width, colour and dashes, no marker."""
    return {name: value for name, value in ({"linewidth": 1.1} | style).items() if name != "marker"}
