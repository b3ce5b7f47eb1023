"""A table of embeddings as one Parquet file or as a zarr group, a part at a time."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lend import storage
from lend.embedding.parts import ROWS, Parts
from lend.embedding.source import TEXTS, Source
from lend.embedding.table import METADATA


def write_table(path: Path, source: Source, parts: Parts, width: int, precision: str, about: Mapping[str, Any]) -> None:
    """Write sample_id, label, embedding, and text or path, whole or not at all.

    Args:
        path: .parquet: a row group for each part. .zarr: a folder, an array for each column; a label is the place of
            its class in the attribute class_names there, -1 where it is missing.
        source: What was embedded.
        parts: Its embeddings.
        width: Numbers of an embedding.
        precision: Their type.
        about: What the file says of itself.
    """
    write = _write_zarr if path.suffix.lower() == ".zarr" else _write_parquet
    write(path, source, parts, width, precision, about)


def _write_parquet(
    path: Path, source: Source, parts: Parts, width: int, precision: str, about: Mapping[str, Any]
) -> None:
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
        options = {"use_dictionary": repeating, "compression": "zstd", "write_page_checksum": True}
        with pq.ParquetWriter(file, schema, **options) as writer:
            for positions, embeddings, words in _with_words(source, parts):
                rows = pa.array(positions)
                flat = pa.array(embeddings.reshape(-1))
                columns = [ids.take(rows), labels.take(rows), pa.FixedSizeListArray.from_arrays(flat, width)]
                columns += [] if words is None else [pa.array(words, pa.string())]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))

    storage.write_atomically(path, write)


def _write_zarr(path: Path, source: Source, parts: Parts, width: int, precision: str, about: Mapping[str, Any]) -> None:
    import zarr
    from zarr.codecs import ZstdCodec

    labels = source.labels or [None] * len(source)
    names = sorted({label for label in labels if label is not None})
    codes = {name: code for code, name in enumerate(names)} | {None: -1}
    rows = about["rows"]
    ids = np.array(source.ids, np.int64 if isinstance(source.ids[0], int) else object)
    with storage.temporary_folder(path) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that zarr's specification of text may change
        group, zstd = zarr.open_group(folder / "group", mode="w", zarr_format=3), ZstdCodec(checksum=True)
        group.attrs.update({METADATA.decode(): dict(about), "class_names": names})

        def array(name: str, dtype: Any, *shape: int) -> Any:  # noqa: ANN401 (types of NumPy)
            dims = ["sample", "feature"][: 1 + len(shape)]
            chunks = (min(ROWS, rows), *shape)
            # a chunk of nothing but zeros is written as well: one that is missing is damage
            more: Any = {"dimension_names": dims, "config": {"write_empty_chunks": True}, "compressors": [zstd]}
            return group.create_array(name, shape=(rows, *shape), chunks=chunks, dtype=dtype, **more)

        embedding, label = array("embedding", precision, width), array("label", "int32")
        sample_id = array("sample_id", "int64" if ids.dtype == np.int64 else str)
        worded = source.kind == TEXTS or source.paths is not None
        word = array("text" if source.kind == TEXTS else "path", str) if worded else None
        start = 0
        for positions, embeddings, words in _with_words(source, parts):
            part = slice(start, start + len(positions))
            embedding[part] = embeddings
            label[part] = np.array([codes[labels[i]] for i in positions.tolist()], np.int32)
            sample_id[part] = ids[positions]
            if word is not None:
                word[part] = np.array(words, object)
            start = part.stop
        os.replace(folder / "group", path)


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
