"""Margins over cross entropy against the share of wrong labels: when a method pays."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lend.plots.colours import Line, row_lines
from lend.plots.names import literal
from lend.plots.notes import more_lines, nothing, row_legend, trials
from lend.plots.style import PAGE, Picture, styled

KINDS = ("symmetric", "asymmetric", "human")
AUGMENTED = {False: "no augmentation", True: "augmentation"}


@styled
def margin_panels(margins: pd.DataFrame) -> Figure:
    """Draw each method's margin over cross entropy against the share of wrong labels, ± 1 standard deviation.

    One column of panels for each kind of noise, one line of them without and one with augmentation. Zero, where a
    method is as good as cross entropy, is a line.

    Args:
        margins: Table of :func:`lend.paper.results.margins`, fractions.
    """
    rows = list(dict.fromkeys(margins["row"]))
    lines: dict[str, Line] = {
        row: {"linewidth": 1.1, "markersize": 4, **style} for row, style in row_lines(rows).items()
    }
    figure = Picture(figsize=(PAGE, 4.6 + more_lines(rows, PAGE)), layout="constrained")
    grid = figure.subplots(len(AUGMENTED), len(KINDS), sharex=True, sharey=True, squeeze=False)
    for (augment, title), line in zip(AUGMENTED.items(), grid, strict=True):
        for kind, axes in zip(KINDS, line, strict=True):
            _draw(axes, margins[(margins["noise"] == kind) & (margins["augment"] == augment)], lines)
            axes.set_title(f"{kind} noise" if kind != "human" else "human labels", loc="left", fontweight="bold")
        line[0].set_ylabel(f"{title}\nover cross entropy (points)")
    grid[0][0].set_xlim(-3, 63)  # from none to the highest rate, also while few runs are there
    for axes in grid[-1]:
        axes.set_xlabel("wrong labels (%)")
    handles = [Line2D([], [], label=literal(row), **lines[row]) for row in rows]
    row_legend(figure, handles, "test accuracy of the last ten epochs, minus that of cross entropy with the same seed")
    return figure


def _draw(axes: Axes, table: pd.DataFrame, lines: dict[str, Line]) -> None:
    axes.axhline(0, color="#444444", linewidth=0.8)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    for row, found in table.sort_values("wrong").groupby("row", sort=False):
        percent = 100 * found[["wrong", "margin", "margin_std"]].astype(float)
        axes.errorbar(percent["wrong"], percent["margin"], yerr=percent["margin_std"].fillna(0), **lines[str(row)])
    axes.set_title(trials(table["n"]), loc="right", fontsize=7, color="#444444")
    if not len(table):
        nothing(axes, "no finished run yet")
