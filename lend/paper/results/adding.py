"""Finished runs into a folder of results: each once, and never two of one name with other numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from lend.inputs import own_code
from lend.paper.results.files import Result, read
from lend.paper.results.originals import ORIGINALS
from lend.run import Run, runs
from lend.storage import DamagedFileError

TIMES = ("seconds",)  # of another machine or hour: no other numbers


class Added(NamedTuple):
    """What :func:`add` did: files that are new, files that were there, and why a run is left out, by its name."""

    new: list[Path]
    known: list[Path]
    left_out: Mapping[str, str]


def add(found: str | Path | Iterable[Run], folder: str | Path) -> Added:
    """Add finished runs to a folder of results. Runs that are there already are left as they are.

    A run is left out, with the reason, where it is unfinished or recorded, where code or a noise matrix is somebody's
    own, where its data are not those of a data set in ORIGINALS, and where a file of it is damaged.

    Args:
        found: A folder of runs, or opened runs.
        folder: Folder of the results; made if it is missing.

    Returns:
        The files, and the runs that were left out.

    Raises:
        FileExistsError: If a result of the same settings has other numbers; then nothing is written.
        FileNotFoundError: If the folder holds no run.
        DamagedFileError: If a result of the same name cannot be read.
    """
    opened = runs(found) if isinstance(found, str | Path) else list(found)
    if not opened and isinstance(found, str | Path):
        raise FileNotFoundError(f"{found} holds no saved run; it must be the folder in which those lie")
    left_out = {run.path.name: reason for run in opened if (reason := _reason(run))}
    taken: dict[Path, Result] = {}
    for run in opened:
        if run.path.name not in left_out:
            try:
                result = Result.of(run)
            except DamagedFileError as error:
                left_out[run.path.name] = str(error)
                continue
            path = Path(folder) / result.file_name
            there = taken.get(path) or (read(path) if path.exists() else None)
            if there is not None:
                _require_equal(path, there, result)
            taken.setdefault(path, result)
    known = [path for path in taken if path.exists()]
    new = [result.write(folder) for path, result in taken.items() if path not in known]
    return Added(new, known, left_out)


def _reason(run: Run) -> str:
    """Why a run is no result; empty if it is one."""
    digest = run.info.get("data_digest")
    if run.recorded is not None:
        return "it is a recorded run"
    if own_code(run.config.identity) or run.config.noise.startswith("matrix:"):
        return "its code or its noise is somebody's own, which nobody else could train again"
    if not run.complete:
        return f"{run.epochs_done} of {run.config.epochs} epochs are done"
    if digest is None:
        return "it does not note the digest of its data, as runs do now"
    if digest not in ORIGINALS:
        return f"its data are not those of the original {', '.join(ORIGINALS.values())}"
    return ""


def _require_equal(path: Path, there: Result, new: Result) -> None:
    """Raise FileExistsError where two histories differ, but for the time that they took."""
    a, b = (result.history.drop(columns=list(TIMES), errors="ignore") for result in (there, new))
    if a.equals(b):
        return
    if list(a.columns) != list(b.columns):
        what = f"its columns are {', '.join(a.columns)} there, {', '.join(b.columns)} here"
    else:
        differs = (a != b) & ~(a.isna() & b.isna())
        epoch, column = differs.stack().idxmax()
        what = f"{column} of epoch {epoch} is {a.loc[epoch, column]} there, {b.loc[epoch, column]} here"
    machines = " and ".join(f"{r.info.get('device')} in {r.info.get('precision')}" for r in (there, new))
    raise FileExistsError(
        f"{path} has the same settings and other numbers ({machines}): {what}; remove it to keep the new run instead"
    )
