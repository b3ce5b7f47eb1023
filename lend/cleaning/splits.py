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
from lend.cleaning.columns import with_feature
from lend.cleaning.corrections import Correction, some
from lend.cleaning.folders import list_files
from lend.cleaning.journal import Applied, write_journal
from lend.cleaning.options import Options, before_name
from lend.cleaning.placing import put, put_copy
from lend.cleaning.shards import PARQUET, apply_to_shards
from lend.inputs import require, require_name

STATE, ABOUT, SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
NAMES = re.compile(r"(?<![a-z])(train|test|validation|valid|val|dev)(?![a-z])")


def is_saved(folder: Path) -> bool:
    """Whether a folder is what ``save_to_disk`` of Hugging Face's library wrote, of one split or of several."""
    return (folder / STATE).is_file() or (folder / SPLITS).is_file()


def apply_to_saved(source: Path, out: Path, corrections: Sequence[Correction], options: Options) -> Applied:
    """Copy a folder that ``save_to_disk`` wrote, with the labels of one split corrected.

    Rows are numbered through the shards of the split. The fingerprint becomes another one: by it the library finds what
    it computed before, from other labels.

    Raises:
        ValueError: If the folder is damaged, or has several splits and none is named.
    """
    options.refuse(str(source), "link")
    inside = source
    if (source / SPLITS).is_file():
        names = _record(source / SPLITS).get("splits")
        inside = source / _split(names if isinstance(names, list) else [], options, source)
    else:
        options.refuse(str(source), "split")
    state, about = _record(inside / STATE), _record(inside / ABOUT)
    files = [str(each.get("filename")) for each in state.get("_data_files", [])]
    odd = [name for name in files if Path(name).name != name]
    require(not odd and bool(files), str(inside / STATE), "a list of files beside it", odd or "none")
    place = out / inside.relative_to(source)
    shards = [(inside / name, place / name) for name in files]
    others = {path for path in list_files(source)} - {(inside / name).relative_to(source).as_posix() for name in files}
    changed = {(inside / name).relative_to(source).as_posix() for name in (STATE, ABOUT)}
    _require_ours(out, list_files(source))
    ids, n, written, label = apply_to_shards(shards, corrections, options, inside)
    written |= _copy_all(source, out, others - changed)
    before, dropped = before_name(label), sum(each.after is None for each in corrections)
    written |= _put_record(place / STATE, state | {"_fingerprint": _fingerprint(state, corrections)})
    written |= _put_record(place / ABOUT, _described(about, label, before, n - dropped))
    return write_journal(out, corrections, ids, n, written)


def apply_to_parquets(source: Path, out: Path, corrections: Sequence[Correction], options: Options) -> Applied:
    """Copy a folder of Parquet files, with the labels of one split corrected.

    A split is what the path of a file calls it, train, test, validation and the like; all files are one where none
    does. Rows are numbered through its files in the order of their paths.

    Raises:
        ValueError: If a file is damaged, or there are several splits and none is named.
    """
    options.refuse(str(source), "link")
    paths = list_files(source)
    tables = [path for path in paths if path.lower().endswith(PARQUET)]
    splits: dict[str, list[str]] = {}
    for path in tables:
        found = NAMES.search(path.lower())
        splits.setdefault(found[1] if found else "all", []).append(path)
    chosen = splits[_split(list(splits), options, source)]
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


def _split(names: Sequence[str], options: Options, source: Path) -> str:
    if options.split is not None:
        require_name(options.split, names, f"split of {source}")
        return options.split
    require(len(names) == 1, "split", f"one of {', '.join(map(str, names))}", None)
    return names[0]


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
