"""Reading of every file of a run, to find the damaged ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lend import storage
from lend.run.layout import numbered
from lend.storage import DamagedFileError

Run = Any  # a run, which itself imports this file


def damages(run: Run) -> list[str]:
    """Return a message for each part of the run with a damaged file: what :meth:`Run.check` returns."""
    return list(dict.fromkeys(storage.damages(_checks(run))))  # a file that many parts need is named once


def _checks(run: Run) -> Iterator[Callable[[], object]]:
    yield partial(_check_given, run)
    if run.compact is not None and run.compact["points"] < run.info.get("examples", 0):
        yield lambda: run.snapshot_samples
    yield partial(_check_records, run)
    for epoch in sorted(numbered(run.path / "history", ".json")):
        if epoch <= run.epochs_done:
            yield partial(_check_epoch, run, epoch)
    for epoch, path in sorted(numbered(run.path / "checkpoint", ".pt").items()):
        if epoch <= run.epochs_done:
            yield partial(_check_listed, run, epoch, f"checkpoint/{path.name}")
    for folder in sorted(path for path in (run.path / "maps").glob("*") if path.is_dir()):
        yield partial(run.map_samples, folder.name)
        for epoch in sorted(numbered(folder, ".npz")):
            yield partial(run.check_map, epoch, folder.name)


def _check_given(run: Run) -> None:
    run.given()
    if run.given_digest is not None:
        storage.check_file(run.given_path, run.given_digest)


def _check_records(run: Run) -> None:
    """Raise DamagedFileError if a history record is missing before the newest, or belongs to no epoch.

    Labels without a record are of an epoch that was not committed, as a training that was killed leaves it; a copy was
    never killed.
    """
    there, done = set(numbered(run.path / "history", ".json")), run.epochs_done
    if len([epoch for epoch in there if epoch <= done]) < done:
        first = next(epoch for epoch in range(1, done + 1) if epoch not in there)
        raise DamagedFileError(f"{run.history_path(first)} is missing, and records of later epochs are there")
    if run.recorded is None and max(there, default=0) > run.config.epochs:
        raise DamagedFileError(f"{run.history_path(max(there))} belongs to no epoch: the run has {run.config.epochs}")
    last = max(numbered(run.path / "labels", ".npz"), default=0)
    if run.compact is not None and last > done:
        raise DamagedFileError(f"{run.history_path(last)} is missing, and labels of the epoch are there")


def _check_epoch(run: Run, epoch: int) -> None:
    run.check_files(epoch)
    run.epoch_labels(epoch)
    if epoch in run.epochs:
        run.snapshot(epoch)


def _check_listed(run: Run, epoch: int, name: str) -> None:
    """Raise DamagedFileError if a file is not what the record of the epoch says, where it says anything of it."""
    record = run.record(epoch)
    if name in record["files"]:
        storage.check_file(run.path / name, record["files"][name], record["sizes"][name])
