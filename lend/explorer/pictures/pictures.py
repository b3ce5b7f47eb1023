"""The views of an explorer as figures of a paper: maps in any colouring, and the labels of examples over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lend.config import require
from lend.explorer.inspection.inspection import History, Inspection
from lend.explorer.pictures.palettes import UNKNOWN_COLOUR, codes, palette
from lend.plots import LEGEND_CLASSES, PAGE, Picture, class_colours, dot, marker_size, styled

MOST_VIEWS = 4
MOST_ROWS = 40  # examples in a history
OUTLINED = 400  # selected points that get a ring; more would cover the map
TITLES = {
    "true": "true labels",
    "noisy": "noisy (given) labels",
    "predicted": "predicted labels",
    "diluted": "diluted labels",
    "rediluted": "labels diluted again",
    "corrected": "corrected labels",
    "kept": "kept by the method",
    "wrong": "wrong labels",
    "agreement": "neighbours that agree",
    "score": "label score",
}


def coloring_title(coloring: str) -> str:
    """What a view in this colouring is called."""
    return TITLES.get(coloring, coloring)


def point_colours(inspection: Inspection, coloring: str, epoch: int | None = None) -> Float[np.ndarray, "m 3"]:
    """The colour of every point, RGB in [0, 1]: those of figures and of animations."""
    colours = np.array([to_rgb(colour) for colour in palette(inspection, coloring).colours])
    return colours[codes(inspection, coloring, epoch)]


# --- Maps -------------------------------------------------------------------------------------------------------------


@styled
def explorer_figure(
    inspection: Inspection,
    colorings: Sequence[str] = ("true", "predicted", "noisy", "diluted"),
    epoch: int | None = None,
    selection: Any = None,  # noqa: ANN401
) -> Figure:
    """One to four views of an epoch as a figure of a paper.

    Args:
        inspection: What the explorer shows.
        colorings: Of the views, one to four.
        epoch: The one shown, if not given.
        selection: Sample ids to outline; those selected, if not given. Above 400 they keep their colours and the others
            fade.

    Raises:
        ValueError: If a coloring, the epoch or a sample is unknown.
    """
    require(1 <= len(colorings) <= MOST_VIEWS, "colorings", f"1 to {MOST_VIEWS} names", list(colorings))
    epoch = inspection.epoch if epoch is None else epoch
    chosen = inspection.positions_of(inspection.selection if selection is None else selection)
    across, width, side = {1: (1, 3.9, 3.7), 2: (2, PAGE, 3.4), 3: (3, PAGE, 2.25), 4: (2, 6.2, 3.0)}[len(colorings)]
    down = -(-len(colorings) // across)
    figure = Picture(figsize=(width, 0.75 + down * (side + 0.5)), layout="constrained")
    accuracy = inspection.label_accuracy(epoch)
    panels = figure.subplots(down, across, squeeze=False).flat
    for axes, coloring in zip(panels, colorings, strict=True):
        draw_points(axes, inspection, coloring, epoch, chosen, side)
        axes.set_title(coloring_title(coloring))
        axes.set_xlabel(view_note(inspection, coloring, accuracy, epoch))
        _own_legend(axes, inspection, coloring)
    head = f"{inspection.title}\n{inspection.position_note(epoch)}"
    head += f"; {len(chosen):,} selected" if len(chosen) else ""
    figure.suptitle(head, fontsize=9)
    classes = [inspection.values(name, epoch) for name in colorings if inspection.kind(name) == "class"]
    if classes:
        _class_legend(figure, inspection.class_names, unknown=any((labels < 0).any() for labels in classes))
    return figure


def _class_legend(figure: Figure, class_names: Sequence[str], unknown: bool) -> None:
    """A dot per class, and one for points of none, below the panels, in as many lines as they need."""
    c = len(class_names)
    if c > LEGEND_CLASSES:
        figure.supxlabel(f"{c} classes, too many for a legend", fontsize=7.5)
        return
    dots = [dot(colour, name) for colour, name in zip(class_colours(c), class_names, strict=True)]
    dots += [dot(UNKNOWN_COLOUR, "unknown")] if unknown else []
    columns = legend_columns([str(handle.get_label()) for handle in dots], figure.get_figwidth())
    figure.legend(handles=dots, loc="outside lower center", ncols=columns, columnspacing=1.1, handletextpad=0.1)


def legend_columns(words: Sequence[str], inches: float) -> int:
    """Columns of a legend: all in a line if they fit, or as many as fit of the longest."""
    room, handle = 15 * inches, 5  # characters
    if sum(len(word) + handle for word in words) <= room:
        return len(words)
    most = max(1, int(room / (max(map(len, words)) + handle)))
    return -(-len(words) // -(-len(words) // most))  # lines of about the same length


def draw_points(
    axes: Axes, inspection: Inspection, coloring: str, epoch: int, chosen: Int[np.ndarray, " s"], side: float
) -> None:
    """One view: all points, in fixed limits, those chosen outlined; of many chosen ones the others fade."""
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


def view_note(inspection: Inspection, coloring: str, accuracy: Mapping[str, float], epoch: int) -> str:
    """What is known of a view as a number."""
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
    return " "  # as high as the others


def _own_legend(axes: Axes, inspection: Inspection, coloring: str) -> None:
    """The colours of flags and shares, inside their panel: classes share the legend of the figure."""
    kind, look = inspection.kind(coloring), palette(inspection, coloring)
    if kind == "flag":
        handles = [dot(colour, name) for colour, name in zip(look.colours, look.names, strict=True)]
        style = {"frameon": True, "framealpha": 0.85, "edgecolor": "none", "handletextpad": 0.0, "borderpad": 0.2}
        axes.legend(handles=handles, loc="upper right", fontsize=7, **style)
    if kind == "share":
        low, high = inspection.value_range(coloring)
        strip = axes.inset_axes((0.6, 0.945, 0.34, 0.025))
        colours = ScalarMappable(Normalize(low, high), ListedColormap(look.colours[:-1]))
        ticks = [0, 0.5, 1] if (low, high) == (0.0, 1.0) else [low, high]
        bar = axes.figure.colorbar(colours, cax=strip, orientation="horizontal", ticks=ticks, format="{x:.3g}")
        bar.outline.set_visible(False)
        strip.tick_params(length=2, pad=1)


# --- Histories --------------------------------------------------------------------------------------------------------


@styled
def history_figure(history: History, class_names: Sequence[str], title: str = "", most: int = MOST_ROWS) -> Figure:
    """Labels of some examples over all epochs: a row per example, a column per epoch, the colour of the class.

    One panel for predicted labels, one for diluted labels, with the true and the noisy label beside them. A black line
    in a row marks the epochs in which the method dropped the example.

    Args:
        history: Of at least one example; see :meth:`lend.Inspection.history`.
        class_names: One per class, for the legend.
        title: Above all panels.
        most: Rows to draw; a note says how many more there are.

    Raises:
        ValueError: If there is nothing to draw.
    """
    shown = {name: getattr(history, name) for name in ("predicted", "diluted") if getattr(history, name) is not None}
    require(len(history.sample_ids) > 0, "history", "of at least one example", len(history.sample_ids))
    require(len(shown) > 0, "history", "with predicted or diluted labels", "neither")
    rows = min(len(history.sample_ids), most)
    figure = Picture(figsize=(PAGE, 1.35 + max(0.14 * rows, 0.3)), layout="constrained")
    given = [name for name in ("true", "noisy") if getattr(history, name) is not None]
    widths = [max(0.035 * len(given), 1e-3), *[1.0] * len(shown)]
    first, *panels = figure.subplots(1, 1 + len(shown), width_ratios=widths, sharey=True)
    fixed = np.stack([getattr(history, name)[:rows] for name in given], axis=1) if given else np.zeros((rows, 0), int)
    _draw_codes(first, fixed, class_names)
    first.set_xticks(range(len(given)), given, rotation=90)
    first.set_yticks(range(rows), [str(name) for name in history.sample_ids[:rows]])
    first.set_ylabel("sample id")
    for axes, (name, labels) in zip(panels, shown.items(), strict=True):
        _draw_codes(axes, labels[:rows], class_names)
        _epoch_ticks(axes, history.epochs)
        axes.set_title(f"{name} labels", loc="left")
        if history.kept is not None:
            _draw_dropped(axes, history.kept[:rows])
    more = len(history.sample_ids) - rows
    note = f"the first {rows} of {len(history.sample_ids):,} examples" if more else ""
    if title or note:
        figure.suptitle("\n".join(line for line in (title, note) if line), fontsize=9)
    _history_legend(figure, history, class_names, rows)
    return figure


def _draw_codes(axes: Axes, labels: Int[np.ndarray, "s e"], class_names: Sequence[str]) -> None:
    """Cells in the colours of their classes, a thin white line between rows."""
    colours = ListedColormap([*class_colours(len(class_names)), UNKNOWN_COLOUR])
    c = len(class_names)
    if labels.size:
        cells = np.where(labels >= 0, labels, c)
        axes.imshow(cells, cmap=colours, vmin=-0.5, vmax=c + 0.5, aspect="auto", interpolation="nearest")
    rows = len(labels)
    axes.hlines(np.arange(1, rows) - 0.5, -0.5, max(labels.shape[1], 1) - 0.5, colors="w", linewidths=0.8)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_dropped(axes: Axes, kept: Bool[np.ndarray, "s e"]) -> None:
    """A black line through the lower part of the cells of dropped epochs."""
    lines = [
        [(start - 0.5, row + 0.3), (end - 0.5, row + 0.3)]
        for row, line in enumerate(~kept)
        for start, end in _runs(line)
    ]
    for colour, width in (("#ffffff", 2.6), ("#000000", 1.3)):  # white around black: seen on dark classes, too
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, capstyle="butt"))


def _runs(flags: Bool[np.ndarray, " e"]) -> Int[np.ndarray, "r 2"]:
    """Start and end of each stretch of True."""
    return np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int))).reshape(-1, 2)


def _epoch_ticks(axes: Axes, epochs: Sequence[int]) -> None:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if len(epochs) / step <= 11)
    places = [i for i, epoch in enumerate(epochs) if epoch % step == 0 or i == 0]
    axes.set_xticks(places, [str(epochs[i]) for i in places])
    axes.set_xlabel("epoch")


def _history_legend(figure: Figure, history: History, class_names: Sequence[str], rows: int) -> None:
    """The classes that occur, and the line of dropped epochs where there is one."""
    arrays = (history.predicted, history.diluted, history.true, history.noisy)
    present = np.unique(np.concatenate([array[:rows].ravel() for array in arrays if array is not None]))
    colours = class_colours(len(class_names))
    handles: list[Any] = [Patch(color=colours[code], label=class_names[code]) for code in present if code >= 0]
    if len(handles) > LEGEND_CLASSES:
        handles = []
    handles += [Patch(color=UNKNOWN_COLOUR, label="unknown")] if (present < 0).any() else []
    if history.kept is not None and not history.kept[:rows].all():
        handles.append(Line2D([], [], color="#000000", linewidth=1.3, label="dropped"))
    if handles:
        columns = legend_columns([f"{handle.get_label()} " for handle in handles], PAGE)
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=1.2)
