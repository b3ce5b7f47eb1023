"""Maps that are kept in a folder, each in a file named by what it was made of: other numbers never get an old map."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int

from lend import storage
from lend.analysis.maps.sample import numbers_of
from lend.run import require_map

VERSION = b"lend map 1"  # of the way in which maps are made; another one asks for other files


class Map(NamedTuple):
    """A map of m points.

    Args:
        coordinates: (m, 2) float32.
        neighbors: The nearest neighbours of each in embedding space, the nearest first, (m, at most 10).
    """

    coordinates: Float32[np.ndarray, "m 2"]
    neighbors: Int[np.ndarray, "m k"]


def map_key(matrix: Any, perplexity: float, seed: int, before: str) -> str:  # noqa: ANN401 (what as_matrix returns)
    """SHA-256 of all that a map is made of.

    Args:
        matrix: The embeddings of its points.
        perplexity: Of the map.
        seed: Of the map.
        before: Key of the map that it starts from; empty if it starts from none.
    """
    digest = hashlib.sha256(VERSION)
    digest.update(f"{perplexity!r} {seed} {before} {tuple(matrix.shape)}".encode())
    for part in numbers_of(matrix):
        digest.update(part.dtype.str.encode())
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def read_map(folder: Path, key: str, m: int) -> Map | None:
    """Read the map of this key; None if it is not kept.

    Raises:
        DamagedFileError: If its file is no map of m points.
    """
    path = _path(folder, key)
    if not path.exists():
        return None
    arrays = storage.read_arrays(path)
    require_map(path, arrays, m)
    return Map(arrays["coordinates"].astype(np.float32), arrays["neighbors"].astype(np.int64))


def write_map(folder: Path, key: str, made: Map) -> None:
    """Keep a map, whole or not at all."""
    arrays = {"coordinates": made.coordinates, "neighbors": made.neighbors.astype(np.int32)}
    storage.write_arrays(_path(folder, key), arrays)


def _path(folder: Path, key: str) -> Path:
    return folder / f"tsne-{key[:32]}.npz"
