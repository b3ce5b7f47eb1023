"""CSV and other tables of text: the bytes of every cell stay, but for the labels that change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lend.auditing.cleaning.corrections import Correction
from lend.auditing.cleaning.journal import Applied, write_journal
from lend.auditing.cleaning.options import Options, before_name
from lend.auditing.cleaning.placing import put
from lend.auditing.cleaning.rows import output_ids, plan_rows
from lend.inputs import Layout, plain_cells, read_layout, require, safe_cell


@dataclass(frozen=True)
class Line:
    """One row of the file, as it is written.

    Args:
        cells: The text of each cell, with its quotes.
        end: What ends the row.
    """

    cells: list[str]
    end: str


def apply_to_text(source: Path, out: Path, corrections: Sequence[Correction], options: Options) -> Applied:
    """Write the table with corrected labels, and those before in a column after them.

    Delimiter, quotes, line ends, encoding and all other cells stay as they are.

    Raises:
        ValueError: If the file is no table with a header, as :func:`lend.inputs.read_table` reads it.
    """
    options.refuse(str(source), "split", "link")
    layout = read_layout(source)
    lines = split_rows(layout, source)
    header, *body = lines
    names = plain_cells([_value(cell, layout).strip() for cell in header.cells])
    label, ids = options.columns(names, str(source))
    at = names.index(label)
    texts = plain_cells([_value(line.cells[at], layout) or None for line in body])
    of_ids = None if ids is None else _column(body, names.index(ids), layout)
    planned = plan_rows(corrections, of_ids, texts, set(texts), options.new_classes, source)
    written_as = {text: line.cells[at] for text, line in zip(texts, body, strict=True) if text is not None}
    parts = [_row(header, at, header.cells[at], _like(header.cells[at], before_name(label), layout), layout)]
    for row, line in enumerate(body):
        old, each = line.cells[at], planned.get(row)
        if each is None:
            parts.append(_row(line, at, old, old, layout))
        elif each.after is not None:
            new = written_as.get(each.after) or _like(old, safe_cell(each.after), layout)
            parts.append(_row(line, at, new, old, layout))
    content = layout.mark + _encoded("".join(parts), layout, source)
    written = put(out, lambda file: file.write(content))
    return write_journal(out, corrections, output_ids(planned, ids is None), len(body), written)


def split_rows(layout: Layout, source: Path) -> list[Line]:
    """Cut the text of a table into rows and cells, as they are written; blank rows go with the row before them.

    Raises:
        ValueError: If it cannot be cut as the csv module cuts it.
    """
    text, bound = layout.text, re.escape(layout.delimiter or "\n")
    space = " *" if layout.spaced else ""
    pattern = re.compile(rf'(?P<cell>{space}"(?:[^"]|"")*"|[^{bound}\r\n]*)(?P<end>{bound}|\r\n|\n|\r|\Z)')
    lines, cells, place = list[Line](), list[str](), 0
    while place < len(text) or cells:
        found = pattern.match(text, place)
        if found is None:
            raise ValueError(f"{source}: expected a whole cell, got {text[place : place + 40]!r}")
        place = found.end()
        cells.append(found["cell"])
        if found["end"] == layout.delimiter:
            continue
        blank = cells == [""] and (layout.delimiter is not None or not text[place:].strip("\r\n"))
        if blank and lines:
            lines[-1] = Line(lines[-1].cells, lines[-1].end + found["end"])
        else:
            lines.append(Line(cells, found["end"]))
        cells = []
    last = max(number for number, row in enumerate(layout.rows, 1) if any(row))
    parsed = [[_value(cell, layout) for cell in line.cells] for line in lines]
    require(parsed == layout.rows[:last], str(source), "a table that is cut in one way alone", "quotes inside of cells")
    return lines


def _encoded(text: str, layout: Layout, source: Path) -> bytes:
    try:
        return text.encode(layout.encoding)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"corrections: suggested_label must be of letters that {source} has in its encoding, {layout.encoding}, "
            f"got {error.object[error.start : error.end]!r}"
        ) from None


def _column(body: Sequence[Line], at: int, layout: Layout) -> list[str]:
    return plain_cells([_value(line.cells[at], layout) for line in body])


def _value(cell: str, layout: Layout) -> str:
    """The text that a cell stands for."""
    cell = cell.lstrip(" ") if layout.spaced else cell
    return cell[1:-1].replace('""', '"') if cell.startswith('"') and len(cell) > 1 else cell


def _like(old: str, text: str, layout: Layout) -> str:
    """Write a text as a cell in place of another: with its spaces before it, in quotes where it has or needs them."""
    space = old[: len(old) - len(old.lstrip(" "))] if layout.spaced else ""
    special = {layout.delimiter, '"', "\r", "\n"} & set(text)
    quoted = old.lstrip(" ").startswith('"') or special or text != text.strip()
    return space + ('"' + text.replace('"', '""') + '"' if quoted else text)


def _row(line: Line, at: int, label: str, before: str, layout: Layout) -> str:
    delimiter = layout.delimiter or ","
    space = " " if layout.spaced else ""
    cells = [*line.cells[:at], label, space + before.lstrip(" ") if layout.spaced else before, *line.cells[at + 1 :]]
    return delimiter.join(cells) + line.end
