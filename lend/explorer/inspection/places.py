"""Where the points of maps are at any epoch, also between two maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

Limits = tuple[tuple[float, float], tuple[float, float]]
MARGIN = 0.04  # of the width of all maps, on each side


class Places:
    """Maps of the same points at some epochs.

    Args:
        epochs: Epochs of the maps, increasing.
        maps: Coordinates in each of them.

    Attributes:
        limits: Limits of x and y over all maps, a square with a margin.
    """

    def __init__(self, epochs: Sequence[int], maps: Float[np.ndarray, "e m 2"]) -> None:
        self.epochs, self.maps = tuple(epochs), maps
        self.limits = square(self.maps)

    def last_map(self, epoch: int) -> int:
        """Return the epoch of the last map up to this epoch; that of the first map before it."""
        return max((number for number in self.epochs if number <= epoch), default=self.epochs[0])

    def at(self, epoch: int) -> Float[np.ndarray, "m 2"]:
        """Return the places at an epoch: on straight lines between two maps, in the nearest map elsewhere."""
        before = self.epochs.index(self.last_map(epoch))
        after = min(before + 1, len(self.epochs) - 1)
        if epoch <= self.epochs[before] or after == before:
            return self.maps[before]
        share = (epoch - self.epochs[before]) / (self.epochs[after] - self.epochs[before])
        return self.maps[before] + np.float32(share) * (self.maps[after] - self.maps[before])

    def note(self, epoch: int) -> str:
        """Say in words which maps the places at an epoch come from."""
        first, last = self.epochs[0], self.epochs[-1]
        if epoch in self.epochs:
            return f"epoch {epoch}: its own map"
        if epoch < first:
            return f"epoch {epoch}: before the first map, places of epoch {first}"
        if epoch > last:
            return f"epoch {epoch}: after the last map, places of epoch {last}"
        after = next(number for number in self.epochs if number > epoch)
        return f"epoch {epoch}: between the maps of {self.last_map(epoch)} and {after}"


def square(maps: Float[np.ndarray, "e m 2"]) -> Limits:
    """Return the limits of the smallest square around all points, with a margin."""
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    low, high = low.astype(float), high.astype(float)
    width = float((high - low).max())
    half = (width or max(float(np.abs(high).max()), 1.0) * 1e-6) * (0.5 + MARGIN)  # all at one place: any square
    x, y = ((low + high) / 2).tolist()
    return (x - half, x + half), (y - half, y + half)
