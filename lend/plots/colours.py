"""Colours and lines: the same for a class, a method or a kind of label in every figure."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from matplotlib.colors import to_hex

GREY = "#8c8c8c"
WRONG = "#e8000b"

# Found by a search for ten colours far apart in OKLab, for normal vision and for each kind of dichromatic vision: at
# least 11.8 of 100. In this order, classes that asymmetric noise exchanges, such as 3 and 5 of CIFAR-10, are 27 apart.
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
LEGEND_CLASSES = 20  # with more classes, a legend would be larger than the figure

# colours of Okabe and Ito, which all common kinds of colour vision can distinguish
LABEL_COLOURS = {
    "true": "#000000",
    "predicted": "#d55e00",
    "diluted": "#0072b2",
    "dominant": "#009e73",
    "noisy": "#7f7f7f",
}
LABEL_DASHES = {"true": "-", "predicted": "-", "diluted": "-", "dominant": (0, (4, 1.2)), "noisy": (0, (1, 1.2))}
LABEL_TITLES = {kind: f"{kind} labels" for kind in LABEL_COLOURS} | {"noisy": "noisy (given) labels"}
METHOD_COLOURS = {
    "lend": "#0072b2",
    "standard": "#000000",
    "coteaching": "#e69f00",
    "gce": "#009e73",
    "jocor": "#cc79a7",
    "sigua": "#56b4e9",
}
PRIOR = "#d55e00"  # LEND with the class prior: the colour that differs most from the blue of LEND

# The lines of a comparison, named like the rows of lend.paper. The two of LEND are wide and on top; dashes distinguish
# the others where colours do not.
LINES: dict[str, dict[str, Any]] = {
    "Standard": {"color": METHOD_COLOURS["standard"], "linestyle": (0, (1, 1.1)), "marker": "s"},
    "Co-teaching": {"color": METHOD_COLOURS["coteaching"], "linestyle": (0, (4, 1.4)), "marker": "^"},
    "GCE": {"color": METHOD_COLOURS["gce"], "linestyle": (0, (6, 1.4, 1, 1.4)), "marker": "v"},
    "JoCoR": {"color": METHOD_COLOURS["jocor"], "linestyle": (0, (4, 1.2, 1, 1.2, 1, 1.2)), "marker": "<"},
    "SIGUA": {"color": METHOD_COLOURS["sigua"], "linestyle": (0, (2, 1.2)), "marker": ">"},
    "LEND": {"color": METHOD_COLOURS["lend"], "linestyle": "-", "marker": "o", "linewidth": 2.0, "zorder": 3},
    "LEND+prior": {"color": PRIOR, "linestyle": (0, (5, 1)), "marker": "D", "linewidth": 2.0, "zorder": 3},
}

# For rows of your own: colours far from those above and from each other in OKLab, for normal vision and for each kind
# of dichromatic vision, at least 10.7 of 100, and dashes and markers that no row above has. A colour comes again with
# other dashes and another marker.
FREE_COLOURS = ("#77060c", "#9a68fe", "#1a387c", "#a83625", "#6b07e8")
FREE_DASHES = ((0, (9, 1.5)), (0, (8, 1.5, 2.5, 1.5)), (0, (1, 2.2)), (0, (3, 3)))
FREE_MARKERS = ("P", "X", "*", "p", "h", "d")
# Methods that the paper does not compare with stand back: grey, told by their dashes; lend's own is wide and dark.
FURTHER_LINES: dict[str, dict[str, Any]] = {
    name: {"color": GREY, "linestyle": dashes, "marker": marker}
    for name, dashes, marker in zip(
        ("Forward", "ELR", "Co-teaching+", "DivideMix", "SOP", "LEND2"),
        ("-", *FREE_DASHES, (0, (5, 1, 1, 1, 1, 1))),
        FREE_MARKERS,
        strict=True,
    )
}
FURTHER_LINES["LEND2"] |= {"color": "#555555", "linewidth": 2.0, "zorder": 3}
FURTHER_LINES["LEND2+corrected"] = FURTHER_LINES["LEND2"] | {"color": "#222222", "linestyle": "-", "marker": "8"}
Line = dict[str, Any]  # properties of a Line2D


def row_lines(rows: Iterable[str]) -> dict[str, Line]:
    """Return the line of each row of a comparison: that of a known method, or one of its own.

    Args:
        rows: Names of all rows. Those of your own get the same lines wherever they stand in the same order.
    """
    names = list(dict.fromkeys(rows))
    known = LINES | FURTHER_LINES
    free = {
        name: {
            "color": FREE_COLOURS[place % len(FREE_COLOURS)],
            "linestyle": FREE_DASHES[place % len(FREE_DASHES)],
            "marker": FREE_MARKERS[place % len(FREE_MARKERS)],
            "linewidth": 1.6,
        }
        for place, name in enumerate(name for name in names if name not in known)
    }
    return {name: (known | free)[name] for name in names}


def class_colours(c: int) -> list[str]:
    """Return one colour per class, the same in every figure.

    Up to ten classes, colour-blind readers can distinguish them. For more, hues are a golden angle apart in three
    lightnesses: classes next to each other differ, but 100 colours cannot all be distinguished.

    Args:
        c: Number of classes.
    """
    return list(_class_colours(c))


@lru_cache(8)
def _class_colours(c: int) -> tuple[str, ...]:
    if c <= len(CLASS_COLOURS):
        return CLASS_COLOURS[:c]
    return tuple(to_hex(colorsys.hls_to_rgb(0.618034 * i % 1, (0.36, 0.52, 0.68)[i % 3], 0.75)) for i in range(c))
