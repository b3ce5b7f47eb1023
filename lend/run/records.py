"""Reading of a history record: the numbers of an epoch, and digests and sizes of its files, checked before use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lend import storage
from lend.inputs import is_real, is_whole
from lend.run.layout import RunFolder

FILES = ("labels/{:04}.npz", "snapshots/{:04}.zarr.zip", "checkpoint/{:04}.pt")  # all that an epoch may have


def read_record(folder: RunFolder, epoch: int) -> dict[str, Any]:
    """Read what was committed with an epoch: its row of the history, and digests and sizes of its files.

    Raises:
        DamagedFileError: If it is missing or altered, or is no record of this epoch; the message names the file.
    """
    path = folder.history_path(epoch)
    record = storage.read_json(path)
    wrong = _wrong(record, epoch)
    if wrong:
        raise storage.DamagedFileError(f"{path} is damaged: it is no record of epoch {epoch}: {wrong}")
    return record


def _wrong(record: Mapping[str, Any], epoch: int) -> str:
    """What makes this no record of the epoch; empty if nothing."""
    row, files, sizes = (record.get(name) for name in ("row", "files", "sizes"))
    if not isinstance(row, Mapping) or row.get("epoch") != epoch or "test_accuracy" not in row:
        return "its row"
    if not all(map(is_real, row.values())):
        return "its row, which holds something else than numbers"
    names = {name.format(epoch) for name in FILES}
    if not isinstance(files, Mapping) or not isinstance(sizes, Mapping) or set(files) != set(sizes):
        return "its files and sizes"
    if not set(files) <= names or FILES[0].format(epoch) not in files:
        return f"its files, {', '.join(files)[:200]}"
    if not all(is_digest(digest) for digest in files.values()):
        return "its digests"
    return "" if all(map(is_whole, sizes.values())) else "its sizes"


def is_digest(value: object) -> bool:
    """Whether a value is a SHA-256 in hexadecimal digits."""
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None
