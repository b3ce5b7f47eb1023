"""Labels kept by class, and wrong labels memorised and kept by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lend.inputs import require
from lend.plots.colours import LINES
from lend.plots.epochs import root_axis
from lend.plots.names import heading, literal
from lend.plots.notes import nothing
from lend.plots.style import PAGE, Picture, styled

CLASS_PANELS = {
    "right_kept": ("right labels kept", "% of the right labels,\nby true class"),
    "wrong_kept": ("wrong labels kept", "% of the wrong labels,\nby true class"),
    "kept_share": ("share of the kept set", "% of the kept labels,\nby given class"),
}
EPOCH_PANELS = {
    "memorised": ("wrong labels memorised", "% of the wrong labels"),
    "wrong_kept": ("wrong labels kept", "% of the wrong labels"),
    "right_kept": ("right labels kept", "% of the right labels"),
}
MANY = 20  # with more classes, rows are as low as their names allow and the figure is a page tall
BAND = "#f4f3ef"  # colour behind every second class
TRUTH = "#555555"
EDGE = {"markeredgecolor": "w", "markeredgewidth": 0.4}  # separates marks that overlap


# --- Class by class -----------------------------------------------------------------------------------------------


@styled
def kept_by_class(tables: Mapping[str, pd.DataFrame], title: str = "") -> Figure:
    """Draw right labels kept, wrong labels kept and the share of the kept set, one row per class, one mark per run.

    In the last panel a thin line is the share of the class among the true labels: where a mark lies on it, the class
    is as frequent in the kept set as in the data. A text marks a class without wrong labels, or without right ones.

    Args:
        tables: Tables of :func:`lend.analysis.memorisation.by_class`, by the name of the run, all of the same classes.
        title: Title above the panels, such as the epoch.

    Raises:
        ValueError: If the tables are of different classes.
    """
    names = _shared_classes(tables)
    row = max(0.22, 0.055 * len(tables)) if len(names) <= MANY else 0.115
    figure = Picture(figsize=(PAGE, row * max(len(names), 4) + 1.15), layout="constrained")
    panels = figure.subplots(1, len(CLASS_PANELS), sharey=True)
    figure.suptitle(heading(title), x=0.01, ha="left", fontsize=8.5)
    if not tables:
        return _without_runs(figure)
    styles, places = _styles(tables), _places(len(tables))
    size = 4.0 if len(names) <= MANY else 3.4
    for axes, (column, (head, label)) in zip(panels, CLASS_PANELS.items(), strict=True):
        _class_axes(axes, names, head, label)
        _name_empty_classes(axes, [table[column] for table in tables.values()], head)
        for (name, table), shift in zip(tables.items(), places, strict=True):
            axes.plot(100 * table[column], np.arange(len(names)) + shift, **_mark(styles[name], size))
    _draw_truth(panels[2], tables, places)
    for axes in panels[:2]:
        axes.set_xlim(-4, 104)
    marks: list[Artist] = [Line2D([], [], label=literal(name), **_mark(styles[name], size)) for name in tables]
    truth = Line2D([], [], color=TRUTH, linewidth=1.1, marker="|", linestyle="none", markersize=8, label="true share")
    _legend(figure, [*marks, truth], "")
    return figure


def _shared_classes(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    found = {name: list(map(str, table.index)) for name, table in tables.items()}
    first = next(iter(found.values()), [])
    other = [name for name, classes in found.items() if classes != first]
    require(not other, "tables", "of the same classes", other)
    return first


def _places(count: int) -> np.ndarray:
    """Return the place of each run inside the row of a class: below each other, so that equal values are all seen."""
    return (np.arange(count) - (count - 1) / 2) * 0.75 / max(count, 3)


def _mark(style: Mapping[str, Any], size: float) -> dict[str, Any]:
    chosen = {name: style[name] for name in ("color", "marker")}
    return chosen | {"linestyle": "none", "markersize": size, "clip_on": False, "zorder": 3} | EDGE


def _class_axes(axes: Axes, names: Sequence[str], head: str, label: str) -> None:
    axes.set_title(head, loc="left", fontweight="bold")
    axes.set_xlabel(label)
    axes.set_yticks(range(len(names)), [literal(name, 24) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", top=len(names) > MANY, labeltop=len(names) > MANY)  # the bottom is far away
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    for row in range(1, len(names), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)


def _draw_truth(axes: Axes, tables: Mapping[str, pd.DataFrame], places: np.ndarray) -> None:
    """Draw a piece of line behind each mark; for runs of the same data they form one line per class."""
    half = 0.4 / len(tables)
    for place, table in zip(places, tables.values(), strict=True):
        rows = np.arange(len(table)) + place
        axes.vlines(100 * table["true_share"], rows - half, rows + half, color=TRUTH, linewidth=1.1, zorder=2)
    axes.set_xlim(left=0)


def _name_empty_classes(axes: Axes, columns: Sequence[pd.Series], head: str) -> None:
    text = f"no {head.removesuffix(' kept')}"
    for row in np.flatnonzero(np.all([column.isna() for column in columns], axis=0)):
        middle = axes.get_yaxis_transform()  # across the panel, down the rows
        axes.text(0.5, float(row), text, transform=middle, fontsize=7, color="#777777", ha="center", va="center")


# --- By epoch -----------------------------------------------------------------------------------------------------


@styled
def memorisation_curves(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw wrong labels memorised, wrong labels kept and right labels kept by epoch, one line per run.

    Marks are at the first epoch in which more than half of the wrong labels are memorised, and at the first in which
    fewer than half are kept.

    Args:
        tables: Tables of :func:`lend.analysis.memorisation.by_epoch`, by the name of the run.
    """
    figure = Picture(figsize=(PAGE, 2.6), layout="constrained")
    panels = figure.subplots(1, len(EPOCH_PANELS), sharey=True)
    if not any(len(table) for table in tables.values()):
        return _without_runs(figure)
    styles = _styles(tables)
    for axes, (column, (head, label)) in zip(panels, EPOCH_PANELS.items(), strict=True):
        for name, table in tables.items():
            passed = {"memorised": table[column] > 0.5, "wrong_kept": table[column] < 0.5}.get(column)
            marked = [] if passed is None else list(np.flatnonzero(passed)[:1])
            axes.plot(table.index, 100 * table[column], markevery=marked, **styles[name])
        root_axis(axes, max(int(table.index.max()) for table in tables.values() if len(table)))
        axes.set_title(head, loc="left", fontweight="bold")
        axes.set_ylabel(label)
    for axes in panels[:2]:
        axes.axhline(50, color="#999999", linewidth=0.7, zorder=1)
    panels[0].set_ylim(-3, 103)
    handles = [Line2D([], [], label=literal(name), **styles[name]) for name in tables]
    note = "mark: first epoch in which more than half of the wrong labels are memorised, or fewer than half kept"
    _legend(figure, handles, note)
    return figure


