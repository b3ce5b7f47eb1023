"""Pictures: arrays and tables in, a matplotlib Figure out. Works without a display and never shows anything.

One style, one colour per class, method and kind of label, whatever the figure. Widths are those of a page of a
paper (7 inches), on which no text is smaller than 7 points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

PAGE = 7.0  # inches
STYLE = {
    "figure.dpi": 100,
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

CLASS_COLOURS: tuple[str, ...] = ()
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
    "sigua": "#d55e00",
}
