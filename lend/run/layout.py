"""Places of a run's files in its folder.

    config.json              every setting, package versions, device, time, realised noise rate
    labels/given.npz         true and noisy labels, sample ids
    labels/0001.npz          predicted, diluted and dominant labels and the kept mask, of every epoch
    snapshots/0030.zarr.zip  embeddings, logits and diluted distribution, of the snapshot epochs
    checkpoint/0012.pt       the two newest training states
    lock                     held by the process that trains the run
    history/0001.json        the numbers of an epoch and the SHA-256 of its files: written last, it commits them
    maps/                    cached projections

An epoch without its history record does not exist. Nothing is ever appended to or changed.

A compact copy (:mod:`lend.run.compacting`) has the same files but no checkpoint; where its snapshots hold a part of the
examples, snapshots/samples.npz says which. A recorded run (:class:`lend.Recorder`) has no checkpoint either, and as
many epochs as are committed.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

CONFIG = "config.json"
GIVEN = "labels/given.npz"
ALIGNED = "aligned"  # maps in which points keep their place
MAP_POINTS = 10_000  # examples in a map, if nothing else is asked for
EPOCH_ARRAYS = ("predicted", "diluted", "dominant", "kept")
SEEN = "seen"  # mask of the examples of an epoch's batches; only where a recorded epoch left some out


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run: where each of its files is, and how many epochs are committed.

    Args:
        path: The folder.
    """

    path: Path

    @property
    def shown(self) -> Path:
        """The folder as a person types it: from the working directory, if it is inside."""
        here = Path.cwd()
        return self.path.relative_to(here) if self.path.is_relative_to(here) else self.path

    @property
    def epochs_done(self) -> int:
        """Number of committed epochs."""
        return epochs_done(self.path)

    @property
    def given_path(self) -> Path:
        """File of the true and noisy labels."""
        return self.path / "labels" / "given.npz"

    @property
    def samples_of_snapshots(self) -> Path:
        """File that says which examples the snapshots of a compact copy hold."""
        return self.path / "snapshots" / "samples.npz"

    def labels_path(self, epoch: int) -> Path:
        """File of the labels of an epoch."""
        return self.path / "labels" / f"{epoch:04}.npz"

    def history_path(self, epoch: int) -> Path:
        """File of the history record of an epoch."""
        return self.path / "history" / f"{epoch:04}.json"

    def snapshot_path(self, epoch: int) -> Path:
        """File of the snapshot of an epoch."""
        return self.path / "snapshots" / f"{epoch:04}.zarr.zip"

    @property
    def writable(self) -> bool:
        """Whether this process may write into the folder."""
        return os.access(self.path, os.W_OK)

    @property
    def cache(self) -> Path:
        """Folder of the user's own for the maps of a run that cannot be written to."""
        content = (self.path / CONFIG).read_bytes() if (self.path / CONFIG).is_file() else b""
        name = hashlib.sha256(bytes(self.path) + content).hexdigest()[:16]
        return user_cache_path("lend") / "maps-of-runs" / name

    def maps_folder(self, kind: str) -> Path:
        """Folder of the maps of a kind: in the run; of a read-only one in the user's cache, if there are any."""
        own = self.path / "maps" / kind
        if self.writable:
            return own
        cached = self.cache / "maps" / kind
        return cached if cached.exists() else own

    def samples_path(self, kind: str) -> Path:
        """File that says which examples the maps of a kind show, and the settings of these maps."""
        return self.maps_folder(kind) / "samples.npz"

    def map_path(self, epoch: int, kind: str) -> Path:
        """File of the map of an epoch."""
        return self.maps_folder(kind) / f"{epoch:04}.npz"


def epochs_done(path: Path) -> int:
    """Return the number of committed epochs of the run in this folder; 0 where there is none."""
    return max(numbered(path / "history", ".json"), default=0)


def numbered(folder: Path, ending: str) -> dict[int, Path]:
    """Return the files of a folder that are named by an epoch, such as 0030.npz; no other file is the run's."""
    if not folder.is_dir():
        return {}
    names = [name for name in os.listdir(folder) if name.endswith(ending)]
    stems = {name: name.removesuffix(ending) for name in names}
    return {
        int(stem): folder / name
        for name, stem in stems.items()
        if stem.isdecimal() and stem.isascii() and len(stem) <= 12 and stem == f"{int(stem):04}" and int(stem) > 0
    }
