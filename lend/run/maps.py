"""The maps that are cached in a run; :func:`lend.analysis.make_maps` makes them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from lend import storage
from lend.run.contents import require_map, require_positions
from lend.run.labels import SavedLabels
from lend.run.layout import ALIGNED, RunFolder, numbered
from lend.run.records import read_record


def read_map(path: Path, points: int) -> dict[str, np.ndarray]:
    """Read the file of a map of so many points.

    Raises:
        DamagedFileError: If it is missing or damaged, or another map.
    """
    arrays = storage.read_arrays(path)
    require_map(path, arrays, points)
    return arrays


class SavedMaps(SavedLabels):
    """The cached t-SNE maps of a run."""

    def map(self, epoch: int, kind: str = ALIGNED) -> np.ndarray:
        """Read the cached t-SNE coordinates of :meth:`map_samples`, (m, 2) float32.

        Raises:
            KeyError: If there is no map; the message names the epochs with one and the command that makes it.
            DamagedFileError: If its file, or that of the mapped examples, was truncated, altered or removed.
        """
        return self._read_map(epoch, kind)["coordinates"]

    def map_samples(self, kind: str = ALIGNED) -> np.ndarray:
        """Read the positions in the training set of the points of the maps, (m,)."""
        path = self.samples_path(kind)
        arrays = storage.read_arrays(path)
        require_positions(path, arrays, self.examples)
        return arrays["positions"]

    def map_neighbors(self, epoch: int, kind: str = ALIGNED) -> np.ndarray:
        """Read the nearest neighbours of the mapped points in embedding space, as rows of :meth:`map_samples`, (m, 10).

        Raises:
            KeyError: If there is no map of this epoch.
        """
        return self._read_map(epoch, kind)["neighbors"].astype(np.int64)

    def save_map(self, epoch: int, kind: str, coordinates: np.ndarray, neighbors: np.ndarray, place: RunFolder) -> None:
        """Write the map of an epoch, after the file of the mapped examples.

        Args:
            epoch: Its epoch.
            kind: Name of the folder: aligned or independent.
            coordinates: Of the points of :meth:`map_samples`, (m, 2) float32.
            neighbors: Their nearest neighbours as rows of the map, (m, 10).
            place: Folder with the layout of a run in which both files belong: the run itself, or one that holds maps
                while they are made.
        """
        positions = storage.read_arrays(place.samples_path(kind))["positions"]
        arrays = {"coordinates": coordinates, "neighbors": neighbors.astype(np.int32)}
        storage.write_arrays(place.map_path(epoch, kind), arrays | {"source": self._source(epoch, positions)})

    def check_map(self, epoch: int, kind: str) -> None:
        """Raise DamagedFileError if a map is damaged, or was made of another snapshot or other examples."""
        arrays, source = self._read_map(epoch, kind), self._source(epoch, self.map_samples(kind))
        if "source" in arrays and not np.array_equal(arrays["source"], source):  # early maps have none
            raise storage.DamagedFileError(f"{self.map_path(epoch, kind)} is the map of another snapshot")

    def _read_map(self, epoch: int, kind: str) -> dict[str, np.ndarray]:
        path = self.map_path(epoch, kind)
        if not path.exists():
            have = sorted(numbered(path.parent, ".npz"))
            raise KeyError(
                f"run {self.path.name} has no {kind} map of epoch {epoch}; it has {have}. "
                f"Make it with: lend tsne {self.shown} --epochs {epoch}"
            )
        return read_map(path, len(self.map_samples(kind)))

    def _source(self, epoch: int, positions: np.ndarray) -> np.ndarray:
        """SHA-256 of what a map is made of, (32,) uint8: the digest of the snapshot, and the mapped examples."""
        snapshot = read_record(self, epoch)["files"].get(f"snapshots/{self.snapshot_path(epoch).name}", "")
        content = snapshot.encode() + positions.astype("<i8").tobytes()
        return np.frombuffer(hashlib.sha256(content).digest(), np.uint8)
