"""An audit of files: embeddings and labels are read, the table of issues is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lend import storage
from lend.auditing.detection import audit
from lend.auditing.result import Audit
from lend.embedding import read_embeddings
from lend.inputs import read_npy, read_table, require, safe_table, text_or_numbers


def audit_files(
    embeddings_path: str | Path,
    labels_path: str | Path | None,
    out: str | Path,
    *,
    column: str | None = None,
    id_column: str | None = None,
    **options: Any,  # noqa: ANN401 (those of audit)
) -> Audit:
    """Audit embeddings and labels in files, and write the table of issues as CSV.

    Args:
        embeddings_path: .npy file of an array (n, d), read from the disk in parts; or a table as
            :func:`lend.embedding.read_embeddings` takes it, such as `lend embed` writes.
        labels_path: None if that table has labels. Else .npy file of an array (n,); or a table: .csv, .tsv or .txt,
            with a header or without, see :func:`lend.inputs.read_table`, or .parquet. Labels in a table of text stay
            what was written ("007", "NA"), and are integers only if all are plain ones; an empty cell is an example
            without a label.
        out: CSV file to write: one row per example, in their order, with the columns of ``Audit.issues``.
        column: Name of the column of labels in the table; not needed if it has one column beside the ids, or one named
            "label". Columns without a header are "1", "2", ...
        id_column: Name of the column of sample ids in the table; ids are positions if not given.
        options: Further arguments of :func:`audit`.

    Returns:
        The whole audit.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file or an argument is not as described. Nothing in a file is executed.
    """
    kind = Path(embeddings_path).suffix.lower()
    allowed = "an .npy file, a .parquet or .zarr of lend embed, or a saved run"
    require(kind not in (".csv", ".tsv", ".txt"), "embeddings", allowed, str(embeddings_path))
    if kind in (".parquet", ".zarr"):
        table = read_embeddings(embeddings_path)
        embeddings, labels = table.embeddings, table.labels
        known: dict[str, Any] = {"sample_ids": table.ids, "texts": table.texts}
    else:
        embeddings, labels, known = read_npy(embeddings_path, "embeddings", mapped=True), None, {}
    require(embeddings.ndim == 2, f"embeddings: {embeddings_path}", "of shape (n, d)", embeddings.shape)
    if labels_path is not None:
        labels, ids = _read_labels(Path(labels_path), column, id_column, len(embeddings))
        known = known | ({} if ids is None else {"sample_ids": ids})
    else:
        require(labels is not None, "labels", "a file, or a column of the table", f"none in {embeddings_path}")
        require(column is None and id_column is None, "column", "given for a table of labels", column or id_column)
    found = audit(embeddings, labels, **(known | options))
    storage.write_csv(Path(out).expanduser(), safe_table(found.issues))
    return found


def _read_labels(path: Path, column: str | None, id_column: str | None, n: int) -> tuple[Any, Any]:
    """Return the labels, and the sample ids or None."""
    if path.suffix.lower() == ".npy":
        require(column is None and id_column is None, "column", "given for a table only", column or id_column)
        return read_npy(path, "labels"), None
    table = read_table(path, n, "labels")
    names = [str(name) for name in table.columns if name != id_column]
    column = column or (names[0] if len(names) == 1 else "label")
    for name in (column, id_column):
        require(name is None or name in table.columns, "column", f"one of {', '.join(map(str, table.columns))}", name)
    require(len(table) == n, str(path), f"of {n} rows, one per embedding", len(table))
    # positions, not an index, tell which embedding belongs to which label here
    ids = None if id_column is None else text_or_numbers(table[id_column]).tolist()
    return text_or_numbers(table[column]).reset_index(drop=True), ids
