"""Texts of a comparison: the number of trials, rows without a finished run, and the legend of the rows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lend.plots.names import legend_columns, literal

LINE = 7  # characters that a line of the legend below takes, longer than the dots of other legends


def trials(n: pd.Series) -> str:
    """Return how many finished trials the cells of a panel have, such as "3 to 5 trials".

    Args:
        n: Number of finished trials of each cell.
    """
    found = n[n > 0]
    if not len(found):
        return ""
    fewest, most = int(found.min()), int(found.max())
    return f"{fewest} to {most} trials" if fewest < most else f"{most} trial{'s' * (most > 1)}"


def absent_below(label: str, names: Sequence[str], width: int) -> str:
    """Return the label of an axis and, below it, the names of what has no finished run.

    Args:
        label: Label of the axis; may be empty.
        names: Rows or cells without a finished run.
        width: Most characters of a line.
    """
    told = ", ".join(literal(name, width) for name in names)
    note = textwrap.fill(f"no finished run: {told}", width) if names else ""
    return f"{label}\n{note}".strip()


def nothing(axes: Axes, text: str) -> None:
    """Draw a frame around an empty panel, and a text that says why it is empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="#777777")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#cccccc")


def more_lines(words: Sequence[str], inches: float) -> float:
    """Return how much higher a figure must be for the lines of its legend beyond the first, in inches.

    Args:
        words: The entries.
        inches: Width of the figure.
    """
    lines = -(-len(words) // legend_columns(words, inches, LINE)) if words else 1
    return 0.16 * (lines - 1)


def row_legend(figure: Figure, handles: Sequence[Artist], title: str) -> None:
    """Draw one legend of the rows, below all panels; nothing without handles."""
    if handles:
        figure.legend(
            handles=handles,
            title=title,
            title_fontsize=7.5,
            loc="outside lower center",
            ncols=legend_columns([str(handle.get_label()) for handle in handles], figure.get_size_inches()[0], LINE),
            handlelength=2.6,
            columnspacing=1.2,
        )
