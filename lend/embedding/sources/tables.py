"""Tables of texts: .csv, .tsv, .txt, and lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lend.embedding.source import TEXTS, Content, Source, Unreadable, file_signs, make_source
from lend.embedding.sources.choosing import Columns, choose_columns
from lend.inputs import read_table, require, text_or_numbers

LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", ".txt", *LINES)


def open_table(path: Path, columns: Columns) -> Source:
    """Texts of a table; an id is the row, counted from 0 below the header, unless a column has ids.

    Raises:
        ValueError: If the table cannot be read, or a column is not there or is ambiguous.
    """
    require(columns.image is None, "image", "a column of a .parquet or Arrow file", f"one of {path}")
    table = _read_lines(path) if path.suffix.lower() in LINES else read_table(path)
    text, label, ids = choose_columns(str(path), list(map(str, table.columns)), columns)
    return make_source(
        TEXTS,
        str(path),
        texts_of(table[text].tolist()),
        len(table),
        (*file_signs([path]), text, label, ids),
        labels=None if label is None else text_or_numbers(table[label]).tolist(),
        ids=None if ids is None else text_or_numbers(table[ids]).tolist(),
    )


def texts_of(cells: Sequence[Any]) -> Any:  # noqa: ANN401 (a function: of Source)
    """The contents of texts in memory."""

    def contents(start: int) -> Iterator[Content]:
        for cell in cells[start:]:
            missing = cell is None or cell is pd.NA or cell != cell
            yield (
                cell
                if isinstance(cell, str)
                else Unreadable("no text" if missing else f"no text, but {type(cell).__name__}")
            )

    return contents


def _read_lines(path: Path) -> pd.DataFrame:
    """A table of one JSON object a line; blank lines are skipped."""
    rows = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: cannot be read as UTF-8 ({error})") from None
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines: JSON may hold other line breaks
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{path}: line {number}: no object of JSON ({error})") from None
            require(isinstance(row, dict), f"{path}: line {number}", "an object of JSON", type(row).__name__)
            rows.append(row)
    require(bool(rows), str(path), "a table with rows", "an empty file")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})
