"""The mapped examples of a saved run, and the error that says how to make maps where a run has none."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from lend.explorer.inspection.mapped import FIXED, Mapped, shown_type
from lend.explorer.inspection.recent import Recent
from lend.run import ALIGNED, MAP_POINTS, Run

MAPS_KEPT = 4  # maps whose neighbours and shares are kept in memory


class NoMapsError(ValueError):
    """A run that has snapshots, but no maps of them yet.

    Args:
        run: The run.
        seconds: Roughly what making the maps will take.
    """

    def __init__(self, run: Run, seconds: float) -> None:
        self.run, self.seconds = run, seconds
        super().__init__(
            f"run {run.path.name} has no maps yet. Make them with: lend tsne {run.shown}, or in Python with "
            f"lend.maps.make_maps(run); {len(run.epochs)} maps will take {duration(seconds)}"
        )


class MappedRun(Mapped):
    """The mapped examples of a saved run; snapshots are read only when something asks for them.

    Args:
        run: A run with maps.

    Raises:
        NoMapsError: If it has no maps.
        KeyError: If it has no snapshots to make maps of; the message says how to get some.
    """

    def __init__(self, run: Run) -> None:
        snapshots = run.require_snapshots()
        self.map_epochs = tuple(epoch for epoch in snapshots if run.map_path(epoch, ALIGNED).exists())
        if not self.map_epochs:
            raise NoMapsError(run, seconds_of_maps(run))
        self.run, self.title = run, run_title(run)
        self.positions = run.map_samples()
        if not np.isin(self.positions, run.snapshot_samples).all():  # a later recorded snapshot lacks some of them
            raise NoMapsError(run, seconds_of_maps(run))
        given = run.labels.iloc[self.positions]
        self.sample_ids = given.index.to_numpy()
        self.class_names = tuple(run.class_names)
        self.epochs = tuple(range(1, run.epochs_done + 1))
        self._type = shown_type(len(self.class_names))
        self.fixed = {name: given[name].to_numpy().astype(self._type) for name in FIXED}
        if (self.fixed["true"] < 0).all():
            del self.fixed["true"]
        self.by_epoch = {"predicted": "class", "diluted": "class", "kept": "flag"}
        self.ranges = {"agreement": (0.0, 1.0), "score": (0.0, 1.0)}
        self.embeddings, self.after = self._embeddings, self._labels_after
        self._after: Recent[dict[str, np.ndarray]] = Recent(MAPS_KEPT)
        self._shares: Recent[np.ndarray] = Recent(2 * MAPS_KEPT)
        self._neighbors: Recent[np.ndarray] = Recent(MAPS_KEPT)

    def places(self, map_epoch: int) -> Float[np.ndarray, "m 2"]:
        return self.run.map(map_epoch)

    def labels(self, epoch: int) -> dict[str, np.ndarray]:
        """Return predicted and diluted codes and the kept mask of an epoch's training passes, (m,) each.

        Also the mask of the examples that a recorded epoch saw, where it left some out.
        """
        labels = {name: values[self.positions] for name, values in self.run.epoch_labels(epoch).items()}
        seen = {} if labels["seen"].all() else {"seen": labels["seen"]}
        codes = {name: labels[name].astype(self._type) for name in ("predicted", "diluted")}
        return codes | {"kept": labels["kept"]} | seen

    def _labels_after(self, map_epoch: int) -> dict[str, np.ndarray]:
        return self._after.get(map_epoch, lambda: self._read_after(map_epoch))

    def _read_after(self, map_epoch: int) -> dict[str, np.ndarray]:
        labels = self.run.snapshot_labels(map_epoch, self.positions)
        return {name: codes.astype(self._type) for name, codes in labels.items()}

    def share(self, name: str, epoch: int, map_epoch: int) -> Float[np.ndarray, " m"]:
        """Return agreement or score after the snapshot of a map."""
        make = {"agreement": self._agreement, "score": self._score}[name]
        return self._shares.get((name, map_epoch), lambda: make(map_epoch))

    def _agreement(self, map_epoch: int) -> Float[np.ndarray, " m"]:
        noisy = self.fixed["noisy"]
        theirs = noisy[self.neighbors(map_epoch)]
        known = (theirs >= 0) & (noisy >= 0)[:, None]
        agreeing, count = ((theirs == noisy[:, None]) & known).sum(axis=1), known.sum(axis=1)
        return np.where(count > 0, agreeing / np.maximum(count, 1), np.nan).astype(np.float32)

    def _score(self, map_epoch: int) -> Float[np.ndarray, " m"]:
        rows = self.run.snapshot_rows(self.positions)
        diluted = self.run.snapshot(map_epoch)["diluted"].values[rows].astype(np.float32)
        noisy = self.fixed["noisy"]
        return np.where(noisy >= 0, diluted[np.arange(len(diluted)), noisy], np.nan).clip(0, 1)

    def neighbors(self, map_epoch: int) -> Int[np.ndarray, "m k"]:
        return self._neighbors.get(map_epoch, lambda: self.run.map_neighbors(map_epoch).astype(np.int32))

    def _embeddings(self, map_epoch: int) -> Float[np.ndarray, "m d"]:
        return self.run.embeddings(map_epoch)[self.run.snapshot_rows(self.positions)]


def run_title(run: Run) -> str:
    """Return what tells a run from others, in a line: data, noise, method, seed."""
    config = run.config
    data = config.dataset.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    data += f" ({run.note})" if run.note else ""
    return f"{data}: {config.noise_title}, {config.method}, seed {config.seed}"


def seconds_of_maps(run: Run) -> float:
    """Estimate how many seconds the maps of all snapshots take on two cores; measured at 128 features."""
    n = min(MAP_POINTS, len(run.snapshot_samples))
    first, following = 3e-3 * n, 1.5e-3 * n  # a following map starts from the one before
    return first + following * (len(run.epochs) - 1)


def duration(seconds: float) -> str:
    """Return a rough time in words: "about 30 seconds", "about 2 minutes"."""
    if seconds < 90:
        return f"about {max(round(seconds, -1), 5):.0f} seconds"
    return f"about {round(seconds / 60)} minutes"
