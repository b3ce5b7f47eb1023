"""Rows of a table in text: which of them change, and how; the same for CSV and for JSON lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from lend.auditing.cleaning.corrections import Correction
from lend.auditing.cleaning.planning import check_classes, check_labels, find_rows
from lend.inputs import require


def plan_rows(
    corrections: Sequence[Correction],
    ids: Sequence[str] | None,
    labels: Sequence[str | None],
    known: Collection[str | None],
    new_classes: bool,
    place: str | Path,
) -> dict[int, Correction]:
    """Return the correction of each row that has one.

    Args:
        corrections: What is to be done.
        ids: Of all rows; their numbers, from 0, if None.
        labels: Of all rows, None without one.
        known: Classes.
        new_classes: Whether other classes are allowed.
        place: What the table is called in errors.

    Raises:
        ValueError: If an id is not there, a label is another, or a class is not known.
    """
    rows = find_rows(corrections, [str(row) for row in range(len(labels))] if ids is None else ids, str(place))
    check_labels(corrections, [labels[row] for row in rows], str(place))
    check_classes(corrections, {label for label in known if label is not None}, new_classes)
    return dict(zip(rows, corrections, strict=True))


def like_known(after: str, known: Mapping[str | None, Any]) -> Any:  # noqa: ANN401 (a label)
    """Return a class as the labels of the data are written: one of theirs, or a new one of their kind.

    Raises:
        ValueError: If they are whole numbers, and the new class is none.
    """
    if after in known:
        return known[after]
    values = [value for value in known.values() if value is not None]
    if all(isinstance(value, str) for value in values):
        return after
    require(after.lstrip("-").isdigit(), "corrections: suggested_label", "a whole number, as the labels are", after)
    return int(after)


def output_ids(planned: dict[int, Correction], numbered: bool) -> list[str | None]:
    """Return the ids of the corrected examples in the copy: their own, or the numbers that rows have there.

    Args:
        planned: The correction of each row, in the order of the corrections.
        numbered: Whether ids are numbers of rows, which move up where rows before them are left out.
    """
    gone = sorted(row for row, each in planned.items() if each.after is None)
    ids: list[str | None] = []
    for row, each in planned.items():
        moved = row - sum(other < row for other in gone) if numbered else each.sample_id
        ids.append(None if each.after is None else str(moved))
    return ids
