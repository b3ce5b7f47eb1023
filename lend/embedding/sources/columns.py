"""Columns of Parquet and Arrow files, images or texts among them: read a few rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lend.data import hugging_face_names
from lend.embedding.source import IMAGES, TEXTS, Content, Source, Unreadable, file_signs, make_source
from lend.embedding.sources.choosing import Columns, choose_columns, choose_content
from lend.inputs import require

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 32  # to read at once: photographs of 5 MB each are 160 MB


def parquet_files(path: Path) -> list[Path]:
    """The Parquet files of a folder, those of the training part first."""
    files = sorted(path.glob("*.parquet")) or sorted(path.glob("data/*.parquet"))
    return sorted(files, key=lambda file: (not file.name.startswith("train"), file.name))


def arrow_files(path: Path) -> list[Path]:
    """The Arrow files of a folder that ``datasets`` has saved, of one data set or of a dictionary of several."""
    if (path / "dataset_dict.json").is_file():
        splits = _json(path / "dataset_dict.json").get("splits", [])
        order = sorted(map(str, splits), key=lambda name: (name != "train", splits.index(name)))
        return [file for name in order for file in arrow_files(path / name)]
    if (path / "state.json").is_file():
        return [path / str(entry["filename"]) for entry in _json(path / "state.json").get("_data_files", [])]
    return []


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file}: cannot be read as what datasets saves ({error})") from error
    require(isinstance(content, dict), str(file), "an object of JSON", type(content).__name__)
    return content


def open_files(place: Path, files: Sequence[Path], columns: Columns) -> Source:
    """Rows of Parquet or Arrow files of the same columns, one file after another.

    An id is the row, counted through all files from 0, unless a column has ids.

    Raises:
        ValueError: If a file cannot be read, or a column is not there or is ambiguous.
    """
    shards = [_shard(file) for file in files]
    schema = shards[0].schema
    kind, content = choose_content(str(place), schema, columns)
    _, label, ids = choose_columns(str(place), schema.names, columns, content)
    for shard in shards:
        lacking = [name for name in (content, label, ids) if name is not None and name not in shard.schema.names]
        require(not lacking, str(shard.file), f"with the column {content!r} of {files[0].name}", shard.schema.names)

    def contents(start: int) -> Iterator[Content]:
        for shard in shards:
            if start < shard.rows:
                for cell in shard.cells(content, start):
                    yield _as_content(cell, kind, place)
            start = max(0, start - shard.rows)

    return make_source(
        kind,
        str(place),
        contents,
        sum(shard.rows for shard in shards),
        (*file_signs(files), content, label, ids),
        labels=None if label is None else _labels(shards, label),
        ids=None if ids is None else [entry for shard in shards for entry in shard.column(ids)],
    )


def _labels(shards: Sequence[_Shard], name: str) -> list[Any]:
    """The labels as they are written; the classes' names where the Hugging Face library has written them beside."""
    names = hugging_face_names(shards[0].schema, name)
    cells = [cell for shard in shards for cell in shard.column(name)]
    if names is None:
        return cells
    known = [cell for cell in cells if isinstance(cell, int) and cell >= len(names)]
    require(not known, name, f"0 to {len(names) - 1}, the indices of {len(names)} class names", known[:1])
    return [names[cell] if isinstance(cell, int) and cell >= 0 else None for cell in cells]


def _as_content(cell: Any, kind: str, place: Path) -> Content:  # noqa: ANN401 (a cell of any type)
    if kind == TEXTS:
        return cell if isinstance(cell, str) else Unreadable("no text" if cell is None else f"{type(cell).__name__}")
    if isinstance(cell, dict):
        path = cell.get("path")
        folder = place if place.is_dir() else place.parent
        cell = cell.get("bytes") or (folder / path if isinstance(path, str) else None)
    return cell if isinstance(cell, bytes | Path) else Unreadable("no image")


@dataclass(frozen=True)
class _Shard:
    """One file."""

    file: Path
    schema: pa.Schema
    rows: int
    parquet: bool

    def cells(self, name: str, start: int) -> Iterator[Any]:
        """The cells of a column from a row on."""
        for batch in self._batches(name, start):
            yield from batch.column(0).to_pylist()

    def column(self, name: str) -> list[Any]:
        return list(self.cells(name, 0))

    def _batches(self, name: str, start: int) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            if self.parquet:
                with pq.ParquetFile(self.file) as opened:
                    groups, before = [], start
                    for group in range(opened.num_row_groups):
                        rows = opened.metadata.row_group(group).num_rows
                        if before < rows:
                            groups.append(group)
                        else:
                            before -= rows
                    batches = opened.iter_batches(ROWS, row_groups=groups, columns=[name])
                    yield from _from_row(batches, before)
            else:
                with pa.memory_map(str(self.file)) as mapped:
                    reader = _arrow_reader(mapped)
                    batches = (
                        batch.select([name]).slice(first, ROWS)
                        for batch in _arrow_batches(reader)
                        for first in range(0, batch.num_rows, ROWS)
                    )
                    yield from _from_row(batches, start)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{self.file}: column {name!r} cannot be read ({_brief(error)})") from error


def _from_row(batches: Iterator[Any], start: int) -> Iterator[Any]:
    for batch in batches:
        if start < batch.num_rows:
            yield batch.slice(start)
        start = max(0, start - batch.num_rows)


def _shard(file: Path) -> _Shard:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if file.suffix.lower() == ".parquet":
            with pq.ParquetFile(file) as opened:
                return _Shard(file, opened.schema_arrow, opened.metadata.num_rows, True)
        with pa.memory_map(str(file)) as mapped:
            reader = _arrow_reader(mapped)
            rows = sum(batch.num_rows for batch in _arrow_batches(reader))
            return _Shard(file, reader.schema, rows, False)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{file}: not a whole {file.suffix[1:]} file; get it again ({_brief(error)})") from error


def _arrow_reader(mapped: Any) -> Any:  # noqa: ANN401 (readers of pyarrow)
    """A reader of the stream that ``datasets`` writes, or of the file format of Arrow."""
    import pyarrow as pa

    try:
        return pa.ipc.open_stream(mapped)
    except pa.ArrowInvalid:
        mapped.seek(0)
        return pa.ipc.open_file(mapped)


def _arrow_batches(reader: Any) -> Iterator[Any]:  # noqa: ANN401
    count = getattr(reader, "num_record_batches", None)
    return iter(reader) if count is None else (reader.get_batch(i) for i in range(count))


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


__all__ = ["IMAGES", "arrow_files", "open_files", "parquet_files"]
