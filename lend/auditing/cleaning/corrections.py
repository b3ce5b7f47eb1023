"""Corrections: which example had which label, and which one it gets."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lend.inputs import is_real, read_table, require

ACTIONS = ("relabel", "drop")  # what the column action may say; an empty cell is the first
NEEDED = ("given_label", "suggested_label")
SHOWN = 5  # ids in an error


@dataclass(frozen=True)
class Correction:
    """The correction of one example, in the words of the file.

    Args:
        sample_id: Which example.
        before: The label that it has; None where it has none.
        after: The label that it gets; None where it is left out of the copy.
        score: Score of the label before, NaN where unknown.
    """

    sample_id: str
    before: str | None
    after: str | None
    score: float


def read_corrections(source: str | Path | pd.DataFrame, below: float | None = None) -> list[Correction]:
    """Read corrections, as :meth:`lend.Audit.patch` writes them.

    Args:
        source: Table with the columns sample_id (or the index of that name), given_label, suggested_label and, if
            there are, label_score and action; or its file, as :func:`lend.inputs.read_table` takes it.
        below: Only those with a score below this number; an unknown score is not. All if None.

    Returns:
        One correction per example; rows whose two labels are the same are none.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a column is missing, an example stands there twice, or a row says nothing that can be done.
    """
    require(below is None or (is_real(below) and 0 <= below), "below", "a score of at least 0", below)
    table = source if isinstance(source, pd.DataFrame) else read_table(source, name="corrections")
    if table.index.name == "sample_id" and "sample_id" not in table.columns:
        table = table.reset_index()
    missing = [name for name in ("sample_id", *NEEDED) if name not in table.columns]
    named = f"a table with the columns sample_id, {' and '.join(NEEDED)}"
    require(not missing, "corrections", named, f"none named {', '.join(missing)}")
    empty = [None] * len(table)
    columns = [list(table[name]) if name in table.columns else empty for name in ("label_score", "action")]
    rows = zip(table["sample_id"], table["given_label"], table["suggested_label"], *columns, strict=True)
    found = [_correction(line, *row) for line, row in enumerate(rows, 1)]
    ids = pd.Index([correction.sample_id for correction in found])
    repeated = list(ids[ids.duplicated()].unique())
    require(not repeated, "corrections", "of different examples", f"more than one of {some(repeated)}")
    wanted = [correction for correction in found if correction.before != correction.after]
    return [correction for correction in wanted if below is None or correction.score < below]


def some(names: Iterable[str]) -> str:
    """The first of these names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(map(repr, names[:SHOWN])) + more


def _correction(line: int, sample_id: Any, before: Any, after: Any, score: Any, action: Any) -> Correction:  # noqa: ANN401 (cells of a table)
    place = f"corrections: row {line}"
    texts = [None if pd.isna(cell) else str(cell) for cell in (sample_id, before, after, action)]
    name, given, suggested, act = texts
    require(name is not None, f"{place}: sample_id", "known", "an empty cell")
    require(act in (None, *ACTIONS), f"{place}: action", f"{' or '.join(ACTIONS)}, or empty", act)
    if act == "drop":
        return Correction(str(name), given, None, _score(score, place))
    allowed = "a class, or the action drop, which leaves the example out"
    require(suggested is not None, f"{place}: suggested_label", allowed, "an empty cell")
    return Correction(str(name), given, suggested, _score(score, place))


def _score(cell: Any, place: str) -> float:  # noqa: ANN401 (likewise)
    try:
        return math.nan if pd.isna(cell) else float(cell)
    except (TypeError, ValueError):
        raise ValueError(f"{place}: label_score must be a number or empty, got {cell!r}") from None
