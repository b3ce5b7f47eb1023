"""Pictures: arrays and tables in, a matplotlib Figure out. Works without a display and never shows anything.

One style, one colour per class, method and kind of label, whatever the figure. Widths are those of a page of a
paper (7 inches), on which no text is smaller than 7 points.
"""

from __future__ import annotations

import colorsys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from PIL import Image

PAGE = 7.0  # inches
STYLE = {
    "figure.dpi": 120,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # TrueType: journals refuse matplotlib's default, Type 3
    "ps.fonttype": 42,
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "lines.linewidth": 1.4,
    "axes.axisbelow": True,
}
GREY = "#8c8c8c"
WRONG = "#e8000b"

# Found by a search for ten colours far apart in OKLab, for normal vision and without any one kind of cones (at least
# 11.8 of 100). In this order the classes that asymmetric noise exchanges, such as 3 and 5 of CIFAR-10, are 27 apart.
CLASS_COLOURS = (
    "#5f3174",
    "#00ebc7",
    "#31ad84",
    "#1529c1",
    "#8a0600",
    "#bad006",
    "#945eff",
    "#e58afd",
    "#ad6000",
    "#2f7694",
)
LEGEND_CLASSES = 20  # above, a legend would be larger than the picture

# Okabe and Ito's colours, told apart by all common kinds of colour vision
LABEL_COLOURS = {
    "true": "#000000",
    "predicted": "#d55e00",
    "diluted": "#0072b2",
    "dominant": "#009e73",
    "noisy": "#7f7f7f",
}
LABEL_DASHES = {"true": "-", "predicted": "-", "diluted": "-", "dominant": (0, (4, 1.2)), "noisy": (0, (1, 1.2))}
METHOD_COLOURS = {
    "lend": "#0072b2",
    "standard": "#000000",
    "coteaching": "#e69f00",
    "gce": "#009e73",
    "jocor": "#cc79a7",
    "sigua": "#56b4e9",
}
PRIOR = "#d55e00"  # LEND with the class prior: beside LEND's blue the colour that is seen best

# The lines of a comparison, called as in lend.experiments.ROWS. LEND's two are wide and on top; dashes tell the others
# apart where colours cannot.
LINES: dict[str, dict[str, Any]] = {
    "Standard": {"color": METHOD_COLOURS["standard"], "linestyle": (0, (1, 1.1)), "marker": "s"},
    "Co-teaching": {"color": METHOD_COLOURS["coteaching"], "linestyle": (0, (4, 1.4)), "marker": "^"},
    "GCE": {"color": METHOD_COLOURS["gce"], "linestyle": (0, (6, 1.4, 1, 1.4)), "marker": "v"},
    "JoCoR": {"color": METHOD_COLOURS["jocor"], "linestyle": (0, (4, 1.2, 1, 1.2, 1, 1.2)), "marker": "<"},
    "SIGUA": {"color": METHOD_COLOURS["sigua"], "linestyle": (0, (2, 1.2)), "marker": ">"},
    "LEND": {"color": METHOD_COLOURS["lend"], "linestyle": "-", "marker": "o", "linewidth": 2.0, "zorder": 3},
    "LEND+prior": {"color": PRIOR, "linestyle": (0, (5, 1)), "marker": "D", "linewidth": 2.0, "zorder": 3},
}
BEHIND = "#e9e4d8"  # marks a default
OTHER_LINE: dict[str, Any] = {"color": GREY, "linestyle": "-", "marker": "o"}
MEASURE_TITLES = {
    "best": "test accuracy of the best epoch, an oracle on the test set (%)",
    "last": "test accuracy, mean of the last ten epochs (%)",
    "chosen": "test accuracy of the epoch that is best on held-out noisy labels (%)",
    "ensemble": "test accuracy of the networks' mean softmax, last ten epochs (%)",
}

LABEL_TITLES = {kind: f"{kind} labels" for kind in LABEL_COLOURS} | {"noisy": "noisy (given) labels"}

Builder = TypeVar("Builder", bound=Callable[..., Any])


