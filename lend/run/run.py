"""A saved run: one folder, opened by people and notebooks; :mod:`lend.run.writing` writes it.

    config.json              every setting, package versions, device, time; what the noise came to
    labels/given.npz         true and noisy labels, sample ids
    labels/0001.npz          predicted, diluted and dominant labels and the kept mask, of every epoch
    snapshots/0030.zarr.zip  embeddings, logits and diluted distribution, of the snapshot epochs
    checkpoint/0012.pt       the two newest training states
    lock                     held by the process that trains the run
    history/0001.json        the numbers of an epoch and the SHA-256 of its files: written last, it commits them
    maps/                    cached projections

An epoch without its history record does not exist. Nothing is ever appended to or changed.

A compact copy (:mod:`lend.run.compacting`) has the same files but no checkpoint; where its snapshots hold a part of the
examples, snapshots/samples.npz says which.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lend import storage
from lend.config import RunConfig

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

LAST = 10  # "last" is the mean test accuracy of this many final epochs, as in the paper
ALIGNED = "aligned"  # maps in which points keep their place
MAP_POINTS = 10_000  # examples in a map, if nothing else is asked for
EPOCH_ARRAYS = ("predicted", "diluted", "dominant", "kept")


@dataclass(frozen=True, repr=False)
class Run:
    """A run on disk; open one with :meth:`open`, find many with :func:`runs`.

    Opening reads one small file. Labels, snapshots and maps are read when asked for, one epoch at a time.
    """

    path: Path
    config: RunConfig
    info: Mapping[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Open the run in this folder. Safe for a run of a stranger: no code is executed.

        Raises:
            FileNotFoundError: If the folder is no run; the message lists the runs beside it.
            DamagedFileError: If its config.json was truncated or altered.
        """
        path = Path(path)
        if not (path / "config.json").exists():
            beside = ", ".join(sorted(p.parent.name for p in path.parent.glob("*/config.json"))) or "none"
            raise FileNotFoundError(f"{path} is no saved run (it has no config.json); runs in {path.parent}: {beside}")
        record = storage.read_json(path / "config.json")
        place = {"runs": str(path.parent), "data": record["config"].get("data", "data")}
        return cls(path, RunConfig.from_dict(record["config"] | place), record["info"])

    @classmethod
    def find(cls, config: RunConfig) -> Run | None:
        """The saved run of this configuration, or None.

        Raises:
            FileExistsError: If the folder holds a run of other settings.
        """
        if not (config.folder / "config.json").exists():
            return None
        run = cls.open(config.folder)
        saved, asked = run.config.identity, config.identity
        other = [
            f"{name} is {saved[name]!r} there, {asked[name]!r} here" for name in asked if saved[name] != asked[name]
        ]
        if other:
            raise FileExistsError(f"{config.folder} is in the way, a run of other settings: {'; '.join(other)}")
        return run

    def __repr__(self) -> str:
        done = f"{self.epochs_done} of {self.config.epochs} epochs"
        return f"Run({self.path.name}: {done}, snapshots {list(self.epochs)})"

    @property
    def epochs_done(self) -> int:
        """Committed epochs."""
        return epochs_done(self.path)

    @property
    def complete(self) -> bool:
        return self.epochs_done == self.config.epochs

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs whose embeddings are saved."""
        done = self.epochs_done
        return tuple(epoch for epoch in self.config.snapshots if epoch <= done and self.snapshot_path(epoch).exists())

    @property
    def compact(self) -> Mapping[str, Any] | None:
        """Of a compact copy: hash of the whole run; features, points and snapshots that are left. Else None."""
        return self.info.get("compact")

    @property
    def note(self) -> str:
        """What a reader must know of the data and its name does not say; empty if nothing."""
        return self.info.get("note", self.config.note)  # a copy may have one of its own

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.info["class_names"])

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch: losses and accuracies (fractions), kept share and precision, seconds.

        ``*_label_accuracy`` is the share of training labels equal to the true ones; the labels of an epoch are those
        of its training passes, batch by batch. NaN where the true labels are unknown, and ``kept_precision`` where
        nothing was kept.
        """
        import pandas as pd

        rows = [self.record(epoch)["row"] for epoch in range(1, self.epochs_done + 1)]
        return pd.DataFrame(rows).set_index("epoch") if rows else pd.DataFrame()

    @property
    def best(self) -> float:
        """Highest test accuracy of any epoch: an oracle, since it looks at the test set."""
        return float(self.history["test_accuracy"].max())

    @property
    def last(self) -> float:
        """Mean test accuracy of the last ten epochs."""
        return float(self.history["test_accuracy"].iloc[-LAST:].mean())

    @property
    def chosen(self) -> float:
        """Test accuracy of the epoch that is best on the held-out noisy labels; NaN if none were held out."""
        history = self.history
        known = self.config.validation > 0
        return float(history["test_accuracy"][history["validation_accuracy"].idxmax()]) if known else float("nan")

    @property
    def ensemble(self) -> float:
        """As :attr:`last`, of the networks' mean softmax; with one network it is the same number."""
        return float(self.history["ensemble_accuracy"].iloc[-LAST:].mean())

    @cached_property
    def labels(self) -> pd.DataFrame:
        """True and noisy label of each training example, by sample id; true is -1 where it is unknown."""
        import pandas as pd

        arrays = storage.read_arrays(self.path / "labels" / "given.npz")
        index = pd.Index(arrays["sample_id"], name="sample_id")
        return pd.DataFrame({name: arrays[name].astype(np.int64) for name in ("true", "noisy")}, index=index)

    def epoch_labels(self, epoch: int) -> dict[str, np.ndarray]:
        """Predicted, diluted and dominant labels and the kept mask of this epoch's training passes, each (n,).

        One read for those who want several of them; integers are as small as they are saved.

        Raises:
            KeyError: If the run has no such epoch; the message names the command that makes it.
        """
        if not self.history_path(epoch).exists():
            raise KeyError(
                f"run {self.path.name} has no epoch {epoch}; it has 1 to {self.epochs_done}. {self._command(epoch)}"
            )
        return storage.read_arrays(self.path / "labels" / f"{epoch:04}.npz")

    def predicted(self, epoch: int) -> np.ndarray:
        """The network's labels in this epoch's training passes, (n,)."""
        return self.epoch_labels(epoch)["predicted"].astype(np.int64)

    def diluted(self, epoch: int) -> np.ndarray:
        """The argmax of Eq. (3) in this epoch's batches, (n,)."""
        return self.epoch_labels(epoch)["diluted"].astype(np.int64)

    def dominant(self, epoch: int) -> np.ndarray:
        """The dominant labels (Definition 1) in this epoch's batches, (n,)."""
        return self.epoch_labels(epoch)["dominant"].astype(np.int64)

    def kept(self, epoch: int) -> np.ndarray:
        """Which examples the method trained on in this epoch, (n,) bool."""
        return self.epoch_labels(epoch)["kept"]

    def embeddings(self, epoch: int) -> np.ndarray:
        """The last hidden layer after this epoch, (m, d) float16, in evaluation mode.

        Row i is the example at position :attr:`snapshot_samples` [i] of the training set: m is n, and row i example i,
        except in a compact copy that keeps a part.
        """
        try:
            return self.snapshot(epoch)["embeddings"].values
        except zipfile.BadZipFile as error:  # the checksum of a chunk, which zarr reads only now
            raise storage.DamagedFileError(f"{self.snapshot_path(epoch)} is damaged: {error}") from None

    def snapshot(self, epoch: int) -> xr.Dataset:
        """Embeddings, logits and diluted distribution after this epoch, opened lazily; dims sample, feature, class.

        Samples are those of :attr:`snapshot_samples`.

        Raises:
            KeyError: If there is none; the message lists the epochs that exist and the command that makes it.
            DamagedFileError: If the file was truncated or altered.
        """
        path = self.snapshot_path(epoch)
        if epoch not in self.epochs:
            missing = epoch in self._wanted and epoch <= self.epochs_done
            if missing:
                raise storage.DamagedFileError(f"{path} is missing")
            raise KeyError(
                f"run {self.path.name} has no snapshot of epoch {epoch}; it has {list(self.epochs)}. "
                f"{self._command(epoch)}"
            )
        size = self.record(epoch)["sizes"][f"snapshots/{path.name}"]
        if path.stat().st_size != size:
            raise storage.DamagedFileError(f"{path} is damaged: {path.stat().st_size} bytes of {size}")
        snapshot = storage.open_zarr(path)
        return snapshot.assign(embeddings=snapshot["embeddings"].astype(np.float16))  # a compact copy packs them

    @property
    def _wanted(self) -> tuple[int, ...]:
        """Epochs whose snapshots belong to the run."""
        return self.config.snapshots if self.compact is None else tuple(self.compact["snapshots"])

    @cached_property
    def snapshot_samples(self) -> np.ndarray:
        """Positions in the training set of the samples of the snapshots, (m,), ascending: all, unless a copy left some.

        Raises:
            DamagedFileError: If the file that says so was truncated, altered or removed.
        """
        n = len(self.labels)
        if self.compact is None or self.compact["points"] == n:
            return np.arange(n)
        return storage.read_arrays(self.samples_of_snapshots)["positions"].astype(np.int64)

    def snapshot_rows(self, positions: np.ndarray) -> np.ndarray:
        """Where the snapshots hold the examples at these positions of the training set.

        Raises:
            ValueError: If they do not hold one.
        """
        samples, positions = self.snapshot_samples, np.asarray(positions)
        rows = np.searchsorted(samples, positions)
        strange = positions[samples.take(rows, mode="clip") != positions]
        if len(strange):
            raise ValueError(
                f"positions must be among the {len(samples):,} examples in the snapshots of run {self.path}, "
                f"got {strange[:5].tolist()}"
            )
        return rows

    @property
    def samples_of_snapshots(self) -> Path:
        return self.path / "snapshots" / "samples.npz"

    @property
    def dataset(self) -> xr.Dataset:
        """All snapshots as one lazy data set with dims epoch, sample, feature and class."""
        import xarray as xr

        if not self.epochs:
            self.snapshot(self.config.epochs)  # says what is missing, and how to make it
        parts = [self.snapshot(epoch) for epoch in self.epochs]
        whole = xr.concat(parts, "epoch", join="override", coords="minimal", compat="override", data_vars="all")
        labels = {name: ("sample", self.labels[name].to_numpy()[self.snapshot_samples]) for name in self.labels}
        return whole.assign_coords(epoch=list(self.epochs), **labels)

    def map(self, epoch: int, kind: str = ALIGNED) -> np.ndarray:
        """Cached t-SNE coordinates of :meth:`map_samples`, (m, 2) float32.

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
        """Positions in the training set of the points of the maps, (m,)."""
        return storage.read_arrays(self.samples_path(kind))["positions"]

    def map_neighbors(self, epoch: int, kind: str = ALIGNED) -> np.ndarray:
        """The nearest neighbours of each mapped point in embedding space, positions in :meth:`map_samples`, (m, 10)."""
        self.map(epoch, kind)
        return storage.read_arrays(self.map_path(epoch, kind))["neighbors"].astype(np.int64)

    def history_path(self, epoch: int) -> Path:
        return self.path / "history" / f"{epoch:04}.json"

    def snapshot_path(self, epoch: int) -> Path:
        return self.path / "snapshots" / f"{epoch:04}.zarr.zip"

    def samples_path(self, kind: str) -> Path:
        return self.path / "maps" / kind / "samples.npz"

    def map_path(self, epoch: int, kind: str) -> Path:
        return self.path / "maps" / kind / f"{epoch:04}.npz"

    def record(self, epoch: int) -> dict[str, Any]:
        """What was committed with an epoch: its row of the history, and digests and sizes of its files."""
        return storage.read_json(self.history_path(epoch))

    def check(self) -> list[str]:
        """Read every file; the names of the damaged ones."""
        damaged = []
        for epoch in range(self.epochs_done + 1):
            try:
                self.check_epoch(epoch) if epoch else self._check_samples()
            except storage.DamagedFileError as error:
                damaged.append(str(error))
        return damaged

    def _check_samples(self) -> None:
        """What belongs to no epoch, read anew."""
        n = len(storage.read_arrays(self.path / "labels" / "given.npz")["sample_id"])
        if self.compact is not None and self.compact["points"] < n:
            storage.read_arrays(self.samples_of_snapshots)

    def check_epoch(self, epoch: int) -> None:
        """Raise DamagedFileError if a file of this epoch is not what was committed; the checkpoint is not read."""
        for name, digest in self.record(epoch)["files"].items():
            if not name.startswith("checkpoint/"):
                storage.check_file(self.path / name, digest)

    def _command(self, epoch: int) -> str:
        if self.compact is not None:
            return "It is a compact copy, which cannot be trained on"
        if epoch in self.config.snapshots:
            return f"Go on with: lend train --like {self.path}"
        if epoch <= self.config.epochs:
            wanted = ",".join(str(e) for e in sorted({*self.config.snapshots, epoch}))
            return f"A new run with: lend train --like {self.path} --snapshots {wanted}"
        return f"Its configuration ends at epoch {self.config.epochs}; train a longer one with lend train --epochs"

    def require_trainable(self) -> None:
        """Raise ValueError if this is a compact copy."""
        if self.compact is not None:
            raise ValueError(
                f"{self.path} is a compact copy, without the network: it cannot be trained on. Train a run of its "
                f"settings in another folder with: lend train --like {self.path} --runs FOLDER"
            )


def epochs_done(path: Path) -> int:
    """Committed epochs of the run in this folder; 0 where there is none."""
    return max((int(p.stem) for p in (path / "history").glob("[0-9]*.json")), default=0)


def runs(folder: str | Path = "runs") -> list[Run]:
    """All saved runs in a folder, by name. One that cannot be opened is left out with a warning that names it."""
    found = []
    for path in sorted(Path(folder).glob("*/config.json")):
        try:
            found.append(Run.open(path.parent))
        except storage.DamagedFileError as error:
            warnings.warn(str(error), stacklevel=2)
    return found
