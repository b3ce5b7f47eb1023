"""Rows of an audit for other tools: which examples, and their numbers and names as JSON holds them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lend.auditing.report.audited import Audited
from lend.inputs import require
from lend.plots import worst
from lend.storage import write_text


@dataclass(frozen=True)
class Row:
    """One example.

    Args:
        place: Its row in the audit.
        sample_id: Its id, text or an integer.
        given: Given label; None without one.
        suggested: Suggested label; None where nothing is known.
        score: Score of the given label; None without one.
        probability: Probability of the suggested label.
        issue: Whether the label is an issue.
    """

    place: int
    sample_id: str | int
    given: Any
    suggested: Any
    score: float | None
    probability: float | None
    issue: bool


def labelled(found: Audited) -> pd.DataFrame:
    """The issues of the examples that have a label."""
    gaps = found.issues.get("is_unlabelled")
    return found.issues if gaps is None else found.issues[~gaps.to_numpy(bool)]


def rows_of(found: Audited, everything: bool) -> Iterator[Row]:
    """Yield all examples in their order; or the label issues, worst first, and then those without a label.

    Args:
        found: The audit.
        everything: Whether all.
    """
    issues = found.issues.assign(place=np.arange(len(found.issues)))
    if not everything:
        gaps = issues["is_unlabelled"].to_numpy(bool) if "is_unlabelled" in issues else np.zeros(len(issues), bool)
        issues = pd.concat([worst(issues, len(issues)), issues[gaps]])
    code = {name: place for place, name in enumerate(found.classes.index)}
    for row in issues.itertuples():
        given, suggested = _plain(row.given_label), _plain(row.predicted_label)
        sure = None if suggested is None else float(found.distributions[row.place, code[suggested]])
        score = None if given is None else float(row.label_score)
        yield Row(int(row.place), _plain(row.Index), given, suggested, score, sure, bool(row.is_label_issue))


def write_json_list(path: Path, records: list[Any]) -> Path:
    """Write a list as JSON, a record to a line."""
    lines = ",\n".join(json.dumps(record, allow_nan=False) for record in records)
    return write_text(path, f"[\n{lines}\n]\n")


def read_json_list(path: Path) -> list[dict[str, Any]]:
    """Read a list of objects.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none.
    """
    if not path.is_file():
        raise FileNotFoundError(f"path: {path}: no such file")
    try:
        records = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: cannot be read as JSON ({' '.join(str(error).split())})") from None
    fine = isinstance(records, list) and all(isinstance(record, dict) for record in records)
    require(fine, str(path), "a list of objects", type(records).__name__)
    return records


def answers_table(path: Path, answered: list[tuple[Any, Any, set[Any], Any]]) -> pd.DataFrame:
    """Make the table of answers of id, given label, all answers to it, and score.

    An example without an answer is left out, and so is one whose answers differ: a warning counts these.
    """
    torn = sum(len(answers) > 1 for _, _, answers, _ in answered)
    if torn:
        warnings.warn(f"{path}: {torn:,} examples are left out, whose answers contradict each other", stacklevel=5)
    rows = [(name, given, *answers, score) for name, given, answers, score in answered if len(answers) == 1]
    ids, *columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    index = pd.Index(list(ids), name="sample_id", dtype=object)
    table = pd.DataFrame(
        {
            name: pd.Series(list(cells), index, dtype=object)
            for name, cells in zip(("given_label", "suggested_label"), columns, strict=False)
        }
    )
    scores = [np.nan if score is None else float(score) for score in columns[2]]
    return table.assign(label_score=scores)


def _plain(value: Any) -> Any:  # noqa: ANN401 (a cell)
    """An id or a name as JSON holds it: text, an integer or a boolean of Python; None where it is missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
