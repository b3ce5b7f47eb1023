"""A saved run: one folder, opened by people and notebooks.

:mod:`lend.run.layout` lists its files; :mod:`lend.run.writing` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lend import storage
from lend.inputs import RunConfig, require
from lend.run.checking import damages
from lend.run.contents import require_positions, require_snapshot
from lend.run.layout import CONFIG
from lend.run.maps import SavedMaps
from lend.run.measures import History, scores_of
from lend.run.opening import read_config, require_same
from lend.run.records import read_record

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, repr=False)
class Run(SavedMaps):
    """A run on disk; open one with :meth:`open`, find many with :func:`runs`.

    Opening reads one small file. Labels, snapshots and maps are read when asked for, one epoch at a time. A recorded
    run has the epochs that were there when it was opened: open it again to see later ones.

    Args:
        path: The folder.
        config: Every setting.
        info: What was noted when the run began: package versions, device, class names, realised noise rate.
        given_digest: SHA-256 of the file of the given labels; None in early runs, which do not note it.
    """

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Open the run in this folder. Safe for an untrusted run: no code is executed.

        A relative path is one from the working directory of now; a later change of that does not matter.

        Raises:
            FileNotFoundError: If the folder is no run; the message lists the runs beside it.
            DamagedFileError: If its config.json was truncated or altered.
            ValueError: If config.json has a setting that is unknown, of a wrong type or out of range.
        """
        return cls(Path(path).absolute(), *read_config(Path(path)))

    @classmethod
    def find(cls, config: RunConfig) -> Run | None:
        """Return the saved run of this configuration, or None.

        Raises:
            FileExistsError: If the folder holds a run of other settings, or a recorded one.
        """
        if not (config.folder / CONFIG).exists():
            return None
        run = cls.open(config.folder)
        if run.recorded is not None:
            raise FileExistsError(f"{config.folder} already exists: it is a recorded run")
        require_same(run.config, config)
        return run

    def __repr__(self) -> str:
        done = f"{self.epochs_done} epochs"
        if self.recorded is None:
            done = f"{self.epochs_done} of {self.config.epochs} epochs"
        return f"Run({self.path.name}: {done}, snapshots {list(self.epochs)})"

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs whose embeddings are saved, ascending; one whose file was removed is not among them."""
        done, kept = self.epochs_done, self.config.snapshot_epochs
        return tuple(epoch for epoch in kept if epoch <= done and self.snapshot_path(epoch).exists())

    @cached_property
    def _history(self) -> History:
        return History(self)

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch: losses and accuracies (fractions), kept share and precision, seconds.

        ``*_label_accuracy`` is the share of training labels equal to the true ones; the labels of an epoch are those
        of its training passes, batch by batch. NaN where the true labels are unknown, and ``kept_precision`` where
        nothing was kept.
        """
        return self._history.table()

    @property
    def scores(self) -> dict[str, float]:
        """The four scores :attr:`best`, :attr:`last`, :attr:`chosen` and :attr:`ensemble`; NaN where there is none."""
        return scores_of(self.history, self.config.validation)

    @property
    def best(self) -> float:
        """Highest test accuracy of any epoch, an oracle on the test set; NaN before the first epoch."""
        return self.scores["best"]

    @property
    def last(self) -> float:
        """Mean test accuracy of the last ten epochs; NaN before the first epoch."""
        return self.scores["last"]

    @property
    def chosen(self) -> float:
        """Test accuracy of the epoch that is best on the held-out noisy labels; NaN if none were held out."""
        return self.scores["chosen"]

    @property
    def ensemble(self) -> float:
        """As :attr:`last`, of the networks' mean softmax; with one network it is the same number."""
        return self.scores["ensemble"]

    def embeddings(self, epoch: int) -> np.ndarray:
        """The last hidden layer after this epoch, (m, d) float16, in evaluation mode; as recorded in a recorded run.

        Row i is the example at position :attr:`snapshot_samples` [i] of the training set: m is n, and row i example i,
        except in a compact copy that keeps a part, and in a recorded run whose snapshots miss some.
        """
        return self.snapshot(epoch)["embeddings"].values

    def snapshot(self, epoch: int) -> xr.Dataset:
        """Embeddings, logits and diluted distribution after this epoch, opened lazily; dims sample, feature, class.

        Samples are those of :attr:`snapshot_samples`. What a recorded run does not know of one is NaN.

        Raises:
            KeyError: If there is none; the message lists the epochs that exist and the command that makes it.
            DamagedFileError: If the file was truncated or altered.
        """
        self.require_snapshots([epoch])
        path = self.snapshot_path(epoch)
        size = self.record(epoch)["sizes"].get(f"snapshots/{path.name}")
        if size is None:
            raise storage.DamagedFileError(f"{self.history_path(epoch)} is damaged: it names no snapshot")
        if path.stat().st_size != size:
            raise storage.DamagedFileError(f"{path} is damaged: {path.stat().st_size} bytes of {size}")
        snapshot = storage.open_zarr(path)
        held, samples = self._held(epoch), self.snapshot_samples
        require_snapshot(path, snapshot, len(held), len(self.class_names))
        if len(held) > len(samples):
            snapshot = snapshot.isel(sample=np.searchsorted(held, samples))
        return snapshot.assign(embeddings=snapshot["embeddings"].astype(np.float16))  # a compact copy packs them

    def require_snapshots(self, epochs: Iterable[int] | None = None) -> tuple[int, ...]:
        """Return these snapshot epochs, ascending and each once; all saved ones if not given.

        Raises:
            KeyError: If one is not saved, or none is left; the message lists those that are, and the command that
                makes it.
            DamagedFileError: If the file of one was removed.
        """
        saved = self.epochs
        wanted = tuple(sorted(set(saved if epochs is None else epochs)))
        for epoch in wanted or (self.config.epochs,):
            if epoch in saved:
                continue
            if epoch in self._snapshots_to_have and epoch <= self.epochs_done:
                raise storage.DamagedFileError(f"{self.snapshot_path(epoch)} is missing")
            raise KeyError(
                f"run {self.path.name} has no snapshot of epoch {epoch}; it has {list(saved)}. {self._command(epoch)}"
            )
        return wanted

    @property
    def _snapshots_to_have(self) -> tuple[int, ...]:
        """Epochs whose snapshots belong to the run, saved or not."""
        return self.config.snapshot_epochs if self.compact is None else tuple(self.compact["snapshots"])

    @cached_property
    def snapshot_samples(self) -> np.ndarray:
        """Positions in the training set of the samples of the snapshots, (m,), ascending: all, unless a copy left some.

        In a recorded run, those that every snapshot holds: the examples that all snapshot epochs saw.

        Raises:
            DamagedFileError: If the file that says so was truncated, altered or removed.
        """
        n = len(self.labels)
        if self.compact is None and self.recorded is not None:
            seen = [self.seen(epoch) for epoch in self.epochs]
            return np.flatnonzero(np.logical_and.reduce(seen)) if seen else np.arange(n)
        if self.compact is None or self.compact["points"] == n:
            return np.arange(n)
        arrays = storage.read_arrays(self.samples_of_snapshots)
        require_positions(self.samples_of_snapshots, arrays, n)
        return arrays["positions"].astype(np.int64)

    def require_samples(self) -> np.ndarray:
        """Return :attr:`snapshot_samples`.

        Raises:
            ValueError: If there are none: the epochs of the snapshots saw no example in common.
        """
        samples = self.snapshot_samples
        allowed = f"one whose snapshots, of epochs {', '.join(map(str, self.epochs))}, have examples in common"
        require(len(samples) > 0, "run", allowed, self.shown)
        return samples

    def _held(self, epoch: int) -> np.ndarray:
        """Positions in the training set of the samples in the file of a snapshot, ascending."""
        whole = self.compact is None and self.recorded is not None
        return np.flatnonzero(self.seen(epoch)) if whole else self.snapshot_samples

    def snapshot_rows(self, positions: np.ndarray) -> np.ndarray:
        """Find the rows of the snapshots that hold the examples at these positions of the training set.

        Raises:
            ValueError: If the snapshots do not hold one of them.
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

    def snapshot_labels(self, epoch: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        """The labels after this epoch, in evaluation mode, of the examples at these positions of the training set.

        ``predicted`` is the argmax of the logits, ``diluted`` that of the diluted distribution in the graph over all
        training examples, (m,) each; -1 where a recorded run does not know it.

        Raises:
            KeyError: If the epoch has no snapshot.
            ValueError: If the snapshots do not hold one of the examples.
        """
        rows, snapshot, labels = self.snapshot_rows(positions), self.snapshot(epoch), {}
        for name, source in (("predicted", "logits"), ("diluted", "diluted")):
            values = snapshot[source].values[rows]
            labels[name] = np.where(np.isnan(values).any(axis=1), -1, values.argmax(axis=1))
        return labels

    @property
    def dataset(self) -> xr.Dataset:
        """All snapshots as one lazy data set with dims epoch, sample, feature and class.

        Raises:
            KeyError: If the run has no snapshot.
        """
        import xarray as xr

        epochs = self.require_snapshots()
        parts = [self.snapshot(epoch) for epoch in epochs]
        whole = xr.concat(parts, "epoch", join="override", coords="minimal", compat="override", data_vars="all")
        rows = self.snapshot_samples
        labels = {str(name): ("sample", column.to_numpy()[rows]) for name, column in self.labels.items()}
        return whole.assign_coords({"epoch": list(epochs), **labels})

    def record(self, epoch: int) -> dict[str, Any]:
        """Read what was committed with an epoch: its row of the history, and digests and sizes of its files."""
        return read_record(self, epoch)

    def check(self) -> list[str]:
        """Read every file of the run again, maps and checkpoints too, and return a message for each damaged part.

        A snapshot that is missing is named, and a history record that is missing before the newest. A checkpoint that
        is missing is no damage, and labels without a history record are those of an epoch that was not committed.
        """
        return damages(self)

    def check_files(self, epoch: int) -> None:
        """Raise DamagedFileError if a file of this epoch is not what was committed; the checkpoint is not read."""
        record = self.record(epoch)
        for name, digest in record["files"].items():
            if not name.startswith("checkpoint/"):
                storage.check_file(self.path / name, digest, record["sizes"][name])
