"""Maps of anyone's embeddings: of one array, or of one for each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from lend.analysis.maps.kept import Map, map_key, read_map, write_map
from lend.analysis.maps.sample import Sample
from lend.analysis.maps.settings import fitting, missing, require_settings, rows_to_map
from lend.analysis.maps.tsne import aligned_tsne


def map_embeddings(
    embeddings: Any,  # noqa: ANN401 (arrays of any library)
    *,
    points: int = 0,
    perplexity: float = 30,
    aligned: bool = True,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool = True,
) -> Float32[np.ndarray, "n 2"] | dict[int, Float32[np.ndarray, "n 2"]]:
    """Map embeddings to the plane by t-SNE, as ``lend tsne`` maps the snapshots of a run.

    By cosine distance, over exact neighbours. Of several epochs, points keep their place: each map starts from the one
    before it; see :func:`lend.analysis.aligned_tsne`. The same numbers, seed and machine give the same maps.

    Args:
        embeddings: (n, d) finite numbers: NumPy, in memory or mapped from a file, torch on any device, a frame, nested
            lists or SciPy sparse. Or a mapping of epochs, integers, to such arrays, row i always the same example; it
            is read one epoch at a time, and before the long work once to check all.
        points: How many examples to map, at least 4, drawn from the seed; 0 maps all. The rows of the others are NaN.
        perplexity: Effective number of neighbours, at least 1; lowered to (points - 1) / 3 where they are few.
        aligned: False makes the map of each epoch on its own.
        seed: Seed of the draw and of the first map, at least 0.
        folder: Where to keep the maps, one file each, named by a digest of embeddings and settings. A map that is there
            is read, and a call that was stopped goes on where it was. If not given, nothing is kept.
        progress: Show a progress bar with the time left.

    Returns:
        Coordinates (n, 2), or those of each epoch, ascending. Row i is example i: rows that are not mapped are NaN, so
        ``np.isfinite(places[:, 0])`` says which are, and matplotlib leaves the others out.

    Raises:
        ValueError: Naming the argument, what is allowed and what came.
        FloatingPointError: If a map collapses to one point, which those of a few dozen points may.
        DamagedFileError: If the file of a map in the folder is damaged; the message names it.

    Example:
        >>> import numpy as np
        >>> embeddings = np.random.default_rng(0).normal(size=(100, 8))
        >>> places = map_embeddings(embeddings, points=60, progress=False)
        >>> places.shape, int(np.isfinite(places[:, 0]).sum())
        ((100, 2), 60)
    """
    require_settings(points, perplexity, seed)
    several = isinstance(embeddings, Mapping)
    whole = Sample.of_all(embeddings if several else {0: embeddings})
    rows = rows_to_map(np.zeros(whole.n, np.int64), points, seed)
    sample = replace(whole, rows=rows)
    made = maps_of(sample, perplexity=perplexity, aligned=aligned, seed=seed, folder=folder, progress=progress)
    placed = {epoch: np.full((whole.n, 2), np.nan, np.float32) for epoch in made}
    for epoch, places in placed.items():
        places[rows] = made[epoch].coordinates
    return placed if several else placed[0]


def maps_of(
    sample: Sample,
    *,
    perplexity: float = 30,
    aligned: bool = True,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool = True,
) -> dict[int, Map]:
    """Map these rows, at each epoch; arguments and errors are those of :func:`lend.map`."""
    require_settings(0, perplexity, seed)
    place = None if folder is None else Path(folder).expanduser().absolute()
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)  # before the long work
    keys: dict[int, str] = {}
    made: dict[int, Map] = {}
    for epoch, matrix in sample.items():
        m = matrix.shape[0]
        perplexity = fitting(perplexity, m)
        if place is not None:
            before = "" if not (aligned and keys) else keys[max(keys)]
            keys[epoch] = map_key(matrix, perplexity, int(seed), before)
            found = read_map(place, keys[epoch], m)
            made |= {} if found is None else {epoch: found}
    for epoch, new in _made(sample, made, perplexity, aligned, int(seed), progress):
        made[epoch] = new
        if place is not None:
            write_map(place, keys[epoch], new)
    return {epoch: made[epoch] for epoch in sample}


def _made(
    sample: Sample, kept: Mapping[int, Map], perplexity: float, aligned: bool, seed: int, progress: bool
) -> Iterator[tuple[int, Map]]:
    """Make the maps that are not kept."""
    epochs = tuple(sample)
    to_make = missing(epochs, kept, aligned)
    if not to_make:
        return
    first = epochs.index(to_make[0])
    maps = aligned_tsne(
        _Read(sample, to_make),
        perplexity=perplexity,
        aligned=aligned,
        start=kept[epochs[first - 1]].coordinates if aligned and first else None,
        seed=seed,
        progress=progress,
    )
    for epoch, (coordinates, neighbors) in zip(to_make, maps, strict=True):
        yield epoch, Map(coordinates, neighbors)


class _Read:
    """The embeddings of some epochs, one after the other."""

    def __init__(self, sample: Sample, epochs: Sequence[int]) -> None:
        self.sample, self.epochs = sample, epochs

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[Any]:
        return (self.sample[epoch] for epoch in self.epochs)
