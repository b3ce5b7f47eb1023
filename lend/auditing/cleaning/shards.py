"""Tables of Arrow in files: Parquet, and the streams of Hugging Face's library; one file, or the shards of a split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from lend.auditing.cleaning.columns import Labels, with_before
from lend.auditing.cleaning.corrections import Correction
from lend.auditing.cleaning.options import Options, before_name
from lend.auditing.cleaning.placing import put
from lend.auditing.cleaning.rows import output_ids, plan_rows
from lend.inputs import require

PARQUET, STREAM = ".parquet", ".arrow"
OWN, OWN_IDS = b"lend", "sample_id"  # what a table of lend.embed has in its schema, and its column of ids


def apply_to_shards(
    shards: Sequence[tuple[Path, Path]], corrections: Sequence[Correction], options: Options, place: Path
) -> tuple[list[str | None], int, bool, str]:
    """Write each file with corrected labels, and those before in a column after them; all else stays.

    Args:
        shards: Each file and its copy; rows are numbered through all of them.
        corrections: What is to be done.
        options: Columns and classes.
        place: What the table is called in errors.

    Returns:
        Ids of the corrected examples in the copy, number of rows, whether anything was written, and the column of the
        labels.

    Raises:
        ValueError: If a file is damaged, or has other columns than the first.
    """
    schemas = [_schema(source) for source, _ in shards]
    for (source, _), schema in zip(shards, schemas, strict=True):
        require(schema.equals(schemas[0]), str(source), f"of the columns of {shards[0][0].name}", str(schema.names))
    own_ids = OWN_IDS if OWN in (schemas[0].metadata or {}) and OWN_IDS in schemas[0].names else None
    name, ids = options.columns(schemas[0].names, str(place), own_ids)
    labels = Labels(schemas[0], name, corrections, str(place))
    texts, values, of_ids, starts = list[str | None](), dict[Any, None](), list[str](), [0]
    for source, _ in shards:
        for table in _parts(source, [name] if ids is None else [name, ids]):
            cells = table[name].to_pylist()
            values |= dict.fromkeys(cells)
            texts += [labels.text(cell) for cell in cells]
            of_ids += [] if ids is None else [str(cell) for cell in table[ids].to_pylist()]
        starts.append(len(texts))
    known = labels.known(values)
    new_classes = options.new_classes and labels.names is None  # the names in a schema are all that there are
    planned = plan_rows(corrections, None if ids is None else of_ids, texts, known, new_classes, place)
    written = False
    for (source, target), start in zip(shards, starts, strict=False):
        written |= put(target, _writer(source, start, planned, labels, known))
    return output_ids(planned, ids is None), len(texts), written, name


def rows_of(source: Path) -> int:
    """Return the number of rows of a file."""
    return sum(map(len, _parts(source, None)))


def _writer(
    source: Path, start: int, planned: dict[int, Correction], labels: Labels, known: dict[str | None, Any]
) -> Callable[[BinaryIO], object]:
    """Return what writes the copy of a file: part by part, as large as they were."""

    def parts() -> Iterator[Any]:
        at = start
        for table in _parts(source, None):
            rows = {row - at: each for row, each in planned.items() if at <= row < at + len(table)}
            at += len(table)
            yield _corrected(table, rows, labels, known)

    return lambda file: _write(file, source, parts(), labels.name)


def _corrected(table: Any, rows: dict[int, Correction], labels: Labels, known: dict[str | None, Any]) -> Any:  # noqa: ANN401 (pyarrow has no types)
    """Return a part of the table with its corrections."""
    import pyarrow as pa

    place, before = table.schema.get_field_index(labels.name), table[labels.name]
    new = {row: each.after for row, each in rows.items() if each.after is not None}
    changed = labels.changed(before, new, known) if new else before
    schema = with_before(table.schema, labels.name)
    columns = list(table.columns)
    columns[place : place + 1] = [changed, before]
    whole = pa.table(columns, schema=schema)
    gone = {row for row, each in rows.items() if each.after is None}
    return whole.take([row for row in range(len(whole)) if row not in gone]) if gone else whole


def _schema(source: Path) -> Any:  # noqa: ANN401
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if source.suffix.lower() == PARQUET:
            return pq.ParquetFile(source).schema_arrow
        with pa.memory_map(str(source)) as file:
            return pa.ipc.open_stream(file).schema
    except Exception as error:  # a damaged file may raise many kinds
        raise ValueError(f"{source}: not a whole file ({' '.join(str(error).split())})") from error


def _parts(source: Path, columns: list[str] | None) -> Iterator[Any]:
    """Yield the row groups of a Parquet file, or the batches of a stream, as tables."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if source.suffix.lower() == PARQUET:
            file = pq.ParquetFile(source)
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=columns)
            return
        with pa.memory_map(str(source)) as mapped:
            for batch in pa.ipc.open_stream(mapped):
                table = pa.Table.from_batches([batch])
                yield table if columns is None else table.select(columns)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{source}: not a whole file ({' '.join(str(error).split())})") from error


def _write(file: BinaryIO, source: Path, parts: Iterator[Any], label: str) -> None:
    """Write parts as the file is: with its compression and the metadata of its schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = with_before(_schema(source), label)
    if source.suffix.lower() != PARQUET:
        with pa.ipc.new_stream(file, schema) as stream:
            for table in parts:
                stream.write_table(table)
        return
    about = pq.ParquetFile(source).metadata
    codecs: dict[str, str] = {}
    if about.num_row_groups:
        group = about.row_group(0)
        columns = [group.column(place) for place in range(group.num_columns)]
        codecs = {column.path_in_schema: _codec(column.compression) for column in columns}
        codecs[before_name(label)] = codecs.get(label, "snappy")
    with pq.ParquetWriter(file, schema, compression=codecs or "snappy", version=about.format_version) as writer:
        for table in parts:
            writer.write_table(table, row_group_size=max(1, len(table)))


def _codec(name: str) -> str:
    return "none" if name == "UNCOMPRESSED" else name.lower()
