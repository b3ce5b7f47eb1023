"""Reading of config.json: settings that somebody else may have written, checked before they are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lend import storage
from lend.inputs import RunConfig, is_real, is_whole, own_code, saved_config
from lend.run.layout import CONFIG, GIVEN, epochs_done, numbered
from lend.run.records import is_digest

MOST_EPOCHS = 1_000_000


def read_config(folder: Path) -> tuple[RunConfig, Mapping[str, Any], str | None]:
    """Read the settings of the run in this folder, and what was noted about it (versions, device, classes), and
    the SHA-256 of its given labels, which early runs do not note.

    Raises:
        FileNotFoundError: If there is no config.json; the message lists the runs beside the folder.
        DamagedFileError: If config.json was truncated or altered, or is not the record of a run.
        ValueError: If a setting is unknown, of a wrong type or out of range; the message names the file.
    """
    path = folder / CONFIG
    if not path.exists() and not path.is_symlink():
        beside = ", ".join(sorted(p.parent.name for p in folder.parent.glob(f"*/{CONFIG}"))) or "none"
        raise FileNotFoundError(f"{folder} is no saved run (it has no {CONFIG}); runs in {folder.parent}: {beside}")
    record = storage.read_json(path)
    settings, info = record.get("config"), record.get("info")
    if not isinstance(settings, Mapping) or not isinstance(info, Mapping):
        raise storage.DamagedFileError(f"{path} is damaged: it is no record of a run, with its config and info")
    recorded = info.get("recorded") is not None
    if recorded:
        settings = {**settings, **_recorded_so_far(folder)}
    else:
        _require_sources(path, settings)
    try:
        config = saved_config({"data": "data", **settings, "runs": str(folder.parent)}, recorded)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{path} has settings that cannot be used: {error}") from error
    if config.epochs > MOST_EPOCHS:
        raise ValueError(f"{path} has settings that cannot be used: more than {MOST_EPOCHS:,} epochs")
    digest = _digest(record.get("files", {}))
    for name, allowed in INFO.items():
        if info.get(name) is not None and not allowed(info[name]):
            raise storage.DamagedFileError(f"{path} is damaged: info.{name} is {_short(info[name])}")
    if not _names(info.get("class_names")):
        raise storage.DamagedFileError(f"{path} is damaged: info.class_names is {_short(info.get('class_names'))}")
    if digest is not None and not is_digest(digest):
        raise storage.DamagedFileError(f"{path} is damaged: files is {_short(record['files'])}")
    return config, info, digest


def _require_sources(path: Path, settings: Mapping[str, Any]) -> None:
    """Raise DamagedFileError where a digest of own code is missing: making it would read a file that others named."""
    sources = settings.get("sources")
    for name, text in own_code(settings).items():
        if not isinstance(sources, Mapping) or text not in sources:
            raise storage.DamagedFileError(f"{path} is damaged: config.sources has no digest of {name} {text!r}")


def _recorded_so_far(folder: Path) -> dict[str, Any]:
    """The settings that nobody knows before a recording ends: its epochs and snapshots are those that are there."""
    done = epochs_done(folder)
    snapshots = [epoch for epoch in sorted(numbered(folder / "snapshots", ".zarr.zip")) if epoch <= done]
    return {"epochs": max(1, done), "snapshots": snapshots}


def _digest(files: Any) -> Any:  # noqa: ANN401 (anything that JSON can say)
    return files.get(GIVEN) if isinstance(files, Mapping) else files


def _count(value: object) -> bool:
    return is_whole(value) and value >= 0


def _names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _compact(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("hash"), str)
        and _count(value.get("points"))
        and _count(value.get("features"))
        and isinstance(value.get("snapshots"), list)
        and all(_count(epoch) for epoch in value["snapshots"])
    )


def _recorded(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("scope") in ("batch", "dataset")


def _options(value: object) -> bool:
    return isinstance(value, Mapping)


def _text(value: object) -> bool:
    return isinstance(value, str)


INFO: Mapping[str, Callable[[object], bool]] = {  # what the library reads; each may be missing
    "note": _text,
    "device": _text,
    "data_digest": is_digest,
    "precision": _text,
    "defaults": _options,
    "realised_noise_rate": is_real,
    "examples": _count,
    "held_out": _count,
    "compact": _compact,
    "recorded": _recorded,
}


def _short(value: object) -> str:
    return f"{value!r:.80}"


def require_same(saved: RunConfig, asked: RunConfig) -> None:
    """Raise FileExistsError if the folder of these settings holds a run of others."""
    there, here = saved.identity, asked.identity
    other = [f"{name} is {there[name]!r} there, {here[name]!r} here" for name in here if there[name] != here[name]]
    if other:
        raise FileExistsError(f"{asked.folder} already exists, with a run of other settings: {'; '.join(other)}")
