"""Colorings: what points can be coloured by. One record knows kind, values and text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Shaped

from lend.explorer.inspection.chronicle import Chronicle
from lend.explorer.inspection.corrections import Corrections
from lend.explorer.inspection.filters import wrong_labels
from lend.explorer.inspection.mapped import FIXED, Kind, Mapped
from lend.explorer.inspection.newest_redilution import NewestRedilution
from lend.explorer.inspection.places import Places
from lend.inputs import require_name

ORDER = (
    *("true", "predicted", "noisy", "suggested", "diluted", "kept", "wrong", "issue", "agreement", "score"),
    *("rediluted", "corrected"),
)
IN_PER_CENT = ("agreement", "score")
FLAG_TEXTS = {"kept": ("dropped", "kept")}  # the words for False and True; no and yes for others


@dataclass(frozen=True, eq=False)
class Coloring:
    """One way to colour points.

    Args:
        kind: "class" (codes, -1 unknown), "flag" (bool) or "share" (float32 from 0 to 1, NaN unknown).
        values: Gives the values (m,) of all points at an epoch.
        text: Says one of the values in words.
        column: Gives values as a column of a table: class names, flags, or the numbers that shares stand for.
        ends: The numbers that the shares 0 and 1 stand for.
    """

    kind: Kind
    values: Callable[[int], Shaped[np.ndarray, " m"]]
    text: Callable[[Any], str]
    column: Callable[[np.ndarray], np.ndarray | pd.Categorical]
    ends: tuple[float, float] = (0.0, 1.0)


def class_coloring(class_names: Sequence[str], values: Callable[[int], np.ndarray]) -> Coloring:
    """Make the coloring of a kind of labels, given as codes."""

    def text(code: np.integer) -> str:
        return class_names[int(code)] if code >= 0 else "unknown"

    return Coloring("class", values, text, lambda codes: pd.Categorical.from_codes(codes, list(class_names)))


def flag_coloring(name: str, values: Callable[[int], np.ndarray]) -> Coloring:
    """Make the coloring of a flag."""
    no, yes = FLAG_TEXTS.get(name, ("no", "yes"))
    return Coloring("flag", values, lambda flag: yes if flag else no, lambda flags: flags)


def share_coloring(name: str, ends: tuple[float, float], values: Callable[[int], np.ndarray]) -> Coloring:
    """Make the coloring of shares, told in per cent or as the numbers they stand for."""
    low, high = ends

    def text(share: np.floating) -> str:
        if not np.isfinite(share):
            return "unknown"
        return f"{100 * share:.0f} %" if name in IN_PER_CENT else f"{low + float(share) * (high - low):.3g}"

    def column(shares: np.ndarray) -> Float32[np.ndarray, " m"]:
        return (low + shares * (high - low)).astype(np.float32)

    return Coloring("share", values, text, column, ends)


class Colorings:
    """All that the points can be coloured by now.

    Args:
        points: What a run or a table brings.
        chronicle: Labels and flags at every epoch.
        places: Knows the map that the shares and the re-diluted labels of an epoch belong to.
        rediluted: The newest re-dilution; a coloring when there is one.
        corrections: Labels corrected by hand; a coloring while there are some.
    """

    def __init__(
        self,
        points: Mapped,
        chronicle: Chronicle,
        places: Places,
        rediluted: NewestRedilution,
        corrections: Corrections,
    ) -> None:
        self._rediluted, self._corrections = rediluted, corrections
        self._saved = saved_colorings(points, chronicle, places)
        self._made = {
            "rediluted": class_coloring(points.class_names, lambda epoch: rediluted.labels(places.last_map(epoch))),
            "corrected": class_coloring(points.class_names, lambda epoch: corrections.labels.copy()),
        }

    def all(self) -> dict[str, Coloring]:
        """Return the colorings by name, in the order in which they are offered."""
        found = dict(self._saved)
        if self._rediluted.result is not None:
            found["rediluted"] = self._made["rediluted"]
        if len(self._corrections.positions):
            found["corrected"] = self._made["corrected"]
        names = [name for name in ORDER if name in found]
        return {name: found[name] for name in (*names, *(name for name in found if name not in ORDER))}

    def __getitem__(self, name: str) -> Coloring:
        """Return one of them.

        Raises:
            ValueError: If there is no such coloring; the message says which there are.
        """
        found = self.all()
        require_name(name, found, "coloring")
        return found[name]

    def texts(self, position: int, epoch: int) -> dict[str, str]:
        """Say in words what a point is at an epoch, by name of the coloring."""
        told = {name: coloring for name, coloring in self.all().items() if name != "wrong"}  # true and noisy tell that
        return {name: coloring.text(coloring.values(epoch)[position]) for name, coloring in told.items()}

    def columns(self, epoch: int) -> dict[str, np.ndarray | pd.Categorical]:
        """Return the columns of a table of all points at an epoch, by name of the coloring."""
        return {name: coloring.column(coloring.values(epoch)) for name, coloring in self.all().items()}


def saved_colorings(points: Mapped, chronicle: Chronicle, places: Places) -> dict[str, Coloring]:
    """Return the colorings that a run or a table brings, by name.

    Args:
        points: Says which labels, flags and shares there are.
        chronicle: Labels and flags at every epoch.
        places: Knows the map that the shares of an epoch belong to.
    """

    def labels(name: str) -> Callable[[int], np.ndarray]:
        return lambda epoch: chronicle.at(epoch)[name]

    def shares(name: str) -> Callable[[int], np.ndarray]:
        return lambda epoch: points.share(name, epoch, places.last_map(epoch))

    found = {name: class_coloring(points.class_names, labels(name)) for name in points.fixed}
    for name, kind in points.by_epoch.items():
        values = labels(name)
        found[name] = class_coloring(points.class_names, values) if kind == "class" else flag_coloring(name, values)
    for name, ends in points.ranges.items():
        found[name] = share_coloring(name, ends, shares(name))
    if set(FIXED) <= set(points.fixed):
        found["wrong"] = flag_coloring("wrong", lambda epoch: wrong_labels(points.fixed))
    return found
