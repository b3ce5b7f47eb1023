"""The table of embeddings: ids, labels and embeddings of examples, in memory and in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lend.embedding.groups import open_group, read_columns
from lend.inputs import require

METADATA = b"lend"
COLUMN = ("embedding", "embeddings")  # lend's name, and that of tables for the explorer


@dataclass(frozen=True, eq=False, repr=False)
class Embeddings:
    """Embeddings of images or texts, and what is known of them: what :func:`lend.audit` takes.

    ``lend.audit(table.embeddings, table.labels, sample_ids=table.ids, texts=table.texts)``

    Args:
        embeddings: (n, d), float16 or float32.
        labels: (n,) labels, missing where unknown; None if none is known.
        ids: (n,) ids, all different.
        texts: (n,) texts; None for images.
        paths: (n,) places of images inside their folder or archive; None where they have none.
        left_out: What could not be embedded: columns sample_id and reason; None if read from a file.
        about: Model, precision and source: what the file says of itself.
    """

    embeddings: np.ndarray
    labels: pd.Series | None
    ids: pd.Index
    texts: list[str] | None = None
    paths: list[str] | None = None
    left_out: pd.DataFrame | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        n, d = self.embeddings.shape
        labels = "no labels" if self.labels is None else f"{self.labels.nunique():,} classes"
        return (
            f"Embeddings({n:,} of {d:,} numbers, {labels}, model {self.about.get('model', {}).get('name', 'unknown')})"
        )


def read_embeddings(path: str | Path) -> Embeddings:
    """Read a table of embeddings: a file of :func:`lend.embed`, or any .parquet with a column of embeddings.

    Args:
        path: .parquet with a column ``embedding`` or ``embeddings``, lists of one length; where they are there, columns
            ``sample_id``, ``label``, ``text`` and ``path``. Or .zarr of :func:`lend.embed`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read, or is no such table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"embeddings: {path}: no such file")
    if path.suffix.lower() == ".zarr":
        return _read_zarr(path)
    require(path.is_file(), "embeddings", "a file", str(path))
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = file.schema_arrow.names
            column = next((name for name in COLUMN if name in names), None)
            require(column is not None, str(path), f"a table with a column {COLUMN[0]}", names)
            wanted = [name for name in (column, "sample_id", "label", "text", "path") if name in names]
            table = file.read(wanted)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: not a whole parquet file ({' '.join(str(error).split())})") from error
    about = _about(table.schema.metadata)
    labels = _column(table, "label")
    ids = _column(table, "sample_id")
    return Embeddings(
        _matrix(table[column], path),
        None if labels is None or labels.isna().all() else labels,
        (pd.RangeIndex(len(table)) if ids is None else pd.Index(ids)).rename("sample_id"),
        texts=table["text"].to_pylist() if "text" in wanted else None,
        paths=table["path"].to_pylist() if "path" in wanted else None,
        about=about,
    )


def _read_zarr(path: Path) -> Embeddings:
    try:
        group = open_group(path)
        names, about = group.attrs["class_names"], dict(group.attrs[METADATA.decode()])
        columns, known = read_columns(group), {-1: None, **dict(enumerate(names))}
        labels = [known[code] for code in columns["label"].tolist()]
        words = {name: columns[name].tolist() for name in ("text", "path") if name in columns}
        embeddings = columns["embedding"]
        require(embeddings.ndim == 2 and embeddings.dtype.kind == "f", "embedding", "(n, d) numbers", embeddings.shape)
        return Embeddings(
            embeddings,
            as_series(labels) if names else None,
            pd.Index(columns["sample_id"].tolist(), name="sample_id"),
            texts=words.get("text"),
            paths=words.get("path"),
            about=about,
        )
    except Exception as error:  # a damaged group may raise many kinds
        raise ValueError(f"{path}: no zarr group of lend embed ({' '.join(str(error).split())})") from error


def read_about(path: Path) -> Mapping[str, Any]:
    """What a table of embeddings says of itself; nothing if it is no such table."""
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() == ".zarr":
            return dict(open_group(path).attrs[METADATA.decode()])
        require(path.is_file(), str(path), "a file", "none")  # nothing waits for the other end of a pipe
        return _about(pq.read_schema(path).metadata)
    except Exception:  # whatever it is: no table of ours
        return {}


def _about(metadata: Mapping[bytes, bytes] | None) -> Mapping[str, Any]:
    try:
        about = json.loads((metadata or {})[METADATA])
    except (KeyError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _column(table: Any, name: str) -> pd.Series | None:  # noqa: ANN401 (a table of pyarrow)
    if name not in table.column_names:
        return None
    return table[name].to_pandas(integer_object_nulls=True).rename(name)


def _matrix(column: Any, path: Path) -> np.ndarray:  # noqa: ANN401 (a column of pyarrow)
    require(len(column) > 0, str(path), "a table with rows", "none")
    whole = column.combine_chunks()
    require(hasattr(whole, "flatten") and not whole.null_count, f"{path}: embeddings", "lists of numbers", column.type)
    lengths = np.unique(whole.value_lengths().to_numpy(zero_copy_only=False))
    require(len(lengths) == 1, f"{path}: embeddings", "lists of one length", lengths[:5].tolist())
    values = whole.flatten().to_numpy(zero_copy_only=False)
    require(values.dtype.kind in "fiu", f"{path}: embeddings", "lists of numbers", str(column.type))
    return values.reshape(len(whole), -1)


def as_series(labels: Sequence[Any]) -> pd.Series:
    """Labels as read from a file: the same type in memory."""
    import pyarrow as pa

    return pa.array(labels).to_pandas(integer_object_nulls=True).rename("label")
