"""The file that keeps the answers of a review: written whole after each answer, and read when the review goes on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lend import storage
from lend.explorer.inspection.corrections import NONE, UNSURE
from lend.inputs import require

FORMAT = 1
NO_CLASS = "no_class"  # mark of an answer that none of the classes is right; a reader that knows it not is unsure
ADVICE = "open the explorer again to go on from it, or name another file with answers="


class AnswersFile:
    """Answers by row of an audit: the name of a class, or UNSURE or NONE in its place.

    Args:
        path: The file; it need not be there yet, and is not made before the first answer.
        digest: SHA-256 of the examples and given labels of the audit.

    Raises:
        ValueError: If the file holds answers to other labels, or something else.
        DamagedFileError: If it was truncated or altered; the message names it.

    Attributes:
        answers: What was read or written last.
    """

    def __init__(self, path: str | Path, digest: str) -> None:
        self.path, self.digest = Path(path).expanduser(), digest
        self.answers: dict[int, str | int] = {}
        self._content = ""  # SHA-256 of the file as it was read or written last
        if os.path.lexists(self.path):
            self._content, record = storage.sha256(self.path), storage.read_json(self.path)
            require(record.get("review") == FORMAT, "answers", f"a review of format {FORMAT}", f"{self.path}")
            of_these = record.get("audit") == digest
            require(of_these, "answers", "a file of answers to the labels of this audit", f"{self.path}, of others")
            with storage.damage_of(self.path):
                self.answers = {int(one["row"]): _answer(one) for one in record["answers"]}

    def write(self, answers: Mapping[int, str | int], ids: pd.Index) -> None:
        """Write the answers, whole or not at all.

        Args:
            answers: By row.
            ids: Sample ids of all rows, for people who read the file.

        Raises:
            ValueError: If somebody else wrote to the file since; nothing is written over.
            OSError: If it cannot be written.
        """
        if os.path.lexists(self.path) and storage.sha256(self.path) != self._content:
            raise ValueError(f"{self.path} was changed by another window since it was read: {ADVICE}")
        rows = [{"row": row, "sample_id": str(ids[row]), **_record(answers[row])} for row in sorted(answers)]
        storage.write_json(self.path, {"review": FORMAT, "audit": self.digest, "answers": rows})
        self._content, self.answers = storage.sha256(self.path), dict(answers)


def _record(answer: str | int) -> dict[str, Any]:
    """Return an answer as it is written: the label of none is null, as that of an unsure one."""
    if isinstance(answer, str):
        return {"label": answer}
    return {"label": None, NO_CLASS: True} if answer == NONE else {"label": None}


def _answer(record: Mapping[str, Any]) -> str | int:
    label = record["label"]
    if label is None:
        return NONE if record.get(NO_CLASS) else UNSURE
    if not isinstance(label, str):
        raise TypeError("a label is no text")
    return label
