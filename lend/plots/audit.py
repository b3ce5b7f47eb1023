"""Figures of an audit: label scores, given against suggested labels, and the worst labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import StrMethodFormatter

from lend.inputs import require
from lend.plots.colours import GREY, LABEL_COLOURS, LEGEND_CLASSES
from lend.plots.issues import worst
from lend.plots.matrices import heat_map
from lend.plots.names import heading, literal
from lend.plots.notes import nothing
from lend.plots.rgb import as_rgb
from lend.plots.style import PAGE, Picture, styled

WIDTH = 10  # thumbnails in a row
ROW = 0.94  # inches: a thumbnail and two lines
PAIRS = 14  # exchanges that are named where the classes are too many for a matrix
ISSUE = LABEL_COLOURS["predicted"]
Images = Sequence[Any] | np.ndarray  # one per example to show


@styled
def audit_figure(
    issues: pd.DataFrame, class_names: Sequence[Any], images: Images | None = None, title: str = ""
) -> Figure:
    """Draw an audit on one page: label scores, given against suggested labels and, with images, the worst labels.

    Args:
        issues: Table ``Audit.issues``.
        class_names: Classes in the order of the rows and columns of the matrix.
        images: Images of the worst labels, in the order of :func:`lend.plots.worst`, as :func:`as_rgb` takes them; None
            leaves them out.
        title: Title above all panels.

    Raises:
        ValueError: If an image is of another shape than :func:`as_rgb` takes.
    """
    shown = worst(issues, 0 if images is None else len(images))
    rows = math.ceil(len(shown) / WIDTH)
    heights = [3.0] + [ROW * rows + 0.25] * bool(rows)
    figure = Picture(figsize=(PAGE, sum(heights)), layout="constrained")
    top, *gallery = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    left, right = top.subplots(1, 2, width_ratios=(1, 1.25))
    _draw_scores(left, issues)
    _draw_confusion(right, issues, class_names)
    if images is not None:
        for part in gallery:
            _draw_gallery(part, shown, images, rows)
    figure.suptitle(heading(title), fontsize=9.5)
    return figure


@styled
def worst_labels(issues: pd.DataFrame, images: Images, title: str = "") -> Figure:
    """Draw the worst labels alone: each image with its given and its suggested label.

    Args:
        issues: Table ``Audit.issues``.
        images: Images of the worst labels, in the order of :func:`lend.plots.worst`, as :func:`as_rgb` takes them.
        title: Title above all images.

    Raises:
        ValueError: If an image is of another shape than :func:`as_rgb` takes.
    """
    shown = worst(issues, len(images))
    rows = max(1, math.ceil(len(shown) / WIDTH))
    figure = Picture(figsize=(PAGE, ROW * rows + 0.25), layout="constrained")
    _draw_gallery(figure, shown, images, rows, title)
    return figure


def _draw_scores(axes: Axes, issues: pd.DataFrame) -> None:
    flagged = issues["is_label_issue"]
    parts = {"other labels": (~flagged, GREY), "label issues": (flagged, ISSUE)}
    for name, (chosen, colour) in parts.items():
        values = issues.loc[chosen, "label_score"]
        style: dict[str, Any] = {
            "histtype": "stepfilled",
            "facecolor": to_rgba(colour, 0.55),
            "edgecolor": colour,
            "linewidth": 1.0,
        }
        axes.hist(values, np.linspace(0, 1, 41).tolist(), label=f"{name} ({len(values):,})", **style)
    axes.set(xlabel="label score (0: surely wrong, 1: surely right)", ylabel="examples", xlim=(0, 1))
    axes.set_title("scores of the given labels", loc="left")
    axes.set_yscale("symlog", linthresh=10)  # a few issues beside thousands of others
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylim(0, 12 * axes.get_ylim()[1])  # a decade of room for the legend
    axes.legend(loc="upper left", reverse=True)


def _draw_confusion(axes: Axes, issues: pd.DataFrame, class_names: Sequence[Any]) -> None:
    classes = pd.Index(class_names, dtype=object)
    given, suggested = (
        classes.get_indexer(pd.Index(issues[column], dtype=object)) for column in ("given_label", "predicted_label")
    )
    known = bool(len(issues) == 0 or min(given.min(), suggested.min()) >= 0)
    require(known, "class_names", "the names of all labels", list(class_names)[:20])
    c = len(class_names)
    if c > LEGEND_CLASSES:
        _draw_exchanges(axes, given, suggested, class_names)
        return
    counts = np.zeros((c, c))
    np.add.at(counts, (given, suggested), 1)
    heat_map(axes, 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), class_names, most=14)
    axes.set(xlabel="suggested label", ylabel="given label")
    axes.set_title("suggested labels, % of each given label", loc="right")


def _draw_exchanges(
    axes: Axes, given: Int[np.ndarray, " n"], suggested: Int[np.ndarray, " n"], names: Sequence[Any]
) -> None:
    """Draw the most frequent pairs of given and suggested label as bars."""
    apart = given != suggested
    found, counts = np.unique(np.column_stack([given, suggested])[apart], axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:PAIRS]
    pairs, counts = found[order].tolist(), counts[order]
    axes.set_title(f"most frequent exchanges of {len(names)} classes, given → suggested", loc="right")
    if not pairs:
        nothing(axes, "no suggested label differs from the given one")
        axes.set(xticks=[], yticks=[])
        return
    axes.barh(range(len(pairs)), counts, color=ISSUE, height=0.7)
    axes.set_yticks(range(len(pairs)), [f"{literal(names[i], 14)} → {literal(names[j], 14)}" for i, j in pairs])
    axes.set(xlabel="examples", ylim=(len(pairs) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)


def _draw_gallery(figure: FigureBase, shown: pd.DataFrame, images: Images, rows: int, title: str = "") -> None:
    grid = figure.subplots(rows, WIDTH, squeeze=False).flatten()
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    for axes, image, (sample, row) in zip(grid, images, shown.iterrows(), strict=False):
        axes.imshow(as_rgb(image, f"the image of sample {sample}"), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(_caption(row["given_label"], row["predicted_label"]), fontsize=7, labelpad=2, linespacing=1.05)
        for spine in axes.spines.values():
            spine.set(visible=True, color="#cccccc")
    note = f"the {len(shown)} worst labels: given, below it the suggested one" if len(shown) else "no label issue"
    figure.suptitle(heading(title) or note, fontsize=8.5, x=0.01, ha="left")


def _caption(given: object, suggested: object) -> str:
    """Return two lines: the given label, and an arrow with the suggested one, or "?" where both are the same."""
    return f"{literal(given, 11)}\n→ {'?' if given == suggested else literal(suggested, 9)}"
