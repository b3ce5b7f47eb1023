"""Maps of embeddings: one snapshot, or all of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lend.plots.colours import GREY, LABEL_TITLES, LEGEND_CLASSES, class_colours
from lend.plots.marks import dot, marker_size
from lend.plots.names import heading, legend_columns
from lend.plots.style import PAGE, Picture, styled


@styled
def snapshot_panels(
    points: pd.DataFrame, numbers: Mapping[str, float] | pd.Series, class_names: Sequence[str], title: str = ""
) -> Figure:
    """Draw the t-SNE map after one epoch, coloured by true, predicted and noisy labels: Fig. 1 and 9 to 12.

    Args:
        points: Table of :func:`lend.analysis.snapshot_points`, with columns x, y, true, predicted and noisy.
        numbers: Fractions to write under the panels, of :func:`lend.analysis.snapshot_numbers`; may be empty.
        class_names: Name of each class, for the legend.
        title: Title above all panels.
    """
    figure = Picture(figsize=(PAGE, 3.35), layout="constrained")
    for axes, kind in zip(figure.subplots(1, 3), ("true", "predicted", "noisy"), strict=True):
        _scatter(axes, points, kind, class_names, side=2.2)
        axes.set_title(LABEL_TITLES[kind])
        axes.set_xlabel(_numbers_text(numbers, kind, "label accuracy", "neighbour purity"))
    figure.suptitle(heading(title), fontsize=9.5)
    _class_legend(figure, class_names)
    return figure


@styled
def overview(points: Mapping[int, pd.DataFrame], numbers: pd.DataFrame, class_names: Sequence[str]) -> Figure:
    """Draw all snapshots on one page: one column per epoch; true, predicted, diluted and noisy labels as rows.

    Args:
        points: Tables of :func:`lend.analysis.snapshot_points`, by epoch; at least one.
        numbers: Table of :func:`lend.analysis.snapshot_table`, one row per epoch.
        class_names: Name of each class, for the legend.
    """
    kinds = ("true", "predicted", "diluted", "noisy")
    side = min(PAGE / len(points), 2.2)
    figure = Picture(figsize=(max(side * len(points), 3.4), len(kinds) * (side + 0.12) + 0.5), layout="constrained")
    panels = figure.subplots(len(kinds), len(points), squeeze=False)
    for column, (epoch, frame) in zip(panels.T, points.items(), strict=True):
        column[0].set_title(f"epoch {epoch}")
        for axes, kind in zip(column, kinds, strict=True):
            _scatter(axes, frame, kind, class_names, side)
            axes.set_xlabel(_numbers_text(numbers.loc[epoch], kind, "accuracy", "purity"), fontsize=7)
    for axes, kind in zip(panels[:, 0], kinds, strict=True):
        axes.set_ylabel(f"{kind} labels", fontsize=8.5)
    _class_legend(figure, class_names)
    return figure


def _scatter(axes: Axes, points: pd.DataFrame, kind: str, class_names: Sequence[str], side: float) -> None:
    colours = np.array([*class_colours(len(class_names)), GREY])  # the last is that of an unknown label, -1
    axes.scatter(
        points["x"],
        points["y"],
        s=marker_size(len(points), side),
        c=colours[points[kind].to_numpy()],
        linewidths=0,
        rasterized=True,
    )
    axes.set(xticks=[], yticks=[], box_aspect=1)
    axes.set_aspect("equal", adjustable="datalim")
    for spine in axes.spines.values():
        spine.set(visible=True, color="#cccccc")


def _numbers_text(numbers: Mapping[str, float] | pd.Series, kind: str, accuracy: str, purity: str) -> str:
    """Return lines such as "label accuracy 76.5 %", without those of unknown numbers."""
    lines = ((accuracy, f"{kind}_label_accuracy"), (purity, f"{kind}_purity"))
    values = [(name, numbers.get(key, np.nan)) for name, key in lines]
    return "\n".join(f"{name} {100 * value:.1f} %" for name, value in values if np.isfinite(value))


def _class_legend(figure: Figure, class_names: Sequence[str]) -> None:
    c = len(class_names)
    if c > LEGEND_CLASSES:
        figure.supxlabel(f"{c} classes, too many for a legend; each has the same colour in all panels", fontsize=7.5)
        return
    dots = [dot(colour, name) for colour, name in zip(class_colours(c), class_names, strict=True)]
    figure.legend(
        handles=dots,
        loc="outside lower center",
        ncols=legend_columns([str(handle.get_label()) for handle in dots], figure.get_figwidth()),
        columnspacing=1.1,
        handletextpad=0.1,
    )
