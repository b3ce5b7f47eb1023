"""Small copies of saved runs: all labels and numbers, maps, and snapshots with fewer and coarser numbers.

A copy opens like any other run and shows the same figures. It cannot be trained on: it has no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Float16, Int, Int8

from lend import storage
from lend.inputs import RunConfig, own_code, plugins, require
from lend.run import writing
from lend.run.layout import EPOCH_ARRAYS, SEEN, numbered
from lend.run.run import Run
from lend.run.subset import map_subset

FEATURES = 64
LEVELS = 128  # steps of an embedding's numbers from 0 to 1; their multiples are exact in float16


def compact(
    run: Run,
    folder: str | Path,
    *,
    points: int | None = None,
    features: int = FEATURES,
    snapshots: bool | Iterable[int] = True,
    dataset: str | None = None,
    note: str = "",
) -> Run:
    """Write a small copy of a saved run, to send to others or to keep in a repository.

    Settings, and labels and history of every epoch, are those of the run, of all examples. Maps of the chosen
    snapshots are copied as they are. In snapshots, embeddings become unit vectors, turned and cut to the directions
    that keep most of their cosines (an uncentred PCA of each snapshot) and rounded to 1/128; logits and diluted
    distributions become float16 with the same argmax. See :func:`lend.analysis.changes` for what that costs.

    Args:
        run: A run with at least one epoch; not itself a copy.
        folder: Folder of saved runs; the copy gets its own folder in it, named by its settings, or as the recorded run.
        points: Number of examples to keep in snapshots: those of the maps, filled up by class; all of the run's
            snapshots if not given.
        features: Numbers to keep of each embedding, at most as many as it has.
        snapshots: Snapshot epochs to keep; True keeps all, False none.
        dataset: Name of the data set that the copy carries, where others find the same images: such as cifar10, for
            a run of parquet:PATH in the original order. If not given, its own, of a path the last part alone.
        note: What a reader must know about the data, for everyone who opens the copy, such as "images as JPEG".

    Returns:
        The copy.

    Raises:
        ValueError: If an argument is out of range, or the run is itself a copy, or one whose snapshots have no example
            in common.
        KeyError: If a snapshot is asked for that does not exist.
        FileExistsError: If the copy's folder already exists.
        DamagedFileError: If a file of the run is damaged.
    """
    require(isinstance(run, Run), "run", "a lend.Run, such as lend.Run.open(folder)", run)
    require(features >= 1, "features", "at least 1", features)
    require(dataset is None or bool(dataset.strip()), "dataset", "a name such as cifar10", dataset)
    require(run.compact is None, "run", "a whole run", f"{run.path}, a compact copy")
    require(run.epochs_done >= 1, "run", "one with at least one epoch", f"{run.path}")
    epochs = _chosen_epochs(run, snapshots)
    positions = _chosen_points(run, points, epochs)
    config = _public(run.config, dataset)
    # the settings of a recorded run do not tell it from others: its folder does
    target = Path(folder) / (config.folder.name if run.recorded is None else run.path.name)
    if target.exists():
        raise FileExistsError(f"{target} already exists")
    features = min([features, *(run.snapshot(epoch).sizes["feature"] for epoch in epochs)])
    made = {"hash": run.config.hash, "features": features, "points": len(positions), "snapshots": list(epochs)}
    info = {**run.info, "compact": made} | ({"note": note} if note else {})
    with storage.temporary_folder(target) as temporary:
        given = run.given()
        copy = writing.write(temporary / target.name, config, given, info)
        if len(positions) < len(run.labels):
            storage.write_arrays(copy.samples_of_snapshots, {"positions": positions})
        for epoch in range(1, run.epochs_done + 1):
            writing.commit(copy, [_result(run, epoch, positions, features, epoch in epochs)], None)
        _copy_maps(run, copy, epochs)
        copy.path.rename(target)
    return Run.open(target)


def _chosen_epochs(run: Run, snapshots: bool | Iterable[int]) -> tuple[int, ...]:
    if isinstance(snapshots, bool):
        return run.epochs if snapshots else ()
    chosen = tuple(snapshots)
    return run.require_snapshots(chosen) if chosen else ()


def _chosen_points(run: Run, points: int | None, epochs: tuple[int, ...]) -> Int[np.ndarray, " m"]:
    """Positions of the examples to keep in snapshots: all mapped ones, and others by class."""
    everyone = run.require_samples()
    if points is None:
        return everyone
    kinds = {kind for kind, _ in _kinds(run, epochs)}
    mapped = np.unique(np.concatenate([everyone[:0], *(run.map_samples(kind) for kind in kinds)]))
    least = max(1, len(mapped))
    allowed = f"from {least:,}{', those of the maps,' * bool(len(mapped))} to {len(everyone):,}"
    require(least <= points <= len(everyone), "points", allowed, points)
    others = np.setdiff1d(everyone, mapped)
    if points == len(mapped):
        return mapped
    further = map_subset(run.labels["noisy"].to_numpy()[others], points - len(mapped))
    return np.sort(np.concatenate([mapped, others[further]]))


def _public(config: RunConfig, dataset: str | None) -> RunConfig:
    """The configuration without paths and without what belongs to one machine."""
    defaults = RunConfig()
    place = {name: getattr(defaults, name) for name in ("runs", "data", "download", "device", "compile", "tracker")}
    own = {text: plugins.short_name(text) for text in config.sources}
    names: dict[str, Any] = {name: own[text] for name, text in own_code(asdict(config)).items() if text in own}
    for name in ("dataset", "noise"):
        names.setdefault(name, _without_folder(getattr(config, name)))
    if dataset is not None:
        names["dataset"] = dataset
    return replace(config, **names, **place, sources={own[text]: digest for text, digest in config.sources.items()})


def _without_folder(name: str) -> str:
    kind, colon, path = name.partition(":")
    return f"{kind}:{Path(path).absolute().name}" if colon else kind


def _result(run: Run, epoch: int, positions: np.ndarray, features: int, snapshot: bool) -> writing.EpochResult:
    labels = run.epoch_labels(epoch)
    row = {name: value for name, value in run.record(epoch)["row"].items() if name != "epoch"}
    small = _small_snapshot(run, epoch, positions, features) if snapshot else None
    names = EPOCH_ARRAYS if labels[SEEN].all() else (*EPOCH_ARRAYS, SEEN)
    return writing.EpochResult(epoch, row, {name: labels[name] for name in names}, small)


def _small_snapshot(run: Run, epoch: int, positions: np.ndarray, features: int) -> xr.Dataset:
    snapshot, rows = run.snapshot(epoch), run.snapshot_rows(positions)
    embeddings = small_embeddings(run.embeddings(epoch)[rows].astype(np.float32), features)
    arrays = {"embeddings": xr.Variable(("sample", "feature"), embeddings, {"scale_factor": 1 / LEVELS})}
    for name in ("logits", "diluted"):
        arrays[name] = xr.Variable(("sample", "class"), half(snapshot[name].values[rows]))
    return xr.Dataset(arrays)


def small_embeddings(V: Float[np.ndarray, "n d"], features: int) -> Int8[np.ndarray, "n f"]:
    """Turn rows to unit vectors in the basis that keeps most of their cosines, in steps of 1 / LEVELS.

    The Gram matrix of the rows has no nearer one of this rank (Eckart and Young). One step for all features: the
    later ones are small and cost few bits when they are packed.
    """
    units = V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    _, basis = np.linalg.eigh(units.T.astype(np.float64) @ units)
    turned = units @ basis[:, ::-1][:, :features].astype(np.float32)
    return np.rint(LEVELS * turned).clip(1 - LEVELS, LEVELS - 1).astype(np.int8)


def half(values: Float[np.ndarray, "n c"]) -> Float16[np.ndarray, "n c"]:
    """Round to float16 with the same argmax in each row, also where rounding makes two entries equal."""
    most = np.finfo(np.float16).max
    rounded = values.clip(-most / 2, most / 2).astype(np.float16)
    best = values.argmax(axis=1)
    tied = rounded.argmax(axis=1) != best
    rounded[tied, best[tied]] = np.nextafter(rounded[tied].max(axis=1), most)
    return rounded


def _kinds(run: Run, epochs: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """The maps of these epochs, each as its kind and epoch."""
    for folder in sorted(path for path in (run.path / "maps").glob("*") if path.is_dir()):
        for epoch in sorted(numbered(folder, ".npz")):
            if epoch in epochs:
                yield folder.name, epoch


def _copy_maps(run: Run, copy: Run, epochs: tuple[int, ...]) -> None:
    for kind, epoch in _kinds(run, epochs):
        storage.write_arrays(copy.samples_path(kind), storage.read_arrays(run.samples_path(kind)))
        copy.save_map(epoch, kind, run.map(epoch, kind), run.map_neighbors(epoch, kind), copy)
