"""Writing of a run: its folder, the files of each epoch, and the newest intact state after a crash.

:mod:`lend.run.layout` lists the files. Each is written whole or not at all, and an epoch's history record last: until
then the epoch does not exist. The caller holds the run's lock, or has the folder to itself.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lend import storage
from lend.inputs import RunConfig, require
from lend.run.layout import CONFIG, GIVEN, RunFolder, numbered
from lend.run.run import Run
from lend.storage import is_temporary

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class EpochResult:
    """What the training loop hands over after an epoch.

    Args:
        epoch: Number of the epoch, from 1.
        row: Its numbers in the history.
        labels: Arrays (n,) of the names ``EPOCH_ARRAYS``.
        snapshot: Embeddings, logits and diluted distribution, if the epoch is a snapshot epoch.
    """

    epoch: int
    row: Mapping[str, float]
    labels: Mapping[str, np.ndarray]
    snapshot: xr.Dataset | None = None


def create(config: RunConfig, given: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> Run:
    """Start the folder of a run: labels first, config.json last.

    Args:
        config: Every setting; names the folder.
        given: Arrays (n,): true and noisy labels, sample ids.
        info: Package versions, device, class names, realised noise rate; JSON values.

    Raises:
        FileExistsError: If the folder holds something that is not this run; nothing is overwritten.
    """
    require_free(config.folder)
    return write(config.folder, config, given, info)


@contextmanager
def lock(folder: Path, use: str | None = None) -> Iterator[None]:
    """Hold the folder of a run, as the one process that writes to it; arguments and errors are of `storage.lock`."""
    with storage.lock(folder / "lock", use):
        yield


def holds_run(path: Path) -> bool:
    """Whether a run was started in this folder."""
    return (path / CONFIG).exists()


def require_free(path: Path) -> None:
    """Raise FileExistsError unless a run can be started in this folder: it has nothing but what a killed start left."""
    # a writer that was killed leaves hidden files; the next one removes them
    strange = [p.name for p in path.glob("*") if p.name not in ("labels", CONFIG, "lock") and not is_temporary(p.name)]
    if strange or holds_run(path):
        raise FileExistsError(f"{path} already exists: it holds {', '.join(strange) or 'another run'}")


def write(path: Path, config: RunConfig, given: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> Run:
    """Start a run as :func:`create` does, in an empty folder of any name."""
    files = {GIVEN: storage.write_arrays(RunFolder(path).given_path, dict(given))}
    record = {"config": asdict(config), "hash": config.hash, "info": dict(info), "files": files}
    storage.write_json(path / CONFIG, record)
    return Run.open(path)


def commit(run: Run, epochs: list[EpochResult], checkpoint: Mapping[str, Any] | None) -> None:
    """Save finished epochs and the state after the last of them; the history records make them count.

    Args:
        run: The run.
        epochs: Results in the order of their epochs, which follow the committed ones.
        checkpoint: Training state after the last of them; None for a run that will not be continued.
    """
    saved = []
    for result in epochs:
        files = {}
        path = run.labels_path(result.epoch)
        files[f"labels/{path.name}"] = storage.write_arrays(path, result.labels)
        if result.snapshot is not None:
            path = run.snapshot_path(result.epoch)
            files[f"snapshots/{path.name}"] = storage.write_zarr(path, result.snapshot)
        saved.append(files)
    if checkpoint is not None:
        name = f"checkpoint/{epochs[-1].epoch:04}.pt"
        saved[-1][name] = storage.write_checkpoint(run.path / name, checkpoint)
    for result, files in zip(epochs, saved, strict=True):
        sizes = {name: (run.path / name).stat().st_size for name in files}
        record = {"row": {"epoch": result.epoch, **result.row}, "files": files, "sizes": sizes}
        storage.write_json(run.history_path(result.epoch), record)
    checkpoints = numbered(run.path / "checkpoint", ".pt")
    for epoch in sorted(checkpoints)[:-2]:
        checkpoints[epoch].unlink()


def restore(run: Run) -> tuple[int, dict[str, Any] | None]:
    """Find the newest intact state and remove all later epochs.

    Returns:
        Its epoch and its checkpoint; (0, None) for a fresh run.

    Raises:
        DamagedFileError: If a file is damaged that no checkpoint can make again; nothing is removed then.
        ValueError: If it is a compact copy; nothing is removed.
    """
    run.require_trainable()
    intact, problem = _intact(run)
    for epoch, path in sorted(numbered(run.path / "checkpoint", ".pt").items(), reverse=True):
        if epoch > intact:
            continue
        try:
            state = storage.read_checkpoint(path, run.record(epoch)["files"].get(f"checkpoint/{path.name}", ""))
        except storage.DamagedFileError as error:
            problem = problem or str(error)
            continue
        if problem:
            print(f"{problem}; going on from the intact state of epoch {epoch}", file=sys.stderr)
        _remove_after(run, epoch)
        return epoch, state
    if not problem and any("checkpoint/" in name for e in range(1, intact + 1) for name in run.record(e)["files"]):
        problem = f"{run.path / 'checkpoint'} is missing the state of its last epoch"
    if problem:
        raise storage.DamagedFileError(f"{problem}; no older state is left, delete {run.path} to train again")
    _remove_after(run, 0)
    return 0, None


def keep(run: Run, epochs: int | None = None) -> int:
    """Remove what a killed writer left in a recorded run, and the epochs after the first so many.

    Args:
        run: The run, which goes on without a state of its own.
        epochs: How many of its epochs stay; all if not given.

    Returns:
        How many there are now.

    Raises:
        ValueError: If it has fewer; nothing is removed then, nor where a file is damaged.
        DamagedFileError: If a file of an epoch that is to stay is damaged.
    """
    done = run.epochs_done
    require(epochs is None or 0 <= epochs <= done, "resume", f"True, or from 0 to {done}, the epochs there", epochs)
    kept = done if epochs is None else epochs
    intact, problem = _intact(run)
    if problem and intact < kept:
        raise storage.DamagedFileError(f"{problem}; {intact} epochs before it are intact, which resume={intact} keeps")
    _remove_after(run, kept)
    return kept


def discard(run: Run) -> None:
    """Remove a run of which no epoch is saved; killed on the way, it leaves what a killed start does."""
    (run.path / CONFIG).unlink()
    shutil.rmtree(run.path, ignore_errors=True)  # some systems keep the lock, which is no harm


def _intact(run: Run) -> tuple[int, str | None]:
    """Number of epochs before the first damaged one, and what is wrong with that; None if all are intact."""
    done = run.epochs_done
    for epoch in range(1, done + 1):
        try:
            run.check_files(epoch)
        except storage.DamagedFileError as error:
            return epoch - 1, str(error)
    return done, None


def _remove_after(run: Run, epoch: int) -> None:
    """Remove what a killed writer left: files of later epochs, temporary files."""
    for folder, ending in (("history", ".json"), ("labels", ".npz"), ("snapshots", ".zarr.zip"), ("checkpoint", ".pt")):
        # the newest first: a run killed in here still has its first epochs without a gap
        for number, path in sorted(numbered(run.path / folder, ending).items(), reverse=True):
            if number > epoch:
                path.unlink()
        for path in (run.path / folder).glob(".*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
