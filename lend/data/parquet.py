"""Parquet tables of images and labels."""

import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from lend.data.assembling import assemble
from lend.data.dataset import Dataset
from lend.data.decoding import decode_images
from lend.data.files import one_line
from lend.data.labels import join_labels, read_labels, settle_classes
from lend.inputs import Labels, require


@dataclass(frozen=True)
class _Part:
    """Images, labels (n,), further labels by column, and class names (None where unknown) of a part of a data set."""

    images: Tensor
    labels: Labels
    further: dict[str, Labels]
    class_names: tuple[str, ...] | None


def read_parquet(path: Path) -> Dataset:
    """Parquet tables with an image and a label column, as on Hugging Face or written by pandas."""
    name = path.name
    train = _read_part(_part_files(path, "train"), further=True)
    test = _read_part(_part_files(path, "test"), further=False)
    same = None in (train.class_names, test.class_names) or train.class_names == test.class_names
    require(
        same, f"{path}: class names of the test files", f"{train.class_names}, as of the training", test.class_names
    )
    names = train.class_names or test.class_names
    classes = settle_classes(name, str(path), train.labels, test.labels, names, train.further)
    return assemble(
        name,
        (train.images, classes.train),
        (test.images, classes.test),
        classes.names,
        classes.further,
        source=path,
    )


def _part_files(path: Path, part: str) -> list[Path]:
    single = path.parent / f"{path.name}-{part}.parquet"
    files = [single] if single.is_file() else sorted(path.glob(f"{part}*.parquet"))
    if not files:
        raise FileNotFoundError(
            f"{single}: no such file; expected {path}-train.parquet and {path}-test.parquet, "
            f"or {path}/train*.parquet and {path}/test*.parquet"
        )
    # Of files that count themselves, as those of Hugging Face, none may be missing.
    counted = [re.search(r"-(\d+)-of-(\d+)\.parquet$", file.name) for file in files]
    for file, found in zip(files, counted, strict=True):
        total = int(found[2]) if found else len(files)
        require(total == len(files), str(file), f"one of {total} {part} files", f"{len(files)} of them")
    return files


def _read_part(files: list[Path], further: bool) -> _Part:
    """One part, with the further labels of its examples where they are asked for."""
    tables = [_read_table(file) for file in files]
    first = tables[0].schema
    image = _column(files[0], first.names, ("image", "img"))
    label = _column(files[0], first.names, ("label", "fine_label", "labels"))
    blobs: list[Any] = []
    rows: list[tuple[Path, int]] = []
    for file, table in zip(files, tables, strict=True):
        for name in (image, label):
            _column(file, table.column_names, (name,))
        names = hugging_face_names(table.schema, label), hugging_face_names(first, label)
        require(names[0] == names[1], f"{file}: class names", f"{names[1]}, as in {files[0].name}", names[0])
        blobs += [cell.get("bytes") if isinstance(cell, dict) else cell for cell in table[image].to_pylist()]
        rows += [(file, row) for row in range(len(table))]

    def where(i: int) -> str:
        return f"{rows[i][0]}: column {image!r}, row {rows[i][1]}"

    labels = _read_labels(files, tables, label)
    for i, blob in enumerate(blobs):
        if not isinstance(blob, bytes):
            raise ValueError(f"{where(i)}: expected the bytes of an encoded image, got {type(blob).__name__}")
    columns = [name for name in first.names if name != label and _is_label_column(name)] if further else []
    others = {name: _read_further(files, tables, name) for name in columns}
    kept = {name: column for name, column in others.items() if column is not None}
    return _Part(decode_images(blobs, where), labels, kept, hugging_face_names(first, label))


def _read_labels(files: list[Path], tables: list[Any], name: str) -> Labels:
    """A column of labels of all files, one after another."""
    for file, table in zip(files, tables, strict=True):
        _column(file, table.column_names, (name,))
    parts = [
        read_labels(table[name], f"{file}: column {name!r}")
        for file, table in zip(files, tables, strict=True)
        if len(table) or len(files) == 1
    ]
    return join_labels(parts, f"{files[0].parent}: column {name!r}")


def _read_further(files: list[Path], tables: list[Any], name: str) -> Labels | None:
    """A column of further labels; None, with a warning, where it is not complete."""
    try:
        return _read_labels(files, tables, name)
    except ValueError as error:
        warnings.warn(f"column {name!r} is left out: {error}", stacklevel=2)
        return None


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


def _is_label_column(name: str) -> bool:
    """Whether a column may hold further labels of the same classes, such as those of CIFAR-10N."""
    return (name.endswith("_label") or name.startswith("random_label")) and "coarse" not in name


def hugging_face_names(schema: Any, label: str) -> tuple[str, ...] | None:  # noqa: ANN401
    """Return the class names that the Hugging Face library writes beside the schema of a table, or None.

    Args:
        schema: Of pyarrow.
        label: Name of the column of labels.
    """
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features[label]["names"])
    except (TypeError, KeyError, ValueError):
        return None
