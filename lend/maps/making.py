"""t-SNE maps of a run's snapshots, cached in the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from lend import storage
from lend.maps.tsne import aligned_tsne
from lend.run import ALIGNED, MAP_POINTS, Run, map_subset


def kind_of(aligned: bool) -> str:
    """Name the folder of these maps: aligned or independent."""
    return ALIGNED if aligned else "independent"


def make_maps(
    run: Run,
    epochs: Iterable[int] | None = None,
    *,
    aligned: bool = True,
    points: int = MAP_POINTS,
    perplexity: float = 30,
    seed: int = 0,
    progress: bool = True,
) -> None:
    """Compute the missing maps of these snapshot epochs and cache them in the run; each is saved when it is done.

    An aligned map starts from the map of the snapshot before it, so maps of all earlier snapshots are made as well.
    Maps of other settings are replaced.

    Args:
        run: A run with snapshots.
        epochs: Snapshot epochs; all of the run's if not given.
        aligned: Points keep their place from epoch to epoch; False makes each map on its own.
        points: Examples in the maps, a fixed stratified subset of those in the snapshots; 0 takes all.
        perplexity: Effective number of neighbours in t-SNE; lowered to (points - 1) / 3 in small runs.
        seed: Seed of the subset and of the first map.
        progress: Show a progress bar with the time left.

    Raises:
        KeyError: If an epoch has no snapshot.
    """
    wanted = sorted(set(run.epochs if epochs is None else epochs))
    if not wanted or not set(wanted) <= set(run.epochs):
        run.snapshot(next((epoch for epoch in wanted if epoch not in run.epochs), run.config.epochs))  # says what to do
    kind = kind_of(aligned)
    samples = run.snapshot_samples
    noisy = run.labels["noisy"].to_numpy()[samples]
    positions = samples[map_subset(noisy, points or len(noisy), seed)]
    perplexity = min(perplexity, (len(positions) - 1) / 3)
    settings = {"positions": positions, "perplexity": np.array(perplexity), "seed": np.array(seed)}
    if not _same_settings(run, kind, settings):
        for old in run.map_path(0, kind).parent.glob("*.npz"):
            old.unlink()
        storage.write_arrays(run.samples_path(kind), settings)
    have = [epoch for epoch in run.epochs if run.map_path(epoch, kind).exists()]
    if aligned:
        chain = [epoch for epoch in run.epochs if epoch <= wanted[-1]]
        first = next((i for i, epoch in enumerate(chain) if epoch not in have), len(chain))
        missing, start = chain[first:], run.map(chain[first - 1], kind) if first else None
    else:
        missing, start = [epoch for epoch in wanted if epoch not in have], None
    maps = aligned_tsne(
        _Embeddings(run, missing, positions),
        perplexity=float(settings["perplexity"]),
        aligned=aligned,
        start=start,
        seed=seed,
        progress=progress,
    )
    for epoch, (coordinates, neighbors) in zip(missing, maps, strict=True):
        run.save_map(epoch, kind, coordinates, neighbors)


class _Embeddings:
    """The embeddings of the mapped examples, read one epoch at a time."""

    def __init__(self, run: Run, epochs: list[int], positions: np.ndarray) -> None:
        self.run, self.epochs, self.positions = run, epochs, positions

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[np.ndarray]:
        for epoch in self.epochs:
            yield self.run.embeddings(epoch)[self.run.snapshot_rows(self.positions)]


def _same_settings(run: Run, kind: str, settings: dict[str, np.ndarray]) -> bool:
    if not run.samples_path(kind).exists():
        return False
    saved = {"seed": np.array(0), **storage.read_arrays(run.samples_path(kind))}  # early maps do not name their seed
    return all(name in saved and np.array_equal(saved[name], value) for name, value in settings.items())
