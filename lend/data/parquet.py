"""Parquet tables of images and labels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from lend.data.assembling import assemble, choose_class_names
from lend.data.dataset import Dataset
from lend.data.decoding import decode_images
from lend.data.files import basename, one_line


def read_parquet(path: Path) -> Dataset:
    """Parquet tables with an image and a label column, as on Hugging Face or written by pandas."""
    name = basename(path)
    parts: list[Any] = []
    human: dict[str, np.ndarray] = {}
    names: tuple[str, ...] | None = None
    for part in ("train", "test"):
        files = _part_files(path, part)
        images, labels, further, part_names = _read_part(files, human_labels=part == "train")
        parts.append((images, labels))
        human, names = {**human, **further}, names or part_names
    train, test = parts
    names = choose_class_names(name, (train[1], test[1]), names)
    # A column with other values counts something else, such as superclasses.
    human = {key: labels for key, labels in human.items() if 0 <= labels.min() and labels.max() < len(names)}
    return assemble(name, train, test, names, human, source=path)


def _part_files(path: Path, part: str) -> list[Path]:
    single = path.with_name(f"{path.name}-{part}.parquet")
    files = [single] if single.is_file() else sorted(path.glob(f"{part}*.parquet"))
    if not files:
        raise FileNotFoundError(
            f"{single}: no such file; expected {path}-train.parquet and {path}-test.parquet, "
            f"or {path}/train*.parquet and {path}/test*.parquet"
        )
    return files


def _read_part(
    files: list[Path], human_labels: bool
) -> tuple[Tensor, np.ndarray, dict[str, np.ndarray], tuple[str, ...] | None]:
    """Images, labels (n,), further labels by column and class names (None where unknown) of one part."""
    tables = [_read_table(file) for file in files]
    first = tables[0].schema
    image = _column(files[0], first.names, ("image", "img"))
    label = _column(files[0], first.names, ("label", "fine_label", "labels"))
    further = [name for name in first.names if name != label and _is_label_column(first.field(name))]
    wanted = (label, *further) if human_labels else (label,)
    blobs: list[Any] = []
    rows: list[tuple[Path, int]] = []
    columns: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    for file, table in zip(files, tables, strict=True):
        for name in (image, *wanted):
            _column(file, table.column_names, (name,))
        for name in wanted:
            columns[name].append(_integers(file, name, table[name]))
        blobs += [cell.get("bytes") if isinstance(cell, dict) else cell for cell in table[image].to_pylist()]
        rows += [(file, row) for row in range(len(table))]

    def where(i: int) -> str:
        return f"{rows[i][0]}: column {image!r}, row {rows[i][1]}"

    for i, blob in enumerate(blobs):
        if not isinstance(blob, bytes):
            raise ValueError(f"{where(i)}: expected the bytes of an encoded image, got {type(blob).__name__}")
    images = decode_images(blobs, where)
    labels = {name: np.concatenate(parts) for name, parts in columns.items()}
    return images, labels.pop(label), labels, _hugging_face_names(first, label)


def _read_table(file: Path) -> Any:  # noqa: ANN401
    """One parquet file as a pyarrow table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{file}: not a whole parquet file; get or write it again ({one_line(error)})") from error


def _column(file: Path, columns: list[str], names: tuple[str, ...]) -> str:
    for name in names:
        if name in columns:
            return name
    raise ValueError(f"{file}: expected a column named {' or '.join(names)}, got {', '.join(columns)}")


def _is_label_column(field: Any) -> bool:  # noqa: ANN401
    """Whether a column may hold further labels of the same classes, such as those of CIFAR-10N."""
    import pyarrow as pa

    named = field.name.endswith("_label") or field.name.startswith("random_label")
    return named and "coarse" not in field.name and pa.types.is_integer(field.type)


def _integers(file: Path, name: str, column: Any) -> np.ndarray:  # noqa: ANN401
    """A column of whole numbers as int64 (n,)."""
    import pyarrow as pa

    if not pa.types.is_integer(column.type) or column.null_count or not len(column):
        got = f"{column.type}, {len(column)} rows, {column.null_count} of them null"
        raise ValueError(f"{file}: column {name!r}: expected an integer in every row, got {got}")
    return column.to_numpy().astype(np.int64)


def _hugging_face_names(schema: Any, label: str) -> tuple[str, ...] | None:  # noqa: ANN401
    """Class names that the Hugging Face library writes beside the schema."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features[label]["names"])
    except (TypeError, KeyError, ValueError):
        return None
