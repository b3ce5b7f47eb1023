"""Tables and arrays in files of people: text first, numbers only where nothing is lost; errors name file and line."""

from __future__ import annotations

import csv
import io
import stat
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lend.inputs.cells import plain_cells
from lend.inputs.errors import require

DELIMITERS = "\t;|,"  # the comma last: it is the one that also stands inside of texts
SAMPLE = 1000  # lines to find the delimiter in
ENDINGS = (".csv", ".tsv", ".txt", ".parquet")
MARKS = {  # byte order marks; those that begin as a shorter one come before it
    b"\xff\xfe\0\0": "utf-32-le",
    b"\0\0\xfe\xff": "utf-32-be",
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}


@dataclass(frozen=True)
class Layout:
    """A table of text as it is written.

    Args:
        text: Content of the file, without its byte order mark.
        encoding: Of the text.
        mark: That mark; empty if there is none.
        delimiter: What sets fields apart; None in a table of one column.
        spaced: Whether a space after a delimiter belongs to it.
        rows: The fields of each row, blank ones without meaning left out.
    """

    text: str
    encoding: str
    mark: bytes
    delimiter: str | None
    spaced: bool
    rows: list[list[str]]


def read_table(path: str | Path, rows: int | None = None, name: str = "table") -> pd.DataFrame:
    """Read a table of text: every cell stays what was written; an empty cell is missing.

    - Fields are set apart by tab, semicolon, bar or comma: the first of them that cuts all rows alike.
    - Encoding: that of the byte order mark, else UTF-8, else the likeliest one, which a warning names.
    - Where every field after a delimiter, from the second row on, begins with a space, spaces there are no part of it:
      ``1, cat``. Otherwise they are.
    - An apostrophe that guards a text against spreadsheets, as in what this library writes, is taken away: see
      :func:`lend.inputs.plain_cells`.
    - Blank lines are skipped; in a table of one column those between others are missing cells.

    Args:
        path: .csv, .tsv or .txt; or .parquet, whose columns keep their types.
        rows: How many rows there should be, if known: a first line more than these is the header. If not known, the
            first line is the header. Columns without a header are called "1", "2", ...
        name: Of the argument, for errors.

    Returns:
        The table, its columns by name.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a row has more or fewer fields than the first; names file and line. If columns have one name.
    """
    path = Path(path).expanduser()
    _require_file(path, name)
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    require(path.suffix.lower() in ENDINGS, str(path), f"a file ending in {', '.join(ENDINGS)}", path.suffix)
    lines, header = _without_blank_end(read_layout(path).rows, rows)
    if header:
        below = [set(cells) for cells in zip(*lines[1:], strict=True)]
        taken = bool(below) and all(cell in cells for cell, cells in zip(lines[0], below, strict=True))
        require(not taken, f"{path}: line 1", "a header, or one row less in all", f"{lines[0]}, which occur below it")
    names = plain_cells([name.strip() for name in lines[0]]) if header else [str(1 + i) for i in range(len(lines[0]))]
    repeated = sorted({name for name in names if names.count(name) > 1})
    require(not repeated, f"{path}: columns", "of different names", f"{repeated} more than once")
    columns = [plain_cells([cell or None for cell in cells]) for cells in zip(*lines[header:], strict=True)]
    return pd.DataFrame(
        {place: pd.Series(cells, dtype=object) for place, cells in enumerate(columns)}, columns=range(len(names))
    ).set_axis(pd.Index(names, dtype=object), axis=1)


def read_layout(path: str | Path) -> Layout:
    """Read a table of text with all that is needed to write it again as it was.

    Args:
        path: .csv, .tsv or .txt; read as :func:`read_table` says.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a row has more or fewer fields than the first, or there is none; names file and line.
    """
    path = Path(path).expanduser()
    _require_file(path, "table")
    layout = _cut(path, *_decode(path))
    require(any(map(any, layout.rows)), str(path), "a table with rows", "an empty file")
    return layout


def text_or_numbers(column: pd.Series) -> pd.Series:
    """Make integers of a column of text where all of it reads back as it was written: not of "007", "3.10" or 2^63."""
    known = [cell for cell in column if cell is not None]
    if not known or not all(isinstance(cell, str) and _is_plain_integer(cell) for cell in known):
        return column
    return pd.Series([None if cell is None else int(cell) for cell in column], index=column.index, dtype=object)


def read_npy(path: str | Path, name: str, mapped: bool = False) -> np.ndarray:
    """Read one array that np.save wrote; nothing in the file is executed.

    Args:
        path: The .npy file.
        name: Of the argument, for errors.
        mapped: Leave it on the disk, and read what is used.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or an array of Python objects.
    """
    path = Path(path).expanduser()
    _require_file(path, name)
    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except Exception as error:  # a damaged file may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        hint = "; save it again as numbers or text, not as Python objects" if "pickle" in reason else ""
        raise ValueError(f"{name}: {path}: expected an array saved with np.save{hint} ({reason})") from error
    require(isinstance(array, np.ndarray), name, "one array in an .npy file", str(path))
    return array


