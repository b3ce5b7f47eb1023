"""Filters: what each finds among the points, in words and as a mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Bool

FILTERS = {
    "class": "the noisy label is this class",
    "mislabelled": "the noisy label is not the true one",
    "predicted differs": "the network predicts another class than the noisy label in this epoch",
    "dropped": "the method did not train on it in this epoch",
    "memorised": "the noisy label is wrong, and the network predicts it in this epoch",
    "learned then forgotten": "the noisy label is wrong, the network predicted the true one in an earlier epoch, and "
    "predicts the noisy one in this epoch",
}
NEEDS = {
    "class": ("noisy",),
    "mislabelled": ("true", "noisy"),
    "predicted differs": ("predicted", "noisy"),
    "dropped": ("kept",),
    "memorised": ("true", "noisy", "predicted"),
    "learned then forgotten": ("true", "noisy", "predicted"),
}

Labels = Mapping[str, np.ndarray]


def find(
    name: str, labels: Labels, learned: Callable[[], Bool[np.ndarray, " m"]], code: int | None = None
) -> Bool[np.ndarray, " m"]:
    """Return a mask of the points that a filter finds.

    Args:
        name: One of FILTERS.
        labels: Codes and flags of all points at the epoch, (m,) by name; -1 is an unknown label.
        learned: Gives the points whose true label was predicted in an earlier epoch; called only where it counts.
        code: Find only points with this noisy label.

    Raises:
        ValueError: If labels that the filter needs are missing.
    """
    for needed in (*NEEDS[name], *(() if code is None else ("noisy",))):
        if needed not in labels:
            raise ValueError(f"the filter {name!r} needs {needed!r}, which is not there; there are {', '.join(labels)}")
    found = _found(name, labels, learned)
    return found if code is None else found & (labels["noisy"] == code)


def _found(name: str, labels: Labels, learned: Callable[[], Bool[np.ndarray, " m"]]) -> Bool[np.ndarray, " m"]:
    if name == "class":
        return labels["noisy"] >= 0
    if name == "dropped":
        return ~labels["kept"]
    if name == "predicted differs":
        return (labels["predicted"] != labels["noisy"]) & (labels["predicted"] >= 0) & (labels["noisy"] >= 0)
    wrong = wrong_labels(labels)
    if name == "mislabelled":
        return wrong
    memorised = wrong & (labels["predicted"] == labels["noisy"])
    return memorised if name == "memorised" else memorised & learned()


def wrong_labels(labels: Labels) -> Bool[np.ndarray, " m"]:
    """Return a mask of the points whose noisy label is not the true one; False where one of the two is unknown."""
    true, noisy = labels["true"], labels["noisy"]
    return (noisy != true) & (true >= 0) & (noisy >= 0)
