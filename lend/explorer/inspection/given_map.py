"""Maps that were made elsewhere: coordinates by UMAP or whatever, in the order of the examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lend.inputs import require, to_numpy

X, Y = "the map's x", "the map's y"  # columns that no table of people has


def places_of(
    given: Any,  # noqa: ANN401 (arrays of any library)
    epochs: Sequence[int],
    n: int,
) -> tuple[Int[np.ndarray, " m"], dict[int, Float[np.ndarray, "m 2"]]]:
    """Return which examples have a place, and where they are at each epoch.

    Args:
        given: Coordinates (n, 2) of one epoch, or a mapping of each epoch to such; a row of NaN has no place, the same
            rows at every epoch.
        epochs: Those that there are.
        n: Examples.

    Raises:
        ValueError: If it is something else, or a coordinate is infinite.
    """
    several = isinstance(given, Mapping)
    by_epoch = given if several else {epochs[0]: given}
    allowed = f"coordinates ({n}, 2)" if len(epochs) == 1 else f"a mapping of the epochs {list(epochs)} to coordinates"
    got = f"a mapping of {list(by_epoch)[:5]}" if several else "one array"
    require(set(by_epoch) == set(epochs), "map", allowed, got)
    places = {epoch: _coordinates(by_epoch[epoch], n) for epoch in epochs}
    placed = [~np.isnan(found).any(axis=1) for found in places.values()]
    require(bool(placed[0].any()), "map", "with at least one row that is a place", "NaN alone")
    same = all(np.array_equal(placed[0], others) for others in placed)
    require(same, "map", "of the same rows at every epoch", "NaN in different ones")
    rows = np.flatnonzero(placed[0])
    return rows, {epoch: found[rows] for epoch, found in places.items()}


def _coordinates(values: Any, n: int) -> Float[np.ndarray, "n 2"]:  # noqa: ANN401
    array = to_numpy(values, "map")
    require(array.shape == (n, 2) and array.dtype.kind in "fiu", "map", f"numbers of shape ({n}, 2)", array.shape)
    places = np.ma.filled(array.astype(np.float64), np.nan)
    with np.errstate(over="ignore"):
        infinite = np.isinf(places.astype(np.float32)).any(axis=1)  # what is drawn is float32
    require(
        not infinite.any(), "map", "finite, or NaN where an example has no place", f"{infinite.sum()} infinite rows"
    )
    return places