def _require_file(path: Path, name: str) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: {path}: no such file") from None
    if not stat.S_ISREG(mode):  # to open a pipe would wait for ever
        raise ValueError(f"{name}: {path}: is no file, but a folder, a pipe or a device")


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except Exception as error:  # a damaged file may raise many kinds
        raise ValueError(f"{path}: not a whole parquet file ({' '.join(str(error).split())})") from error
    repeated = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    require(not repeated, f"{path}: columns", "of different names", f"{repeated} more than once")
    return table.to_pandas(integer_object_nulls=True, ignore_metadata=True)


def _decode(path: Path) -> tuple[str, str, bytes]:
    """Return the text of a file, its encoding, and its byte order mark, which is no part of the text."""
    content = path.read_bytes()
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return _decoded(path, content.removeprefix(mark), encoding), encoding, mark
    try:
        text = content.decode()
        if "\0" not in text:
            return text, "utf-8", b""
    except UnicodeDecodeError:
        pass
    half = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be" if content[:1] == b"\0" else None
    encoding = half or _likeliest(content)
    warnings.warn(f"{path}: read as {encoding}, the likeliest encoding; save it as UTF-8 to be sure", stacklevel=5)
    return _decoded(path, content, encoding), encoding, b""


def _likeliest(content: bytes) -> str:
    """Guess the encoding of a text that is not UTF-8: cp1252, the most frequent one, where none is likelier."""
    from charset_normalizer import from_bytes

    found = from_bytes(content)
    if (best := found.best()) is None:
        return "latin-1"
    western = any(guess.chaos <= best.chaos and "cp1252" in guess.could_be_from_charset for guess in found)
    return "cp1252" if western else best.encoding


def _decoded(path: Path, content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
        require("\0" not in text, str(path), "a table of text", "bytes that are zero")
        return text
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: cannot be read as {encoding}; save it as UTF-8 ({error})") from None


def _cut(path: Path, text: str, encoding: str, mark: bytes) -> Layout:
    """Cut a text into rows and fields."""
    parsed: list[tuple[int, list[str]]] = []
    before = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        delimiter, spaced = _delimiter(text), False
        if delimiter is None:
            parsed = [(line, [",".join(fields)] if fields else []) for line, fields in _fields(text, ",")]
        else:
            parsed = list(_fields(text, delimiter))
            spaced = _spaced([fields for _, fields in parsed])
            parsed = list(_fields(text, delimiter, spaced=True)) if spaced else parsed
    except csv.Error as error:
        raise ValueError(f"{path}: {error}") from None
    finally:
        csv.field_size_limit(before)
    width = next((len(fields) for _, fields in parsed if fields), 1)
    rows: list[list[str]] = []
    for line, fields in parsed:
        if not fields and width > 1:
            continue
        row = fields or [""]
        require(len(row) == width, f"{path}: line {line}", f"of {width} fields, as the first line", len(row))
        rows.append(row)
    return Layout(text, encoding, mark, delimiter, spaced, rows)


def _fields(text: str, delimiter: str, spaced: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row, and the number of its last line.

    Raises:
        csv.Error: With the number of the line.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=spaced, strict=True)
    try:
        yield from ((reader.line_num, fields) for fields in reader)
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from None


def _spaced(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a space after a delimiter belongs to it: every field there, of all rows below the first, begins so."""
    after = [field for fields in rows[1:] for field in fields[1:] if field]
    return bool(after) and all(field.startswith(" ") for field in after)


def _without_blank_end(lines: list[list[str]], rows: int | None) -> tuple[list[list[str]], bool]:
    """Leave out blank lines at the end, but for those that are wanted rows; and say whether the first line is a header.

    Where a header and a missing last cell, or no header and a blank last line, make as many lines, the first line is a
    header unless it occurs again below.
    """
    last = max(number for number, line in enumerate(lines, 1) if any(line))
    if rows is None:
        return lines[:last], True
    headed, headless = last <= rows + 1 <= len(lines), last <= rows <= len(lines)
    if headed and headless:
        headless = lines[0] in lines[1:last]
    return lines[: rows if headless else rows + 1 if headed else last], not headless


def _delimiter(text: str) -> str | None:
    """The delimiter that cuts the first lines alike, or else the one that cuts the first line; None for one column."""
    sample = text.splitlines(keepends=True)[:SAMPLE]
    cut: dict[str, Sequence[int]] = {}
    for delimiter in DELIMITERS:
        try:
            rows = list(csv.reader(sample, delimiter=delimiter))
            if _spaced(rows):
                rows = list(csv.reader(sample, delimiter=delimiter, skipinitialspace=True))
        except csv.Error:
            continue
        # a quoted field may be cut off at the end of the sample
        rows = rows[:-1] if len(sample) == SAMPLE and len(rows) > 1 else rows
        cut[delimiter] = [len(fields) for fields in rows if fields]
    alike = [delimiter for delimiter, widths in cut.items() if len(set(widths)) == 1 and widths[0] > 1]
    first = [delimiter for delimiter, widths in cut.items() if widths and widths[0] > 1]
    return next(iter(alike + first), None)


def _is_plain_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    short = digits.isascii() and digits.isdigit() and len(digits) < 20
    return short and str(int(text)) == text and -(2**63) <= int(text) < 2**63
