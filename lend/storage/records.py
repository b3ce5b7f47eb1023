"""JSON records, sealed with the hash of their own content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lend.storage.errors import DamagedFileError
from lend.storage.reading import open_file
from lend.storage.writing import write_atomically

MOST = 8 << 20  # bytes of a record


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object sealed with the hash of its own content.

    Raises:
        ValueError: If it is longer than what is read, 8 MiB.
    """
    text = json.dumps({**content, "seal": _seal(content)}, indent=1).encode()
    if len(text) > MOST:
        raise ValueError(f"{path} must be at most {MOST:,} bytes, got {len(text):,}")
    write_atomically(path, lambda file: file.write(text), follow=False)


def read_json(path: Path) -> dict[str, Any]:
    """Read a sealed JSON object; DamagedFileError if one character of it has changed."""
    with open_file(path, MOST) as file:
        text = file.read()
    try:
        content = json.loads(text)
        seal = content.pop("seal")
        sealed = _seal(content)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise DamagedFileError(f"{path} is damaged: no complete record in it ({error})") from None
    if seal != sealed:
        raise DamagedFileError(f"{path} is damaged: its seal does not match its content")
    return content


def _seal(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
