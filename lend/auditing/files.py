"""An audit of files: embeddings and labels are read, the table of issues is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lend import storage
from lend.auditing.detection import audit
from lend.auditing.result import Audit
from lend.inputs import require


def audit_files(
    embeddings_path: str | Path,
    labels_path: str | Path,
    out: str | Path,
    *,
    column: str | None = None,
    id_column: str | None = None,
    **options: Any,  # noqa: ANN401 (those of audit)
) -> Audit:
    """Audit embeddings and labels in files, and write the table of issues as CSV.

    Args:
        embeddings_path: .npy file of an array (n, d), read from the disk in parts.
        labels_path: .npy file of an array (n,), or .csv file with a header.
        out: CSV file to write: one row per example, in their order, with the columns of ``Audit.issues``.
        column: Name of the column of labels in the .csv; not needed if it has one column beside the ids, or one named
            "label".
        id_column: Name of the column of sample ids in the .csv; ids are positions if not given.
        options: Further arguments of :func:`audit`.

    Returns:
        The whole audit.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file or an argument is not as described. Nothing in a file is executed.
    """
    labels, ids = _read_labels(Path(labels_path), column, id_column)
    embeddings = _read_array(Path(embeddings_path), "embeddings", mapped=True)
    found = audit(embeddings, labels, **({"sample_ids": ids} | options))
    storage.write_csv(out, found.issues)
    return found


def _read_array(path: Path, argument: str, mapped: bool) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError(f"{argument}: {path}: no such file") from None
        raise ValueError(f"{argument}: {path}: expected an array saved with np.save; {error}") from error
    require(isinstance(array, np.ndarray), argument, "one array in an .npy file", str(path))
    return array


def _read_labels(path: Path, column: str | None, id_column: str | None) -> tuple[Any, Any]:
    """Return the labels, and the sample ids or None."""
    if path.suffix.lower() != ".csv":
        require(column is None and id_column is None, "column", "given for a .csv only", column or id_column)
        return _read_array(path, "labels", mapped=False), None
    if not path.is_file():
        raise FileNotFoundError(f"labels: {path}: no such file")
    table = pd.read_csv(path)
    names = [str(name) for name in table.columns if name != id_column]
    column = column or (names[0] if len(names) == 1 else "label")
    for name in (column, id_column):
        require(name is None or name in table.columns, "column", f"one of {', '.join(table.columns)}", name)
    return table[column], None if id_column is None else table[id_column]