# --- Both ---------------------------------------------------------------------------------------------------------


def _styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return line and marker of each run: those of its method, or a shade of its own if the name is not a method."""
    names = list(names)
    others = [name for name in names if name not in LINES]
    shades = matplotlib.colormaps["viridis"](np.linspace(0.05, 0.85, len(others)))
    free = {
        name: {"color": to_hex(shade), "linestyle": "-", "marker": marker}
        for name, shade, marker in zip(others, shades, "oD^vPX*" * len(others), strict=False)
    }
    return {name: {"linewidth": 1.1, "markersize": 5.5} | EDGE | (LINES | free)[name] for name in names}


def _without_runs(figure: Figure) -> Figure:
    for axes in figure.axes:
        nothing(axes, "no run yet")
        axes.set(xticks=[], yticks=[])
    return figure


def _legend(figure: Figure, handles: Sequence[Artist], note: str) -> None:
    """Draw one legend of the runs below all panels, with as many names in a line as fit."""
    longest = max(len(str(handle.get_label())) for handle in handles)
    figure.legend(
        handles=handles,
        title=note or None,
        title_fontsize=7.5,
        loc="outside lower center",
        ncols=max(1, min(len(handles), 4, 100 // (longest + 8))),
        handlelength=2.6,
        columnspacing=1.4,
    )