def _styled(build: Builder) -> Builder:
    """Run in our style, without a trace in the caller's."""

    @wraps(build)
    def styled(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        with matplotlib.rc_context(STYLE):
            return build(*args, **kwargs)

    return styled  # type: ignore[return-value]


class Picture(Figure):
    """A figure that shows itself as the last value of a notebook cell, whatever the backend; pyplot is not needed."""

    def _repr_png_(self) -> bytes:
        return png_bytes(self, self.dpi)


def png_bytes(figure: Figure, dpi: float) -> bytes:
    """The figure as PNG of 256 colours, which has a third of the bytes of the full range and looks the same."""
    raw, small = BytesIO(), BytesIO()
    figure.savefig(raw, dpi=dpi, format="png")
    image, coverage = Image.open(raw).convert("RGB"), Image.Quantize.MAXCOVERAGE  # the default loses rare colours
    image.quantize(256, coverage, kmeans=2, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


# --- Colours, sizes, files ----------------------------------------------------------------------------------------


def class_colours(c: int) -> list[str]:
    """One colour per class, the same in every figure: ten that colour-blind readers can tell apart, then a wheel.

    Above ten classes, hues a golden angle apart in three lightnesses: neighbours in the order differ, but nobody can
    tell 100 colours from each other.
    """
    if c <= len(CLASS_COLOURS):
        return list(CLASS_COLOURS[:c])
    return [to_hex(colorsys.hls_to_rgb(0.618034 * i % 1, (0.36, 0.52, 0.68)[i % 3], 0.75)) for i in range(c)]


def marker_size(n: int, side: float) -> float:
    """Area in square points of each of n markers, so that together they cover a fifth of a square panel.

    Args:
        n: Points.
        side: Of the panel, in inches.
    """
    return float(np.clip((72 * side) ** 2 / (5 * max(n, 1)), 0.4, 30))


def save(figure: Figure, name: str, folder: str | Path, table: pd.DataFrame | None = None) -> list[Path]:
    """Write NAME.pdf, NAME.png and, where there is a table, NAME.csv with the numbers that the picture shows.

    Fonts are embedded as TrueType; a figure of the same numbers gives the same bytes.

    Args:
        figure: Any matplotlib figure.
        name: Without an ending.
        folder: Made if it is missing.
        table: Its index is written where it has a name.

    Returns:
        The files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pdf, png, csv = (folder / f"{name}.{ending}" for ending in ("pdf", "png", "csv"))
    with matplotlib.rc_context(STYLE):
        figure.savefig(pdf, dpi=300, metadata={"CreationDate": None})
    png.write_bytes(png_bytes(figure, 200))
    if table is None:
        return [pdf, png]
    table.to_csv(csv, index=any(level is not None for level in table.index.names))
    return [pdf, png, csv]


# --- Maps of embeddings -------------------------------------------------------------------------------------------


@_styled
def snapshot_panels(
    points: pd.DataFrame, numbers: Mapping[str, float] | pd.Series, class_names: Sequence[str], title: str = ""
) -> Figure:
    """The t-SNE map after one epoch, coloured by true, predicted and noisy labels: Fig. 1 and 9 to 12.

    Args:
        points: Columns x, y, true, predicted and noisy; see :func:`lend.analysis.snapshot_points`.
        numbers: Fractions written under the panels; see :func:`lend.analysis.snapshot_numbers`. May be empty.
        class_names: One per class, for the legend.
        title: Above all panels.
    """
    figure = Picture(figsize=(PAGE, 3.35), layout="constrained")
    for axes, kind in zip(figure.subplots(1, 3), ("true", "predicted", "noisy"), strict=True):
        _scatter(axes, points, kind, class_names, side=2.2)
        axes.set_title(LABEL_TITLES[kind])
        axes.set_xlabel(_numbers_text(numbers, kind, "label accuracy", "neighbour purity"))
    figure.suptitle(title, fontsize=9.5)
    _class_legend(figure, class_names)
    return figure


@_styled
def overview(points: Mapping[int, pd.DataFrame], numbers: pd.DataFrame, class_names: Sequence[str]) -> Figure:
    """All snapshots on one page: epochs as columns, true, predicted, diluted and noisy labels as rows.

    Args:
        points: By epoch, as in :func:`snapshot_panels`, with a column diluted.
        numbers: One row per epoch; see :func:`lend.analysis.snapshot_table`.
        class_names: One per class, for the legend.
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
    colours = np.array([*class_colours(len(class_names)), GREY])  # an unknown label, -1, takes the last
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
    """Lines such as "label accuracy 76.5 %"; without those that are not known."""
    lines = ((accuracy, f"{kind}_label_accuracy"), (purity, f"{kind}_purity"))
    values = [(name, numbers.get(key, np.nan)) for name, key in lines]
    return "\n".join(f"{name} {100 * value:.1f} %" for name, value in values if np.isfinite(value))


def _class_legend(figure: Figure, class_names: Sequence[str]) -> None:
    c = len(class_names)
    if c > LEGEND_CLASSES:
        figure.supxlabel(f"{c} classes, too many for a legend; each has the same colour in all panels", fontsize=7.5)
        return
    dots = [_dot(colour, name) for colour, name in zip(class_colours(c), class_names, strict=True)]
    wide = sum(len(name) + 5 for name in class_names) > 110  # characters that fit in a line of the page
    figure.legend(
        handles=dots, loc="outside lower center", ncols=-(-c // 2) if wide else c, columnspacing=1.1, handletextpad=0.1
    )


def _dot(colour: str, label: str, **settings: Any) -> Line2D:  # noqa: ANN401
    settings = {"markersize": 5, "markeredgewidth": 0} | settings
    return Line2D([], [], linestyle="none", marker="o", color=colour, label=label, **settings)


# --- Label accuracy -----------------------------------------------------------------------------------------------


@_styled
def label_accuracy_curves(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """Label accuracy by epoch, one panel per run: Fig. 4.

    The epoch in which the diluted labels lead the predicted ones most is marked by a line between the two curves.

    Args:
        curves: By the name of the run; see :func:`lend.analysis.label_accuracy`.
    """
    columns = min(len(curves), 3)
    rows = -(-len(curves) // columns)
    # of the note above a panel: characters that fit, lines it takes
    width, lines = {1: (80, 2), 2: (56, 3), 3: (36, 4)}[columns]
    height = 2.05 + 0.13 * lines
    figure = Picture(figsize=(PAGE if columns > 1 else 4.2, height * rows + 0.5), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten()
    for axes, (name, table) in zip(panels, curves.items(), strict=False):
        _draw_curves(axes, table, width)
        axes.set_title(name, loc="left", fontweight="bold", pad=6 + 9 * lines)
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
    """The epoch in which diluted labels lead predicted ones most, and by which fraction; None where unknown."""
    margin = (table["diluted"] - table["predicted"]).dropna()
    return (int(margin.idxmax()), float(margin.max())) if len(margin) else None


def _root(epochs: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(epochs, 0))  # matplotlib probes the scale left of zero


def _curve_axes(figure: Figure, panels: list[Axes]) -> None:
    """Axis labels and one legend for panels with the same curves."""
    for axes in panels:
        axes.set_xscale("function", functions=(_root, np.square))  # early epochs decide, late ones are flat
        last = int(max(axes.get_lines()[0].get_xdata()))
        axes.set_xlim(0.7, max(last, 2) * 1.02)
        crowded = last > 60 and axes.get_gridspec().ncols > 2
        ticks = (1, 5, 10, 20, 50, 100, 200, 500) if crowded else (1, 2, 5, 10, 20, 50, 100, 200, 500)
        axes.set_xticks([tick for tick in ticks if tick < 0.75 * last] + [last])
        axes.set_xlabel("epoch (square root scale)")
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel("label accuracy (%)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower center", ncols=4 if len(panels) > 1 else 2)


@_styled
def step_curves(table: pd.DataFrame, noisy: float | None = None) -> Figure:
    """Label accuracy by the number of dilution steps, one line per snapshot.

    Args:
        table: Fractions; index: steps, columns: epochs. See :func:`lend.analysis.step_accuracy`.
        noisy: Label accuracy of the given labels, drawn as the baseline.
    """
    figure = Picture(figsize=(5.4, 2.6), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(table))
    shades = matplotlib.colormaps["viridis"](np.linspace(0.05, 0.85, table.shape[1]))
    for (epoch, values), shade, marker in zip(table.items(), shades, "osD^vPX*<>" * 10, strict=False):
        axes.plot(places, 100 * values, color=shade, marker=marker, markersize=3.5, label=f"epoch {epoch}")
    if noisy is not None:
        axes.axhline(
            100 * noisy, color=LABEL_COLOURS["noisy"], linestyle=LABEL_DASHES["noisy"], label=LABEL_TITLES["noisy"]
        )
    axes.set_xticks(places, [str(step) for step in table.index])
    axes.set(xlabel="steps of Eq. (3)", ylabel="label accuracy (%)")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    figure.legend(loc="outside right upper")
    return figure


# --- The toy of the dilution --------------------------------------------------------------------------------------


@_styled
def dilution_toy(
    points: pd.DataFrame, shares: pd.DataFrame, edges: np.ndarray | None = None, boundary: float | None = None
) -> Figure:
    """Label distributions of points of two classes, before and after dilution: the setting of Fig. 2 and 3.

    Args:
        points: Columns x, y and true (0 or 1); see :func:`lend.analysis.toy`.
        shares: Share of class 1 of each point, one column per panel; see :func:`lend.analysis.toy_shares`.
        edges: Pairs of neighbours, (e, 2), drawn as thin lines.
        boundary: The x at which the true class changes.
    """
    panels = {"true classes": points["true"].astype(float), **shares}
    columns = 3
    rows = -(-len(panels) // columns)
    figure = Picture(figsize=(PAGE, 1.56 * rows + 0.35), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (name, share) in zip(grid.flat, panels.items(), strict=False):
        _draw_toy(axes, points, np.asarray(share), edges, boundary)
        axes.set_title(name, loc="left")
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    colours = ScalarMappable(Normalize(0, 1), two_class_colours())
    figure.colorbar(colours, ax=grid, label="share of class 1", shrink=0.7, aspect=25, ticks=[0, 0.5, 1])
    _toy_legend(figure, edges is not None, boundary is not None)
    return figure


def two_class_colours() -> LinearSegmentedColormap:
    """From the colour of class 0 over near white to the colour of class 1."""
    first, second = class_colours(2)
    return LinearSegmentedColormap.from_list("two classes", [first, "#f4f2ee", second])


def _draw_toy(
    axes: Axes, points: pd.DataFrame, share: np.ndarray, edges: np.ndarray | None, boundary: float | None
) -> None:
    places, wrong = points[["x", "y"]].to_numpy(), (share > 0.5) != points["true"].to_numpy()
    if edges is not None:
        axes.add_collection(LineCollection(places[edges], colors="#d9d9d9", linewidths=0.4, zorder=0))
    if boundary is not None:
        axes.axvline(boundary, color="#555555", linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    axes.scatter(
        *places.T,
        c=share,
        cmap=two_class_colours(),
        vmin=0,
        vmax=1,
        s=18,
        linewidths=0.5,
        edgecolors="#777777",
        zorder=2,
    )
    axes.scatter(*places[wrong].T, s=46, facecolors="none", edgecolors=WRONG, linewidths=1.1, zorder=3)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_title(f"accuracy {100 * (1 - wrong.mean()):.1f} %", loc="right", fontsize=7)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#cccccc")


def _toy_legend(figure: Figure, edges: bool, boundary: bool) -> None:
    first, second = class_colours(2)
    handles = [
        _dot(first, "class 0", markeredgewidth=0.5, markeredgecolor="#777777"),
        _dot(second, "class 1", markeredgewidth=0.5, markeredgecolor="#777777"),
        _dot("none", "largest share is not the true class", markersize=7, markeredgewidth=1.1, markeredgecolor=WRONG),
    ]
    if boundary:
        handles.append(Line2D([], [], color="#555555", linewidth=0.9, linestyle=(0, (4, 2)), label="true boundary"))
    if edges:
        handles.append(Line2D([], [], color="#bbbbbb", linewidth=0.6, label="neighbours"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


# --- Comparison of methods ----------------------------------------------------------------------------------------


@_styled
def accuracy_curves(curves: pd.DataFrame) -> Figure:
    """Test accuracy by epoch, the mean over trials in a band of ± 1 standard deviation: Fig. 6 and 7.

    The y axis leaves out the rise of the first tenth of the epochs.
    A cell without a finished run is named below its panel; without any cell there is one empty panel.

    Args:
        curves: One panel per column, one curve per row; see :func:`lend.tables.curves`.
    """
    figure = Picture(figsize=(PAGE, 3.1), layout="constrained")
    rows, columns = (list(dict.fromkeys(curves.index.get_level_values(name))) for name in ("row", "column"))
    panels = figure.subplots(1, max(len(columns), 1), sharey=True, squeeze=False)[0]
    for axes, column in zip(panels, columns, strict=False):
        _draw_trial_curves(axes, curves.xs(column, level="column"), str(column))
    panels[0].set_ylabel("test accuracy (%)")
    if (curves["n"] > 0).any():
        panels[0].set_ylim(*_accuracy_limits(curves["mean"].astype(float)))
    else:
        panels[0].set_yticks([])
    if not columns:
        _nothing(panels[0], "no runs are planned for this figure")
        panels[0].set_xticks([])
    handles = [Line2D([], [], label=row, **_line(row)) for row in rows]
    _row_legend(figure, handles, "mean over the trials; band: ± 1 standard deviation")
    return figure


def _accuracy_limits(mean: pd.Series) -> tuple[float, float]:
    """Where the curves are after their first rise, in per cent: the methods part there."""
    epochs = mean.index.get_level_values("epoch")
    later = 100 * mean[epochs > 0.1 * epochs.max()].dropna()
    room = 0.08 * (later.max() - later.min()) + 1
    return later.min() - room, min(later.max() + room, 100.5)


def _draw_trial_curves(axes: Axes, table: pd.DataFrame, title: str) -> None:
    rows = list(dict.fromkeys(table.index.get_level_values("row")))
    found = [row for row in rows if table.loc[row, "n"].max() > 0]
    for row in found:
        _draw_mean_and_band(axes, 100 * table.loc[row, ["mean", "std"]].astype(float), row)
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_title(_trials(table["n"]), loc="right", fontsize=7, color="#444444")
    axes.set_xlabel(_absent("epoch", [row for row in rows if row not in found], width=42) if found else "epoch")
    axes.set_xlim(0, table.index.get_level_values("epoch").max())
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    if not found:
        _nothing(axes, "no finished run yet")


def _draw_mean_and_band(axes: Axes, percent: pd.DataFrame, row: str) -> None:
    line, (low, high) = _line(row), (percent["mean"] - percent["std"], percent["mean"] + percent["std"])
    axes.plot(percent.index, percent["mean"], **line)
    if percent["std"].notna().any():
        order = line.get("zorder", 2) - 0.5
        axes.fill_between(percent.index, low, high, color=line["color"], alpha=0.16, linewidth=0, zorder=order)


def _line(row: str) -> dict[str, Any]:
    """How the curve of a row is drawn: width, colour and dashes, no marker."""
    style = {"linewidth": 1.1} | LINES.get(row, OTHER_LINE)
    return {name: value for name, value in style.items() if name != "marker"}


def _trials(n: pd.Series) -> str:
    """How many finished trials the cells of a panel have, such as "3 to 5 trials"."""
    found = n[n > 0]
    if not len(found):
        return ""
    fewest, most = int(found.min()), int(found.max())
    return f"{fewest} to {most} trials" if fewest < most else f"{most} trial{'s' * (most > 1)}"


def _absent(label: str, names: Sequence[str], width: int) -> str:
    """The label of an axis and, below it, what has no finished run."""
    note = textwrap.fill(f"no finished run: {', '.join(names)}", width) if names else ""
    return f"{label}\n{note}".strip()


def _nothing(axes: Axes, text: str) -> None:
    """An empty panel in a frame that says why."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="#777777")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#cccccc")


def _row_legend(figure: Figure, handles: Sequence[Artist], title: str) -> None:
    if handles:
        figure.legend(
            handles=handles,
            title=title,
            title_fontsize=7.5,
            loc="outside lower center",
            ncols=len(handles),
            handlelength=2.6,
            columnspacing=1.2,
        )


@_styled
def sensitivity(panels: Mapping[str, pd.DataFrame], defaults: Mapping[str, Any]) -> Figure:
    """Best and last accuracy against the value of one setting per panel, error bars of ± 1 standard deviation: Fig. 8.

    Numbers are joined by lines, categories are not. A cell without a finished run is named below its panel.

    Args:
        panels: By the name of the setting: its values are the columns; see :func:`lend.tables.long`.
        defaults: The value of each setting in all other panels, which is marked.
    """
    figure = Picture(figsize=(PAGE, 3.0), layout="constrained")
    widths = [_letters(table) for table in panels.values()] or [1]
    grid = figure.subplots(1, len(widths), sharey=True, squeeze=False, width_ratios=widths)[0]
    for axes, (setting, table) in zip(grid, panels.items(), strict=False):
        _draw_setting(axes, table, setting, defaults.get(setting))
    grid[0].set_ylabel("test accuracy (%)")
    if not any((table["n"] > 0).any() for table in panels.values()):
        grid[0].set_yticks([])
    rows = dict.fromkeys(row for table in panels.values() for row in table["row"])
    note = "best: the highest of any epoch, an oracle on the test set; last: mean of the last ten epochs"
    handles: list[Artist] = [_setting_line(row, measure) for row in rows for measure in ("best", "last")]
    _row_legend(figure, [*handles, Patch(color=BEHIND, label="default")] if handles else [], note)
    return figure


def _letters(table: pd.DataFrame) -> int:
    """Room that the values of a setting want below their panel."""
    return max(14, sum(max(3, len(str(value).split(" (")[0])) + 1 for value in table["column"].unique()))


def _draw_setting(axes: Axes, table: pd.DataFrame, setting: str, default: Any) -> None:  # noqa: ANN401
    values, found = list(dict.fromkeys(table["column"])), table[table["n"] > 0]
    axes.set_title(setting, loc="left", fontweight="bold")
    axes.set_title(_trials(table["n"]), loc="right", fontsize=7, color="#444444")
    axes.set_xticks(range(len(values)), [str(value).replace(" (", "\n(") for value in values])
    axes.set_xlim(-0.6, max(len(values), 1) - 0.4)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    if default in values and len(found):
        axes.axvspan(values.index(default) - 0.4, values.index(default) + 0.4, color=BEHIND, linewidth=0, zorder=0)
    joined = not any(isinstance(value, str) for value in values)
    curves = found.groupby(["row", "measure"], sort=False)
    for shift, ((row, measure), cells) in zip(_shifts(len(curves)), curves, strict=True):
        _draw_setting_line(
            axes, cells, [values.index(value) + shift for value in cells["column"]], row, measure, joined
        )
    absent = table[table["n"] == 0].groupby("row", sort=False)["column"].unique()
    names = [f"{row} at {', '.join(map(str, columns))}" for row, columns in absent.items()]
    axes.set_xlabel(_absent("", names, width=34) if len(found) else "")
    if not len(found):
        _nothing(axes, "no finished run yet" if len(table) else "not planned\nin this profile")


def _shifts(count: int) -> np.ndarray:
    """Small steps to the side, so that error bars at one value do not cover each other."""
    return 0.09 * (np.arange(count) - (count - 1) / 2)


def _setting_line(row: str, measure: str) -> Line2D:
    """A line of :func:`sensitivity`: best is dashed and hollow, last is solid and filled."""
    style = LINES.get(row, OTHER_LINE)
    return Line2D(
        [],
        [],
        label=f"{row}, {measure}",
        color=style["color"],
        marker=style["marker"],
        markersize=4,
        linewidth=1.3 if measure == "last" else 0.9,
        linestyle="-" if measure == "last" else (0, (3, 1.5)),
        markerfacecolor=style["color"] if measure == "last" else "w",
    )


def _draw_setting_line(
    axes: Axes, cells: pd.DataFrame, places: Sequence[float], row: str, measure: str, joined: bool
) -> None:
    line = _setting_line(row, measure)
    mean, std = 100 * cells["mean"].to_numpy(float), 100 * cells["std"].to_numpy(float)
    axes.errorbar(places, mean, std, fmt="none", ecolor=line.get_color(), elinewidth=0.9, capsize=1.5, zorder=2)
    line.set_data(places, mean)
    line.set_linestyle(line.get_linestyle() if joined else "none")
    line.set_zorder(3)
    axes.add_line(line)
    axes.autoscale_view()


@_styled
def trial_dots(collected: pd.DataFrame, measure: str = "last") -> Figure:
    """Every trial as a small dot, their mean as a large one, ± 1 standard deviation as a line; one panel per column.

    Args:
        collected: See :func:`lend.tables.collect`.
        measure: best, last, chosen or ensemble.
    """
    columns = list(dict.fromkeys(collected["column"]))
    across = min(max(len(columns), 1), 3)
    down = -(-max(len(columns), 1) // across)
    rows = list(dict.fromkeys(collected["row"]))
    figure = Picture(figsize=(PAGE, (0.19 * max(len(rows), 5) + 0.45) * down + 0.35), layout="constrained")
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).flatten()
    for axes, column in zip(grid, columns, strict=False):
        _draw_dots(axes, collected[collected["column"] == column], rows, measure)
        axes.set_title(str(column), loc="left", fontweight="bold")
        axes.tick_params(labelbottom=True)
    for axes in grid[max(len(columns), 1) :]:
        axes.set_visible(False)
    if not collected[measure].notna().any():
        grid[0].set_xticks([])
    if not columns:
        _nothing(grid[0], "no runs are planned for this figure")
        grid[0].set_yticks([])
    figure.supxlabel(
        f"{MEASURE_TITLES[measure]}\nsmall: single trials; large: their mean, ± 1 standard deviation", fontsize=8
    )
    return figure


def _draw_dots(axes: Axes, table: pd.DataFrame, rows: Sequence[str], measure: str) -> None:
    for place, row in enumerate(rows):
        percent = 100 * table.loc[table["row"] == row, measure].dropna().astype(float)
        style = LINES.get(row, OTHER_LINE)
        if len(percent) > 1:
            axes.errorbar(percent.mean(), place, xerr=percent.std(), fmt="none", ecolor=style["color"], elinewidth=1)
            below = [place + 0.3] * len(percent)
            axes.scatter(percent, below, s=8, color=style["color"], alpha=0.6, linewidths=0, zorder=2)
        if len(percent):
            axes.scatter(percent.mean(), place, s=30, color=style["color"], edgecolors="w", linewidths=0.6, zorder=3)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.3, -0.7)
    axes.grid(color="#ececec", linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    absent = [row for row in rows if not table.loc[table["row"] == row, measure].notna().any()]
    if len(absent) == len(rows):
        _nothing(axes, "no finished run yet")
    else:
        axes.set_xlabel(_absent("", absent, width=46), fontsize=7)


# --- Noise --------------------------------------------------------------------------------------------------------


@_styled
def transition_matrices(
    matrices: Mapping[str, np.ndarray], class_names: Mapping[str, Sequence[str]], columns: int = 2
) -> Figure:
    """Transition matrices as heat maps, row = true class, in per cent: Fig. 5.

    Up to 20 classes, shares of half a per cent and more are written in their cells.

    Args:
        matrices: (c, c) fractions, by title.
        class_names: Of each matrix, by the same titles.
        columns: Panels in a row.
    """
    columns = min(columns, len(matrices))
    rows = -(-len(matrices) // columns)
    side = PAGE / columns
    figure = Picture(figsize=(PAGE if columns > 1 else 3.9, (min(side, 3.5) - 0.2) * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (title, matrix) in zip(grid.flat, matrices.items(), strict=False):
        image = _heat_map(axes, 100 * np.asarray(matrix), class_names[title])
        axes.set_title(title)
    for axes in grid.flat[len(matrices) :]:
        axes.set_visible(False)
    figure.colorbar(image, ax=grid, label="share of the true class (%)", shrink=0.6, aspect=30)
    return figure


def _heat_map(axes: Axes, percent: np.ndarray, names: Sequence[str]) -> AxesImage:
    image = axes.imshow(percent, cmap="Blues", vmin=0, vmax=100, interpolation="nearest")
    axes.set(xlabel="given label", ylabel="true class")
    for spine in axes.spines.values():
        spine.set(visible=True, color="#cccccc")
    c = len(names)
    if c > LEGEND_CLASSES:
        return image
    turned = max(len(name) for name in names) > 2
    axes.set_xticks(range(c), names, rotation=90 if turned else 0)
    axes.set_yticks(range(c), names)
    axes.tick_params(length=0)
    for (i, j), value in np.ndenumerate(percent):
        if value >= 0.5:
            axes.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=7, color="w" if value > 65 else "k")
    return image
