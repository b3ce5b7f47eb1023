"""A table of embeddings as one Parquet file, a part at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lend import storage
from lend.embedding.parts import Parts
from lend.embedding.source import TEXTS, Source
from lend.embedding.table import METADATA


def write_table(path: Path, source: Source, parts: Parts, width: int, precision: str, about: Mapping[str, Any]) -> None:
    """Write sample_id, label, embedding, and text or path: one row group for each part, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = pa.array(source.labels if source.labels is not None else [None] * len(source))
    labels = labels.cast(pa.string()) if pa.types.is_null(labels.type) else labels
    ids = pa.array(source.ids)
    fields = [pa.field("sample_id", ids.type), pa.field("label", labels.type)]
    fields.append(pa.field("embedding", pa.list_(pa.from_numpy_dtype(np.dtype(precision)), width)))
    if source.kind == TEXTS or source.paths is not None:
        fields.append(pa.field("text" if source.kind == TEXTS else "path", pa.string()))
    schema = pa.schema(fields, metadata={METADATA: json.dumps(about).encode()})
    # embeddings hardly repeat: a dictionary of them would only cost time
    repeating = [field.name for field in fields if field.name == "label"]

    def write(file: Any) -> None:  # noqa: ANN401
        with pq.ParquetWriter(file, schema, use_dictionary=repeating, compression="zstd") as writer:
            for positions, embeddings, words in _with_words(source, parts):
                rows = pa.array(positions)
                flat = pa.array(embeddings.reshape(-1))
                columns = [ids.take(rows), labels.take(rows), pa.FixedSizeListArray.from_arrays(flat, width)]
                columns += [] if words is None else [pa.array(words, pa.string())]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))

    storage.write_atomically(path, write)


def _with_words(source: Source, parts: Parts) -> Iterator[tuple[np.ndarray, np.ndarray, list[str] | None]]:
    """Each part that has rows, with its texts or paths."""
    contents, at = source.contents(0) if source.kind == TEXTS else None, 0
    for number in range(len(parts)):
        part = parts[number]
        words: list[str] | None = None
        if contents is not None:
            words = []
            for position in part.positions.tolist():
                while at < position:
                    next(contents)
                    at += 1
                words.append(str(next(contents)))
                at += 1
        elif source.paths is not None:
            words = [source.paths[position] for position in part.positions.tolist()]
        if len(part.positions):
            yield part.positions, part.embeddings, words
