"""One to four maps of an epoch as a figure of a paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from lend.explorer.inspection import Inspection
from lend.explorer.pictures.palettes import UNKNOWN_COLOUR, coloring_title, palette, point_colours
from lend.inputs import require
from lend.plots import (
    LEGEND_CLASSES,
    PAGE,
    Picture,
    class_colours,
    dot,
    legend_columns,
    literal,
    marker_size,
    styled,
)

MOST_VIEWS = 4  # maps side by side, in a figure and on the page
OUTLINED = 400  # selected points that get a ring; more would cover the map


@styled
def explorer_figure(
    inspection: Inspection,
    colorings: Sequence[str] = ("true", "predicted", "noisy", "diluted"),
    epoch: int | None = None,
    selection: Iterable[Any] | None = None,
) -> Figure:
    """Draw one to four maps of an epoch as a figure of a paper.

    Args:
        inspection: What the explorer shows.
        colorings: What each map is coloured by, one to four names in `inspection.colorings`.
        epoch: The epoch to draw; the one shown, if not given.
        selection: Sample ids to outline; those selected, if not given. If they are more than 400, they keep their
            colours and the others fade.

    Raises:
        ValueError: If a coloring, the epoch or a sample is unknown.
    """
    require(1 <= len(colorings) <= MOST_VIEWS, "colorings", f"1 to {MOST_VIEWS} names", list(colorings))
    epoch = inspection.epoch if epoch is None else epoch
    chosen = inspection.positions_of(inspection.selection if selection is None else selection)
    across, width, side = {1: (1, 3.9, 3.7), 2: (2, PAGE, 3.4), 3: (3, PAGE, 2.25), 4: (2, 6.2, 3.0)}[len(colorings)]
    down, head = -(-len(colorings) // across), title_lines(inspection, len(colorings))
    line = 0.6 if any(inspection.kind(name) == "share" for name in colorings) else 0.5  # with numbers below a strip
    height = 0.6 + 0.15 * len(head.splitlines()) + down * (side + line)
    figure = Picture(figsize=(width, height), layout="constrained")
    accuracy = inspection.label_accuracy(epoch)
    panels = figure.subplots(down, across, squeeze=False).flat
    for axes, coloring in zip(panels, colorings, strict=True):
        draw_points(axes, inspection, coloring, epoch, chosen, side)
        axes.set_title(literal(coloring_title(coloring)))
        write_note(axes, inspection, coloring, accuracy, epoch)
        _own_legend(axes, inspection, coloring)
    head += f"\n{inspection.position_note(epoch)}"
    head += f"; {len(chosen):,} selected" if len(chosen) else ""
    if {"predicted", "diluted"} & set(colorings) and inspection.labels_of:
        head += f"\n{inspection.labels_note(epoch)}"
    figure.suptitle(head, fontsize=9)
    classes = [inspection.values(name, epoch) for name in colorings if inspection.kind(name) == "class"]
    if classes:
        _class_legend(figure, inspection.class_names, unknown=any((labels < 0).any() for labels in classes))
    return figure


def _class_legend(figure: Figure, class_names: Sequence[str], unknown: bool) -> None:
    """Draw a dot per class, and one for unknown labels, below the panels, in as many lines as they need."""
    c = len(class_names)
    if c > LEGEND_CLASSES:
        figure.supxlabel(f"{c} classes, too many for a legend", fontsize=7.5)
        return
    dots = [dot(colour, name) for colour, name in zip(class_colours(c), class_names, strict=True)]
    dots += [dot(UNKNOWN_COLOUR, "unknown")] if unknown else []
    columns = legend_columns([str(handle.get_label()) for handle in dots], figure.get_figwidth())
    figure.legend(handles=dots, loc="outside lower center", ncols=columns, columnspacing=1.1, handletextpad=0.1)


def draw_points(
    axes: Axes, inspection: Inspection, coloring: str, epoch: int, chosen: Int[np.ndarray, " s"], side: float
) -> None:
    """Draw one map: all points, in fixed limits, with the chosen ones outlined.

    Args:
        axes: Where to draw.
        inspection: What the explorer shows.
        coloring: What the points are coloured by.
        epoch: The epoch to draw.
        chosen: Positions of the chosen points; where they are many, all others fade instead.
        side: Inches of the map, by which points get their size.
    """
    places, colours = inspection.coordinates(epoch), point_colours(inspection, coloring, epoch)
    size = marker_size(len(places), side)
    if len(chosen) > OUTLINED:
        faded = np.ones(len(places), bool)
        faded[chosen] = False
        colours[faded] = 0.12 * colours[faded] + 0.88
        order = np.argsort(~faded, kind="stable")  # the chosen ones on top
        places, colours = places[order], colours[order]
    axes.scatter(places[:, 0], places[:, 1], s=size, c=colours, linewidths=0, rasterized=True)
    if 0 < len(chosen) <= OUTLINED:
        ring: dict[str, Any] = {"facecolors": colours[chosen], "edgecolors": "#000000", "linewidths": 0.6, "zorder": 3}
        axes.scatter(places[chosen, 0], places[chosen, 1], s=max(3 * size, 9), rasterized=True, **ring)
    (left, right), (low, high) = inspection.limits
    axes.set(xticks=[], yticks=[], xlim=(left, right), ylim=(low, high), box_aspect=1)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#cccccc")


def title_lines(inspection: Inspection, views: int) -> str:
    """Return the title of what is shown, in lines that are no wider than a figure of so many maps."""
    return fill(literal(inspection.title, 100), 50 if views == 1 else 110, break_long_words=False)


def write_note(axes: Axes, inspection: Inspection, coloring: str, accuracy: Mapping[str, float], epoch: int) -> None:
    """Write :func:`view_note` below a map, beside the strip of its colours where there is one."""
    note = view_note(inspection, coloring, accuracy, epoch)
    axes.set_xlabel(note, loc="left" if inspection.kind(coloring) == "share" else "center")


def view_note(inspection: Inspection, coloring: str, accuracy: Mapping[str, float], epoch: int) -> str:
    """Return the number that sums up a map, in words: a label accuracy, a share or a mean; " " where there is none.

    Args:
        inspection: What the explorer shows.
        coloring: What the points are coloured by.
        accuracy: The label accuracies of the epoch, as :meth:`lend.Inspection.label_accuracy` gives them.
        epoch: The epoch drawn.
    """
    if inspection.kind(coloring) == "class" and coloring != "true" and "true" in inspection.colorings:
        true, labels = inspection.values("true", epoch), inspection.values(coloring, epoch)
        known = (true >= 0) & (labels >= 0)
        return f"label accuracy {100 * (labels == true)[known].mean():.1f} %" if known.any() else " "
    if coloring == "kept" and np.isfinite(accuracy["kept"]):
        right = accuracy["kept_precision"]
        tail = f", {100 * right:.1f} % of them right" if np.isfinite(right) else ""
        return f"{100 * accuracy['kept']:.1f} % kept{tail}"
    if coloring in ("agreement", "score"):
        return f"mean {100 * np.nanmean(inspection.values(coloring, epoch)):.1f} %"
    if coloring == "wrong":
        return (
            f"{100 * (1 - accuracy['noisy']):.1f} % of the labels are wrong" if np.isfinite(accuracy["noisy"]) else " "
        )
    return " "  # keeps the line, so that all maps are of one height


def _own_legend(axes: Axes, inspection: Inspection, coloring: str) -> None:
    """Draw the colours of flags inside their panel, and of shares below it; classes share the legend of the figure."""
    kind, look = inspection.kind(coloring), palette(inspection, coloring)
    if kind == "flag":
        handles = [dot(colour, name) for colour, name in zip(look.colours, look.names, strict=True)]
        style = {"frameon": True, "framealpha": 0.85, "edgecolor": "none", "handletextpad": 0.0, "borderpad": 0.2}
        axes.legend(handles=handles, loc="upper right", fontsize=7, **style)
    if kind == "share":
        low, high = inspection.value_range(coloring)
        strip = axes.inset_axes((0.66, -0.05, 0.33, 0.022))  # inside it would cover points
        colours = ScalarMappable(Normalize(low, high), ListedColormap(look.colours[:-1]))
        ticks = [0, 0.5, 1] if (low, high) == (0.0, 1.0) else [low, high]
        bar = axes.figure.colorbar(colours, cax=strip, orientation="horizontal", ticks=ticks, format="{x:.3g}")
        bar.outline.set_visible(False)
        strip.tick_params(length=2, pad=1)
