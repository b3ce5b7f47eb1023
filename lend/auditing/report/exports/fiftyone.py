"""FiftyOne: labels in the format FiftyOneImageClassificationDataset (its guide to importing datasets)."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from lend.auditing.report.audited import Audited
from lend.auditing.report.exports.rows import rows_of
from lend.inputs import require
from lend.storage import write_text

GIVEN, SUGGESTED = "given.json", "suggested.json"


def write_fiftyone(found: Audited, path: Path) -> Path:
    """Write a folder with two files of labels, given.json and suggested.json, for images whose ids are their paths.

    In FiftyOne an image goes by its path without the ending. The label score and whether the label is an issue are
    attributes of the given label; the probability is the confidence of the suggested one.

    Args:
        found: The audit.
        path: Folder to write to; made if it is missing.

    Raises:
        ValueError: If ids are no texts, or two of them differ in their ending alone.
    """
    rows = list(rows_of(found, everything=True))
    names = [str(name) for name in found.classes.index]
    code = {name: place for place, name in enumerate(found.classes.index)}
    paths = [row.sample_id for row in rows]
    texts = all(isinstance(path, str) for path in paths)
    require(texts, "sample_ids", "paths of images, such as cat/001.png, for FiftyOne", paths[:1])
    keys = [str(PurePosixPath(str(path)).with_suffix("")) for path in paths]
    twins = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    require(not twins, "sample_ids", "different without their endings, for FiftyOne", twins[:5])
    given: dict[str, Any] = {}
    suggested: dict[str, Any] = {}
    for key, row in zip(keys, rows, strict=True):
        about = {"label_score": row.score, "is_label_issue": row.issue}
        given[key] = None if row.given is None else {"label": code[row.given], "attributes": about}
        known = row.suggested is not None
        suggested[key] = {"label": code[row.suggested], "confidence": row.probability} if known else None
    for name, labels in ((GIVEN, given), (SUGGESTED, suggested)):
        write_text(path / name, json.dumps({"classes": names, "labels": labels}, indent=1, allow_nan=False) + "\n")
    return path
