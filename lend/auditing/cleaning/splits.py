"""Folders of tables, as Hugging Face's library has them: one split is corrected, everything else is copied."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lend import storage
from lend.auditing.cleaning.columns import with_feature
from lend.auditing.cleaning.corrections import Correction, some
from lend.auditing.cleaning.folders import list_files
from lend.auditing.cleaning.journal import Applied, write_journal
from lend.auditing.cleaning.options import Options, before_name
from lend.auditing.cleaning.placing import put, put_copy
from lend.auditing.cleaning.shards import PARQUET, apply_to_shards, rows_of
from lend.inputs import require, require_name

STATE, ABOUT, SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
NAMES = re.compile(r"(?<![a-z])(train|test|validation|valid|val|dev)(?![a-z])")


def is_saved(folder: Path) -> bool:
    """Whether a folder is what ``save_to_disk`` of Hugging Face's library wrote, of one split or of several."""
    return (folder / STATE).is_file() or (folder / SPLITS).is_file()


def apply_to_saved(source: Path, out: Path, corrections: Sequence[Correction], options: Options) -> Applied:
    """Copy a folder that ``save_to_disk`` wrote, with the labels of one split corrected, or of all.

    Rows are numbered through the shards. The fingerprint becomes another one: by it the library finds what
    it computed before, from other labels.

    Raises:
        ValueError: If the folder is damaged, or has no such split.
    """
    options.refuse(str(source), "link")
    parts = [source]
    if (source / SPLITS).is_file():
        names = _record(source / SPLITS).get("splits")
        parts = [source / name for name in _chosen(list(map(str, names)) if isinstance(names, list) else [], options)]
    else:
        options.refuse(str(source), "split")
    records = {part: (_record(part / STATE), _record(part / ABOUT)) for part in parts}
    shards = [(file, out / file.relative_to(source)) for part in parts for file in _arrow_files(part, records[part][0])]
    paths = list_files(source)
    _require_ours(out, paths)
    ids, n, written, label = apply_to_shards(shards, corrections, options, source)
    rewritten = {file for file, _ in shards} | {part / name for part in parts for name in (STATE, ABOUT)}
    written |= _copy_all(source, out, set(paths) - {path.relative_to(source).as_posix() for path in rewritten})
    for part, (state, about) in records.items():
        place = out / part.relative_to(source)
        examples = sum(rows_of(target) for file, target in shards if file.parent == part)
        written |= _put_record(place / STATE, state | {"_fingerprint": _fingerprint(state, corrections)})
        written |= _put_record(place / ABOUT, _described(about, label, before_name(label), examples))
    return write_journal(out, corrections, ids, n, written)


def _arrow_files(part: Path, state: dict[str, Any]) -> list[Path]:
    """The files of a split, in their order."""
    names = [str(each.get("filename")) for each in state.get("_data_files", [])]
    odd = [name for name in names if Path(name).name != name]
    require(not odd and bool(names), str(part / STATE), "a list of files beside it", odd or "none")
    return [part / name for name in names]


def apply_to_parquets(source: Path, out: Path, corrections: Sequence[Correction], options: Options) -> Applied:
    """Copy a folder of Parquet files, with the labels of one split corrected, or of all.

    A split is what the path of a file calls it, train, test, validation and the like; all files are one where none
    does. Rows are numbered through the files in the order of their paths, those of the training first.

    Raises:
        ValueError: If a file is damaged, or there is no such split.
    """
    options.refuse(str(source), "link")
    paths = list_files(source)
    tables = [path for path in paths if path.lower().endswith(PARQUET)]
    splits: dict[str, list[str]] = {}
    for path in tables:
        found = NAMES.search(path.lower())
        splits.setdefault(found[1] if found else "all", []).append(path)
    chosen = [path for name in _chosen(list(splits), options) for path in splits[name]]
    _require_ours(out, paths)
    cards = [
        path
        for path in paths
        if path.endswith(".md") and "dataset_info" in (source / path).read_text("utf-8", "replace")
    ]
    if cards:
        warnings.warn(
            f"{out}: {cards[0]} lists the columns of the tables as they were; add that of the labels before",
            stacklevel=3,
        )
    shards = [(source / path, out / path) for path in chosen]
    ids, n, written, _ = apply_to_shards(shards, corrections, options, source)
    written |= _copy_all(source, out, set(paths) - set(chosen))
    return write_journal(out, corrections, ids, n, written)


def _chosen(names: Sequence[str], options: Options) -> list[str]:
    """The split that is named, or all of them, the training first."""
    if options.split is not None:
        require_name(options.split, names, "split")
        return [options.split]
    return sorted(names, key=lambda name: name != "train")


def _require_ours(out: Path, paths: Sequence[str]) -> None:
    others = sorted(set(list_files(out)) - set(paths)) if out.exists() else []
    require(not others, "out", "a new folder, or one of an earlier call", f"{out}, which holds {some(others)}")


def _copy_all(source: Path, out: Path, paths: set[str]) -> bool:
    written = False
    with storage.temporary_folder(out) as staging:
        for path in sorted(paths):
            written |= put_copy(source / path, out / path, staging, link=False)
    return written


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: cannot be read as JSON ({' '.join(str(error).split())})") from None
    require(isinstance(record, dict), str(path), "an object", type(record).__name__)
    return record


def _put_record(path: Path, record: Mapping[str, Any]) -> bool:
    text = json.dumps(record, indent=2)
    return put(path, lambda file: file.write(text.encode()))


def _fingerprint(state: Mapping[str, Any], corrections: Sequence[Correction]) -> str:
    content = repr((state.get("_fingerprint"), [(each.sample_id, each.after) for each in corrections]))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _described(about: Mapping[str, Any], label: str, before: str, examples: int) -> dict[str, Any]:
    """What the library says of the data, with the new column and the number of examples."""
    described = dict(about)
    if isinstance(about.get("features"), dict):
        described["features"] = with_feature(about["features"], label, before)
    splits = about.get("splits")
    if isinstance(splits, dict) and len(splits) == 1:
        described["splits"] = {name: split | {"num_examples": examples} for name, split in splits.items()}
    return described
