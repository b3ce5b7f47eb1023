"""Label accuracy by epoch: Fig. 4."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lend.plots.colours import LABEL_COLOURS, LABEL_DASHES, LABEL_TITLES
from lend.plots.epochs import root_axis
from lend.plots.names import literal
from lend.plots.style import PAGE, Picture, styled


@styled
def label_accuracy_curves(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw label accuracy by epoch, one panel per run: Fig. 4.

    A line between the two curves marks the epoch in which the lead of diluted over predicted labels is largest.

    Args:
        curves: Tables of :func:`lend.analysis.label_accuracy`, by the name of the run; at least one.
    """
    columns = min(len(curves), 3)
    rows = math.ceil(len(curves) / columns)
    # the note above a panel: characters that fit into a line, and number of lines
    width, lines = {1: (80, 2), 2: (56, 3), 3: (36, 4)}[columns]
    height = 2.05 + 0.13 * lines
    figure = Picture(figsize=(PAGE if columns > 1 else 4.2, height * rows + 0.5), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten()
    for axes, (name, table) in zip(panels, curves.items(), strict=False):
        _draw_curves(axes, table, width)
        axes.set_title(literal(name), loc="left", fontweight="bold", pad=6 + 9 * lines)
    for axes in panels[len(curves) :]:
        axes.set_visible(False)
    _curve_axes(figure, [axes for axes in figure.axes if axes.get_visible()])
    return figure


def _draw_curves(axes: Axes, table: pd.DataFrame, width: int) -> None:
    for kind in ("noisy", "dominant", "predicted", "diluted"):
        axes.plot(
            table.index,
            100 * table[kind],
            color=LABEL_COLOURS[kind],
            linestyle=LABEL_DASHES[kind],
            label=LABEL_TITLES[kind],
        )
    found = largest_margin(table)
    if found is None:
        return
    epoch, margin = found
    ends = 100 * table.loc[epoch, ["predicted", "diluted"]]
    axes.plot([epoch, epoch], ends, color="#333333", linewidth=0.9, marker="o", markersize=2.6, zorder=3)
    best = [f"{kind} {100 * table[kind].max():.1f} % (epoch {table[kind].idxmax()})" for kind in ends.index[::-1]]
    lead = ("largest lead of diluted:", f"{100 * margin:+.1f} points, epoch {epoch} (dots)")
    parts = (lead, (f"best: {best[0]},", best[1]))
    lines = (part if len(" ".join(part)) > width else (" ".join(part),) for part in parts)
    text = "\n".join(line for part in lines for line in part)
    axes.text(0, 1.04, text, transform=axes.transAxes, fontsize=7, color="#444444")


def largest_margin(table: pd.DataFrame) -> tuple[int, float] | None:
    """Return the epoch in which diluted labels lead predicted ones most, and by how much; None where unknown.

    Args:
        table: Table of :func:`lend.analysis.label_accuracy`.
    """
    margin = (table["diluted"] - table["predicted"]).dropna()
    return (int(margin.idxmax()), float(margin.max())) if len(margin) else None


def _curve_axes(figure: Figure, panels: list[Axes]) -> None:
    """Draw the axis labels and one legend for panels with the same curves."""
    for axes in panels:
        root_axis(axes, int(np.max(np.asarray(axes.get_lines()[0].get_xdata()))))
        place = axes.get_subplotspec()
        if place is not None and place.is_first_col():
            axes.set_ylabel("label accuracy (%)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower center", ncols=4 if len(panels) > 1 else 2)
