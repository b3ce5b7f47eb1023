"""Reading of config.json: settings that somebody else may have written, checked before they are used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lend import storage
from lend.config import RunConfig
from lend.run.layout import CONFIG


def read_config(folder: Path) -> tuple[RunConfig, Mapping[str, Any]]:
    """Read the settings of the run in this folder, and what was noted about it: versions, device, classes.

    Raises:
        FileNotFoundError: If there is no config.json; the message lists the runs beside the folder.
        DamagedFileError: If config.json was truncated or altered, or is not the record of a run.
        ValueError: If a setting is unknown, of a wrong type or out of range; the message names the file.
    """
    path = folder / CONFIG
    if not path.exists():
        beside = ", ".join(sorted(p.parent.name for p in folder.parent.glob(f"*/{CONFIG}"))) or "none"
        raise FileNotFoundError(f"{folder} is no saved run (it has no {CONFIG}); runs in {folder.parent}: {beside}")
    record = storage.read_json(path)
    settings, info = record.get("config"), record.get("info")
    if not isinstance(settings, Mapping) or not isinstance(info, Mapping):
        raise storage.DamagedFileError(f"{path} is damaged: it is no record of a run, with its config and info")
    try:
        config = RunConfig.from_dict({"data": "data", **settings, "runs": str(folder.parent)})
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{path} has settings that cannot be used: {error}") from error
    _require_info(path, info)
    return config, info


def _require_info(path: Path, info: Mapping[str, Any]) -> None:
    """Raise DamagedFileError where a value that the library reads is of a wrong type; all of them may be missing."""
    kinds = {"note": str, "device": str, "class_names": list, "compact": Mapping}
    for name, kind in kinds.items():
        if info.get(name) is not None and not isinstance(info[name], kind):
            raise storage.DamagedFileError(f"{path} is damaged: info.{name} is {info[name]!r}")


def require_same(saved: RunConfig, asked: RunConfig) -> None:
    """Raise FileExistsError if the folder of these settings holds a run of others."""
    there, here = saved.identity, asked.identity
    other = [f"{name} is {there[name]!r} there, {here[name]!r} here" for name in here if there[name] != here[name]]
    if other:
        raise FileExistsError(f"{asked.folder} already exists, with a run of other settings: {'; '.join(other)}")
