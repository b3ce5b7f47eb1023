"""A source by what it is: a folder, a file by its ending, or things in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lend.embedding.source import Source
from lend.embedding.sources.archives import ENDINGS, is_archive, open_archives, tar_files
from lend.embedding.sources.choosing import Columns
from lend.embedding.sources.columns import arrow_files, open_files, parquet_files
from lend.embedding.sources.folders import open_folder
from lend.embedding.sources.memory import open_memory
from lend.embedding.sources.tables import TABLES, open_table
from lend.inputs import require

COLUMNED = (".parquet", ".arrow")


def open_source(data: Any, labels: Any = None, ids: Any = None, columns: Columns | None = None) -> Source:  # noqa: ANN401
    """Open images or texts of any kind that :func:`lend.embed` takes.

    Args:
        data: A path, or images or texts in memory.
        labels: Labels of what is in memory, or in place of those of a file.
        ids: Ids of what is in memory.
        columns: Names of the columns of a table.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If it is of no known kind, or is not what its ending says.
    """
    columns = columns or Columns()
    if not isinstance(data, str | os.PathLike):
        given = next((name for name in ("image", "text", "label", "id") if getattr(columns, name) is not None), None)
        require(given is None, str(given), "given for a table only", "with data in memory")
        return open_memory(data, labels, ids)
    require(labels is None and ids is None, "labels", "given with data in memory only", "with a path")
    path = Path(os.path.abspath(os.path.expanduser(data)))
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    return _open_folder(path, columns) if path.is_dir() else _open_file(path, columns)


def _open_file(path: Path, columns: Columns) -> Source:
    if is_archive(path):
        return open_archives(path, [path])
    ending = path.suffix.lower()
    if ending in COLUMNED:
        return open_files(path, [path], columns)
    allowed = f"a folder, or a file ending in {', '.join((*COLUMNED, *TABLES, *ENDINGS))}"
    require(ending in TABLES and path.is_file(), "data", allowed, str(path))
    return open_table(path, columns)


def _open_folder(path: Path, columns: Columns) -> Source:
    for files in (arrow_files(path), parquet_files(path)):
        if files:
            return open_files(path, files, columns)
    tars = tar_files(path)
    return open_archives(path, tars) if tars else open_folder(path)
