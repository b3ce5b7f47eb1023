"""JSON lines: the bytes of every value stay, but for the labels that change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

from lend.auditing.cleaning.corrections import Correction
from lend.auditing.cleaning.journal import Applied, write_journal
from lend.auditing.cleaning.options import Options, before_name
from lend.auditing.cleaning.placing import put
from lend.auditing.cleaning.rows import like_known, output_ids, plan_rows
from lend.inputs import require

ENDINGS = (".jsonl", ".ndjson")
SPACE = " \t"
Span = tuple[int, int, Any]  # where a value is written in its line, and what it is


@dataclass(frozen=True)
class Record:
    """One line with an object.

    Args:
        text: The line, with its end.
        values: Where each value is written, and what it is, by key.
    """

    text: str
    values: dict[str, Span]


def apply_to_json_lines(source: Path, out: Path, corrections: Sequence[Correction], options: Options) -> Applied:
    """Write the lines with corrected labels, and those before under a key after them; blank lines stay.

    Raises:
        ValueError: If a line is no object, or the label of one is no text, whole number or boolean; names the line.
    """
    options.refuse(str(source), "split", "link")
    try:
        text = source.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{source}: cannot be read as UTF-8 ({error})") from None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = text.removeprefix(mark).split("\n")
    lines = [line + "\n" for line in lines[:-1]] + lines[-1:]
    records = {at: _record(line, f"{source}: line {at + 1}") for at, line in enumerate(lines) if line.strip()}
    require(bool(records), str(source), "lines with objects", "none")
    label, ids = options.columns(
        list(dict.fromkeys(key for each in records.values() for key in each.values)), str(source)
    )
    known = {_text(each, label, source): each.values[label][2] for each in records.values() if label in each.values}
    labels = [_text(each, label, source) for each in records.values()]
    of_ids = (
        None if ids is None else [str(each.values[ids][2]) if ids in each.values else "" for each in records.values()]
    )
    planned = plan_rows(corrections, of_ids, labels, set(labels), options.new_classes, source)
    for row, at in enumerate(records):
        each = planned.get(row)
        new = None if each is None or each.after is None else like_known(each.after, known)
        lines[at] = "" if each is not None and each.after is None else _rewritten(records[at], label, new)
    content = (mark + "".join(lines)).encode()
    written = put(out, lambda file: file.write(content))
    return write_journal(out, corrections, output_ids(planned, ids is None), len(records), written)


def _record(line: str, place: str) -> Record:
    """Read an object with the places of its values."""
    try:
        whole = json.loads(line)
        require(isinstance(whole, dict), place, "an object", type(whole).__name__)
        at, values, decoder = _skip(line, 0) + 1, dict[str, Span](), json.JSONDecoder()
        while (at := _skip(line, at)) < len(line) and line[at] != "}":
            key, at = scanstring(line, at + 1)
            start = _skip(line, _skip(line, at) + 1)
            value, at = decoder.raw_decode(line, start)
            require(key not in values, place, "of different keys", f"{key!r} twice")
            values[key] = (start, at, value)
            at = _skip(line, at)
            at += line[at] == ","
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{place}: expected an object of JSON ({error})") from None
    return Record(line, values)


def _skip(line: str, at: int) -> int:
    while at < len(line) and line[at] in " \t\r\n":
        at += 1
    return at


def _text(record: Record, label: str, source: Path) -> str | None:
    """The label as a correction writes it."""
    value = record.values[label][2] if label in record.values else None
    require(value is None or isinstance(value, str | int), f"{source}: {label}", "texts or whole numbers", value)
    return None if value is None else str(value)


def _rewritten(record: Record, label: str, new: Any) -> str:  # noqa: ANN401 (a label)
    """The line with the label before under a key of its own, after the label; a new one in its place unless None."""
    if label not in record.values:
        if new is None:
            return record.text
        end = record.text.rindex("}")
        comma = ", " if record.values else ""
        return f"{record.text[:end].rstrip()}{comma}{_json(label, record)}: {_json(new, record)}{record.text[end:]}"
    start, end, _ = record.values[label]
    old = record.text[start:end]
    written = old if new is None else _json(new, record)
    return f"{record.text[:start]}{written}, {_json(before_name(label), record)}: {old}{record.text[end:]}"


def _json(value: Any, record: Record) -> str:  # noqa: ANN401
    return json.dumps(value, ensure_ascii=record.text.isascii())
