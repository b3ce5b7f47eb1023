"""The run that a recorder writes to: a new one, or one that goes on."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from lend.inputs import RunConfig, require
from lend.recording.given import Given
from lend.run import Run, writing

PACKAGES = ("lend", "torch", "numpy", "zarr", "xarray")


def require_usable(folder: Path, resume: bool | int) -> None:
    """Raise before anything is written, the lock too, where a folder cannot take the run.

    Args:
        folder: Folder of the run.
        resume: Whether a run that is there is to go on; a number asks for its first epochs.

    Raises:
        FileExistsError: If it holds something else, or a run that is not to go on.
        ValueError: If it holds a run that cannot go on, or none where its first epochs are asked for.
    """
    if not writing.holds_run(folder):
        first = f"that of the run with the first {resume} epochs"
        require(isinstance(resume, bool) or resume == 0, "folder", first, f"{folder}, which holds none")
        writing.require_free(folder)
        return
    if resume is False:
        raise FileExistsError(f"{folder} already exists: go on with it by resume=True, or record into another folder")
    run = Run.open(folder)
    allowed = "the folder of a run that was recorded"
    require(run.recorded is not None, "folder", allowed, f"{folder}, which lend trained")
    require(run.compact is None, "folder", allowed, f"{folder}, a compact copy")


def open_or_create(folder: Path, config: RunConfig, given: Given, scope: str, resume: bool | int) -> tuple[Run, int]:
    """Return the run of a folder, and how many epochs of it stay.

    The caller holds the lock of the folder, which :func:`require_usable` has seen.

    Args:
        folder: Folder of the run.
        config: Its settings.
        given: Its examples.
        scope: Where labels are diluted, "batch" or "dataset".
        resume: Whether to go on with a run that is there; a number is that of the epochs to keep of it.

    Raises:
        ValueError: If the run there is of other examples or settings, or has fewer epochs.
        DamagedFileError: If a file of the run is damaged; nothing is removed then.
    """
    if not writing.holds_run(folder):
        return writing.write(folder, config, given.arrays(), _info(given, scope)), 0
    run = Run.open(folder)
    _require_same(run, config, given, scope)
    done = writing.keep(run, None if isinstance(resume, bool) else resume)
    return Run.open(folder), done


def _info(given: Given, scope: str) -> dict[str, Any]:
    """Return what config.json says of a recorded run beside its settings."""
    return {
        "recorded": {"scope": scope},
        "class_names": list(given.class_names),
        "examples": len(given),
        "realised_noise_rate": given.noise_rate,
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _require_same(run: Run, config: RunConfig, given: Given, scope: str) -> None:
    """Raise ValueError unless a run has these examples and settings."""
    saved, asked = run.given(), given.arrays()
    for argument, name in (("labels", "noisy"), ("true_labels", "true"), ("sample_ids", "sample_id")):
        other = "" if np.array_equal(saved[name], asked[name]) else _difference(saved[name], asked[name])
        require(not other, argument, f"those of {run.path}, which goes on", other)
    require(run.class_names == given.class_names, "class_names", f"those of {run.path}", given.class_names)
    there = {**_settings(run.config), "scope": (run.recorded or {}).get("scope")}
    for name, value in {**_settings(config), "scope": scope}.items():
        require(value == there[name], name, f"that of {run.path}, {there[name]!r}", value)


def _settings(config: RunConfig) -> Mapping[str, Any]:
    """The settings that belong to a recorded run from its beginning."""
    return {name: value for name, value in config.identity.items() if name not in ("epochs", "snapshots")}


def _difference(saved: np.ndarray, asked: np.ndarray) -> str:
    if len(saved) != len(asked):
        return f"{len(asked):,} instead of {len(saved):,}"
    return f"{int((saved != asked).sum()):,} of {len(saved):,} differ"
