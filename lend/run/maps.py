"""Reading of the maps that are cached in a run; :func:`lend.maps.make_maps` makes them."""

from __future__ import annotations

import numpy as np

from lend import storage
from lend.run.layout import ALIGNED, RunFolder


class SavedMaps(RunFolder):
    """The cached t-SNE maps of a run."""

    def map(self, epoch: int, kind: str = ALIGNED) -> np.ndarray:
        """Read the cached t-SNE coordinates of :meth:`map_samples`, (m, 2) float32.

        Raises:
            KeyError: If there is no map; the message names the epochs with one and the command that makes it.
        """
        path = self.map_path(epoch, kind)
        if not path.exists():
            have = sorted(int(p.stem) for p in path.parent.glob("[0-9]*.npz"))
            raise KeyError(
                f"run {self.path.name} has no {kind} map of epoch {epoch}; it has {have}. "
                f"Make it with: lend tsne {self.path} --epochs {epoch}"
            )
        return storage.read_arrays(path)["coordinates"]

    def map_samples(self, kind: str = ALIGNED) -> np.ndarray:
        """Read the positions in the training set of the points of the maps, (m,)."""
        return storage.read_arrays(self.samples_path(kind))["positions"]

    def map_neighbors(self, epoch: int, kind: str = ALIGNED) -> np.ndarray:
        """Read the nearest neighbours of the mapped points in embedding space, as rows of :meth:`map_samples`, (m, 10).

        Raises:
            KeyError: If there is no map of this epoch.
        """
        self.map(epoch, kind)
        return storage.read_arrays(self.map_path(epoch, kind))["neighbors"].astype(np.int64)
