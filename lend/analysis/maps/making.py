"""t-SNE maps of a run's snapshots, cached in the run.

Maps of one kind in a run belong together: all show the same examples, by the same settings. Maps of new settings are
made in a folder of their own, and take the place of the old ones when they are all there.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from lend import storage
from lend.analysis.maps.settings import LEAST, fitting, missing, require_settings, rows_to_map
from lend.analysis.maps.tsne import aligned_tsne
from lend.inputs import is_whole, require
from lend.run import ALIGNED, MAP_POINTS, Run, RunFolder, read_map

UNFINISHED = ".unfinished-maps"  # folder in a run's, where maps of new settings wait until all are there

T = TypeVar("T")
Settings = dict[str, np.ndarray]  # positions, perplexity and seed, as saved beside the maps


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
    Maps of other settings are replaced when all new ones are there; a call that was stopped goes on where it was. A
    damaged map is made anew, with a warning. Maps of a run that cannot be written to go to the user's cache, with a
    warning, too.

    Args:
        run: A run with snapshots.
        epochs: Snapshot epochs; all of the run's if not given.
        aligned: Points keep their place from epoch to epoch; False makes each map on its own.
        points: Examples in the maps, at least 4, a fixed stratified subset of those in the snapshots; 0 takes all.
        perplexity: Effective number of neighbours in t-SNE, at least 1; lowered to (points - 1) / 3 in small runs.
        seed: Seed of the subset and of the first map, at least 0.
        progress: Show a progress bar with the time left.

    Raises:
        KeyError: If an epoch has no snapshot.
        ValueError: If an argument is out of range, or the snapshots hold fewer than 4 examples; saved maps are left as
            they are.
        FloatingPointError: If a map collapses to one point, which those of a few dozen points may; as with every error,
            saved maps of other settings are left.
        InUseError: If another process makes maps of this run.
    """
    require(isinstance(run, Run), "run", "a lend.Run, such as lend.Run.open(folder)", run)
    wanted = _wanted(run, epochs)
    kind, settings = kind_of(aligned), _settings(run, points, perplexity, seed)
    chain = tuple(epoch for epoch in run.epochs if epoch <= wanted[-1]) if aligned else wanted
    if _same_settings(run, kind, settings) and not _missing(run, chain, kind, len(settings["positions"])):
        return  # a run that nobody may write to can still be looked at
    home = run if run.writable else _elsewhere(run)
    with storage.lock(home.path / "maps" / "lock", f"the maps of {home.path} are being made"):
        place = home if _same_settings(home, kind, settings) else _unfinished(home, kind, settings)
        _make(run, place, chain, kind, settings, progress)
        if place is not home:
            _move_into_place(place, home, kind)


def _elsewhere(run: Run) -> RunFolder:
    """The user's own place for the maps of a run that cannot be written to."""
    warnings.warn(f"{run.path} cannot be written to: its maps go to {run.cache}", stacklevel=3)
    return RunFolder(run.cache)


def _wanted(run: Run, epochs: Iterable[int] | None) -> tuple[int, ...]:
    if epochs is None:
        return run.require_snapshots()
    listed = isinstance(epochs, Iterable) and not isinstance(epochs, str)
    given = list(epochs) if listed else []
    require(bool(given) and all(map(is_whole, given)), "epochs", "snapshot epochs such as [1, 3]", epochs)
    return run.require_snapshots(int(epoch) for epoch in given)


def _settings(run: Run, points: int, perplexity: float, seed: int) -> Settings:
    """Check the settings of the maps, and choose their examples."""
    require_settings(points, perplexity, seed)
    samples = run.snapshot_samples
    require(len(samples) >= LEAST, "run", f"one with at least {LEAST} examples in its snapshots", str(run.path))
    noisy = run.labels["noisy"].to_numpy()[samples]
    positions = samples[rows_to_map(noisy, points, seed)]
    return {
        "positions": positions,
        "perplexity": np.array(fitting(perplexity, len(positions))),
        "seed": np.array(int(seed)),
    }


def _same_settings(place: RunFolder, kind: str, settings: Settings) -> bool:
    path = place.samples_path(kind)
    found = _intact(path, lambda: storage.read_arrays(path))
    if found is None:
        return False
    saved = {"seed": np.array(0), **found}  # early maps do not name their seed
    return all(name in saved and np.array_equal(saved[name], value) for name, value in settings.items())


def _unfinished(run: RunFolder, kind: str, settings: Settings) -> RunFolder:
    """A folder of their own for maps that are being made, which holds none but those of these settings."""
    place = RunFolder(run.path / UNFINISHED)
    if not _same_settings(place, kind, settings):
        shutil.rmtree(place.samples_path(kind).parent, ignore_errors=True)
        storage.write_arrays(place.samples_path(kind), settings)
    return place


def _intact(path: Path, read: Callable[[], T]) -> T | None:
    """What is read from a saved file; None where it is missing or, with a warning, damaged: it is made anew."""
    if not path.exists():
        return None
    try:
        return read()
    except storage.DamagedFileError as error:
        warnings.warn(f"{error}; it is made anew", stacklevel=4)
        return None


def _missing(place: RunFolder, wanted: tuple[int, ...], kind: str, points: int) -> list[int]:
    """The epochs whose maps must still be made: of an aligned chain all from the first gap on."""
    paths = {epoch: place.map_path(epoch, kind) for epoch in wanted}
    have = [epoch for epoch, path in paths.items() if _intact(path, partial(read_map, path, points)) is not None]
    return list(missing(wanted, have, kind == ALIGNED))


def _make(run: Run, place: RunFolder, chain: tuple[int, ...], kind: str, settings: Settings, progress: bool) -> None:
    """Make the missing maps of these epochs; each is saved when it is done."""
    to_make = _missing(place, chain, kind, len(settings["positions"]))
    before = chain[: len(chain) - len(to_make)]
    maps = aligned_tsne(
        _Embeddings(run, to_make, settings["positions"]),
        perplexity=float(settings["perplexity"]),
        aligned=kind == ALIGNED,
        start=_coordinates(place, before[-1]) if kind == ALIGNED and before else None,
        seed=int(settings["seed"]),
        progress=progress,
    )
    for epoch, (coordinates, neighbors) in zip(to_make, maps, strict=True):
        run.save_map(epoch, kind, coordinates, neighbors, place)


def _coordinates(place: RunFolder, epoch: int) -> np.ndarray:
    return storage.read_arrays(place.map_path(epoch, ALIGNED))["coordinates"]


def _move_into_place(place: RunFolder, run: RunFolder, kind: str) -> None:
    """Replace the maps of this kind by those that were made apart.

    Killed in here, it leaves the new maps where the next call with the same settings finds them.
    """
    new, old = place.samples_path(kind).parent, run.samples_path(kind).parent
    retired = new.with_name(f"old-{kind}")
    shutil.rmtree(retired, ignore_errors=True)
    if old.exists():
        os.replace(old, retired)
    os.replace(new, old)
    shutil.rmtree(retired, ignore_errors=True)
    with suppress(OSError):  # the other kind may have unfinished maps there
        new.parent.rmdir()
        place.path.rmdir()


class _Embeddings:
    """The embeddings of the mapped examples, read one epoch at a time."""

    def __init__(self, run: Run, epochs: list[int], positions: np.ndarray) -> None:
        self.run, self.epochs, self.positions = run, epochs, positions

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[np.ndarray]:
        for epoch in self.epochs:
            yield self.run.embeddings(epoch)[self.run.snapshot_rows(self.positions)]
