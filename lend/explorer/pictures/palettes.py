"""What a coloring looks like, on the page and in saved figures: its title, its colours, the colour of each point."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib
import numpy as np
from jaxtyping import Float, Int
from matplotlib.colors import to_hex, to_rgb

from lend.explorer.inspection import Inspection
from lend.plots import GREY, LABEL_COLOURS, WRONG, class_colours

TITLES = {
    "true": "true labels",
    "noisy": "noisy (given) labels",
    "predicted": "predicted labels",
    "diluted": "diluted labels",
    "rediluted": "labels diluted again",
    "suggested": "suggested labels",
    "corrected": "corrected labels",
    "kept": "kept by the method",
    "wrong": "wrong labels",
    "issue": "label issues",
    "agreement": "neighbours that agree",
    "score": "label score",
}
UNKNOWN_COLOUR = "#c9c9c9"
PALE = "#d5d5d5"  # for the value of a flag that nobody looks for
FLAG = LABEL_COLOURS["diluted"]
FLAGS = {  # colours and names of no and yes
    "kept": ((LABEL_COLOURS["predicted"], "dropped"), (PALE, "kept")),
    "wrong": ((PALE, "noisy label is true"), (WRONG, "noisy label is wrong")),
    "issue": ((PALE, "no issue"), (WRONG, "label issue")),
}
STEPS = 101  # of a scale of shares: one per cent each
SCALE = matplotlib.colormaps["viridis"]
BRIGHTEST = 0.93  # beyond, viridis is hard to see on white


@dataclass(frozen=True)
class Palette:
    """What the codes of a coloring look like.

    Args:
        colours: One per code.
        names: One per code; for a scale only the first and the last step have one, the others are empty.
        scale: Whether the colours are steps of a scale; the last one is then for unknown values.
    """

    colours: tuple[str, ...]
    names: tuple[str, ...]
    scale: bool = False


def coloring_title(coloring: str) -> str:
    """Return the title of a map in this coloring."""
    return TITLES.get(coloring, coloring)


def palette(inspection: Inspection, coloring: str) -> Palette:
    """Return colours and names of the codes of a coloring.

    Raises:
        ValueError: If there is no such coloring; the message says which there are.
    """
    kind = inspection.kind(coloring)
    if kind == "class":
        names = inspection.class_names
        return Palette((UNKNOWN_COLOUR, *class_colours(len(names))), ("unknown", *names))
    if kind == "flag":
        colours, names = zip(*FLAGS.get(coloring, ((PALE, "no"), (FLAG, "yes"))), strict=True)
        return Palette(colours, names)
    low, high = (f"{value:.3g}" for value in inspection.value_range(coloring))
    steps = tuple(to_hex(SCALE(BRIGHTEST * step / (STEPS - 1))) for step in range(STEPS))
    return Palette((*steps, UNKNOWN_COLOUR), (low, *[""] * (STEPS - 2), high, "unknown"), scale=True)


def codes(inspection: Inspection, coloring: str, epoch: int | None = None) -> Int[np.ndarray, " m"]:
    """Return the position of each point's colour in the palette.

    Args:
        inspection: What the explorer shows.
        coloring: What the points are coloured by.
        epoch: The one shown, if not given.

    Raises:
        ValueError: If the coloring or the epoch is unknown.
    """
    values, kind = inspection.values(coloring, epoch), inspection.kind(coloring)
    if kind == "class":
        return values.astype(np.int64) + 1
    if kind == "flag":
        return values.astype(np.int64)
    known = np.isfinite(values)
    return np.where(known, np.rint(np.where(known, values, 0) * (STEPS - 1)), STEPS).astype(np.int64)


def point_colours(inspection: Inspection, coloring: str, epoch: int | None = None) -> Float[np.ndarray, "m 3"]:
    """Return the colour of every point in figures and films, RGB in [0, 1]; arguments as in :func:`codes`."""
    colours = np.array([to_rgb(colour) for colour in palette(inspection, coloring).colours])
    return colours[codes(inspection, coloring, epoch)]


def class_colour(inspection: Inspection, name: str) -> str:
    """Return the colour of a class, grey for anything else."""
    names = inspection.class_names
    return class_colours(len(names))[names.index(name)] if name in names else GREY
