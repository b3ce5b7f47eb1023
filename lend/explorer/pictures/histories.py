"""The labels of examples over all epochs as a figure of a paper: a row per example, a column per epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lend.explorer.inspection import History
from lend.explorer.pictures.palettes import UNKNOWN_COLOUR
from lend.inputs import require
from lend.plots import LEGEND_CLASSES, PAGE, Picture, class_colours, heading, legend_columns, literal, styled

MOST_ROWS = 40  # examples in a history


@styled
def history_figure(history: History, class_names: Sequence[str], title: str = "", most: int = MOST_ROWS) -> Figure:
    """Draw the labels of some examples over all epochs: a row per example, a column per epoch, a colour per class.

    One panel for predicted labels, one for diluted labels, with the true and the noisy label beside them. A black line
    in a row marks the epochs in which the method dropped the example.

    Args:
        history: The labels of at least one example; see :meth:`lend.Inspection.history`.
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
    first.set_yticks(range(rows), [literal(name, 20) for name in history.sample_ids[:rows]])
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
        figure.suptitle("\n".join(line for line in (heading(title), note) if line), fontsize=9)
    _history_legend(figure, history, class_names, rows)
    return figure


def _draw_codes(axes: Axes, labels: Int[np.ndarray, "s e"], class_names: Sequence[str]) -> None:
    """Draw cells in the colours of their classes, and a thin white line between rows."""
    if labels.size:
        colours = np.array([to_rgb(colour) for colour in (*class_colours(len(class_names)), UNKNOWN_COLOUR)])
        axes.imshow(colours[labels], aspect="auto", interpolation="nearest")  # -1, unknown, is the last of them
    rows = len(labels)
    axes.hlines(np.arange(1, rows) - 0.5, -0.5, max(labels.shape[1], 1) - 0.5, colors="w", linewidths=0.8)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_dropped(axes: Axes, kept: Bool[np.ndarray, "s e"]) -> None:
    """Draw a black line through the lower part of the cells of dropped epochs."""
    lines = [
        [(start - 0.5, row + 0.3), (end - 0.5, row + 0.3)]
        for row, line in enumerate(~kept)
        for start, end in _runs(line)
    ]
    for colour, width in (("#ffffff", 2.6), ("#000000", 1.3)):  # white around black, to be seen on dark classes, too
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, capstyle="butt"))


def _runs(flags: Bool[np.ndarray, " e"]) -> Int[np.ndarray, "r 2"]:
    """Return start and end of each stretch of True."""
    return np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int))).reshape(-1, 2)


def _epoch_ticks(axes: Axes, epochs: Sequence[int]) -> None:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if len(epochs) / step <= 11)
    places = [i for i, epoch in enumerate(epochs) if epoch % step == 0 or i == 0]
    axes.set_xticks(places, [str(epochs[i]) for i in places])
    axes.set_xlabel("epoch")


def _history_legend(figure: Figure, history: History, class_names: Sequence[str], rows: int) -> None:
    """Draw a legend of the classes that occur, and of the line of dropped epochs where there is one."""
    arrays = (history.predicted, history.diluted, history.true, history.noisy)
    present = np.unique(np.concatenate([array[:rows].ravel() for array in arrays if array is not None]))
    colours = class_colours(len(class_names))
    handles: list[Patch | Line2D] = [
        Patch(color=colours[code], label=literal(class_names[code])) for code in present if code >= 0
    ]
    if len(handles) > LEGEND_CLASSES:
        handles = []
    handles += [Patch(color=UNKNOWN_COLOUR, label="unknown")] if (present < 0).any() else []
    if history.kept is not None and not history.kept[:rows].all():
        handles.append(Line2D([], [], color="#000000", linewidth=1.3, label="dropped"))
    if handles:
        columns = legend_columns([f"{handle.get_label()} " for handle in handles], PAGE)
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=1.2)
