"""The points of embeddings: a table of what is known of the examples, and the maps made of their embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lend.analysis import Sample, maps_of, rows_to_map
from lend.explorer.inspection.columns import distinct
from lend.explorer.inspection.given_map import X, Y, places_of
from lend.explorer.inspection.mapped import CLASSES
from lend.explorer.inspection.mapped_frame import MappedFrame
from lend.explorer.inspection.mapped_run import MAPS_KEPT
from lend.explorer.inspection.recent import Recent
from lend.explorer.inspection.rows import Rows, rows_by_epoch
from lend.inputs import require, to_numpy
from lend.neighbors import knn_graph
from lend.run import MAP_POINTS

NEIGHBORS = 10  # of each point, as a map keeps them


class MappedEmbeddings(MappedFrame):
    """The points of embeddings, of all examples or of a part chosen by class.

    Args:
        table: What `Inspection.of_frame` takes, but without coordinates.
        by_epoch: Embeddings (n, d) of each epoch of the table, 0 where it has none, in the order of its sample ids.
        epoch: Column of the epochs, or None.
        class_names: As in `Inspection.of_frame`.
        map: Coordinates (n, 2), or those of each epoch; see :func:`places_of`. Made by t-SNE if not given.
        points: How many examples to map at most; 10,000 if not given, 0 for all.
        folder: Where to keep the maps; see :func:`lend.map`.
        seed: Of the choice and of the map.
        progress: Show a progress bar.
        rows: Which examples to map, ascending, where t-SNE makes the map; chosen by class if not given.

    Raises:
        ValueError: Naming the argument or the column, what is allowed and what came.

    Attributes:
        n: Examples of the table.
        rows: Which of them are the points, (m,).
    """

    def __init__(
        self,
        table: pd.DataFrame,
        by_epoch: Mapping[int, Any],
        epoch: str | None,
        class_names: Sequence[str] | None,
        *,
        map: Any = None,  # noqa: ANN401 (arrays of any library)
        points: int | None = None,
        folder: str | Path | None = None,
        seed: int = 0,
        progress: bool = True,
        rows: Int[np.ndarray, " m"] | None = None,
    ) -> None:
        _, parts = rows_by_epoch(table, epoch)
        whole = Sample.of_all(by_epoch)
        self.n = whole.n
        self._neighbors: Recent[np.ndarray] = Recent(MAPS_KEPT)
        if map is None:
            most = MAP_POINTS if points is None else points
            self.rows = rows_to_map(_classes(table, parts), most, seed) if rows is None else rows
            self._sample = replace(whole, rows=self.rows)
            made = maps_of(self._sample, seed=seed, folder=folder, progress=progress)
            places = {number: found.coordinates for number, found in made.items()}
            self._found = {number: found.neighbors for number, found in made.items()}
        else:
            given = {"points": points, "folder": folder, "seed": seed or None}
            strange = [name for name, value in given.items() if value is not None]
            require(not strange, "map", "given without settings of one that is made", strange)
            self.rows, places = places_of(map, tuple(parts), self.n)
            self._sample, self._found = replace(whole, rows=self.rows), {}
        located = [
            table.iloc[part[self.rows]].assign(**{X: places[number][:, 0], Y: places[number][:, 1]})
            for number, part in parts.items()
        ]
        super().__init__(pd.concat(located), X, Y, epoch, class_names)
        m = len(self.rows)
        self.title = f"embeddings of {m:,} examples" if m == self.n else f"embeddings of {m:,} of {self.n:,} examples"
        if "true" in self.fixed and (self.fixed["true"] < 0).all():
            del self.fixed["true"]
        self.embeddings = self._embeddings
        searched = bool(self._found) or 1 < m <= MAP_POINTS  # a search among more takes longer than a user waits
        self._agreeing = searched and "noisy" in self.fixed and "agreement" not in self.colouring
        if self._agreeing:
            self.ranges = {**self.ranges, "agreement": (0.0, 1.0)}

    @property
    def colouring(self) -> set[str]:
        """Names of the columns that colour points."""
        return {*self.fixed, *self.by_epoch, *self.ranges}

    def share(self, name: str, epoch: int, map_epoch: int) -> Float[np.ndarray, " m"]:
        if name == "agreement" and self._agreeing:
            return self._agreement(map_epoch)
        return super().share(name, epoch, map_epoch)

    def _agreement(self, map_epoch: int) -> Float[np.ndarray, " m"]:
        noisy, neighbors = self.fixed["noisy"], self.neighbors(map_epoch)
        assert neighbors is not None  # or there would be no such coloring
        share = (noisy[neighbors] == noisy[:, None]).mean(axis=1)
        return np.where(noisy >= 0, share, np.nan).astype(np.float32)

    def neighbors(self, map_epoch: int) -> Int[np.ndarray, "m k"] | None:
        """Return those found for a map; where it was made elsewhere, look for them among 10,000 points at most."""
        if self._found:
            return self._found[map_epoch].astype(np.int32)
        m = len(self.rows)
        if not 1 < m <= MAP_POINTS:
            return None
        return self._neighbors.get(map_epoch, lambda: self._search(map_epoch, min(NEIGHBORS, m - 1)))

    def _search(self, map_epoch: int, k: int) -> Int[np.ndarray, "m k"]:
        return knn_graph(self._sample[map_epoch], k, progress=False).indices.astype(np.int32)

    def _embeddings(self, map_epoch: int) -> Any:  # noqa: ANN401 (an array or a CSR array)
        matrix = self._sample[map_epoch]
        return to_numpy(matrix, "embeddings") if hasattr(matrix, "detach") else matrix


def _classes(table: pd.DataFrame, rows: Rows) -> Int[np.ndarray, " n"]:
    """The labels by which points are chosen: given ones, or else others; all alike where there are none."""
    first = next(iter(rows.values()))
    for name in ("noisy", *CLASSES):
        if name in table:
            return distinct(table[name].iloc[first], name)[0]
    return np.zeros(len(first), np.int64)
