"""Argilla: records with suggestions, as ``Dataset.records.from_json`` reads them (its guide to importing records)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lend.auditing.report.audited import Audited
from lend.auditing.report.exports.rows import answers_table, read_json_list, rows_of, write_json_list
from lend.inputs import require

QUESTION, FIELD = "label", "text"


def write_argilla(found: Audited, path: Path, *, texts: Sequence[str] | None = None, everything: bool = False) -> Path:
    """Write records with a field "text", a suggestion for the question "label", and the audit's numbers as metadata.

    Args:
        found: The audit.
        path: JSON file to write.
        texts: One per example; the ids stand for them if not given.
        everything: Write all examples, not the issues and those without a label alone.
    """
    records = []
    for row in rows_of(found, everything):
        about = {"given_label": row.given, "label_score": row.score, "is_label_issue": row.issue}
        suggestion = {"value": str(row.suggested), "score": row.probability, "agent": "lend"}
        records.append(
            {
                "id": str(row.sample_id),
                "fields": {FIELD: str(row.sample_id if texts is None else texts[row.place])},
                "metadata": {name: _value(value) for name, value in about.items() if value is not None},
                "suggestions": {} if row.suggested is None else {QUESTION: suggestion},
                "responses": {},
                "vectors": {},
            }
        )
    return write_json_list(path, records)


def read_argilla(path: Path) -> pd.DataFrame:
    """Read the responses to the question "label" in a file of ``Dataset.records.to_json``."""
    rows = []
    for number, record in enumerate(read_json_list(path), 1):
        about, responses = record.get("metadata") or {}, (record.get("responses") or {}).get(QUESTION) or []
        valid = "id" in record and isinstance(about, dict) and isinstance(responses, list)
        valid = valid and all(isinstance(each, dict) for each in responses)
        require(valid, f"{path}: record {number}", "a record of Argilla", record)
        values = {each.get("value") for each in responses} - {None}
        rows.append((record["id"], about.get("given_label"), values, about.get("label_score")))
    return answers_table(path, rows)


def _value(value: Any) -> Any:  # noqa: ANN401
    """A value of metadata: Argilla has texts and numbers."""
    return str(value) if isinstance(value, bool | str) else value
