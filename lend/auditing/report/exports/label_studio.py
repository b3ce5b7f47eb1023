"""Label Studio: tasks with predictions, and its export in the format JSON back (its guides to both)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import pandas as pd

from lend.auditing.report.audited import Audited
from lend.auditing.report.exports.rows import answers_table, read_json_list, rows_of, write_json_list
from lend.inputs import require
from lend.storage import write_text

CONTROL = "label"  # name of the choices in the configuration


def write_label_studio(
    found: Audited,
    path: Path,
    *,
    texts: Sequence[str] | None = None,
    address: str | None = None,
    everything: bool = False,
) -> Path:
    """Write tasks as JSON, each with the suggested label as its prediction, and beside them the labeling configuration.

    Args:
        found: The audit.
        path: JSON file to write; the configuration, for the settings of a project, is the same with the ending .xml.
        texts: One per example.
        address: Of images, with ``{id}`` where the id of an example belongs, such as
            "/data/local-files/?d=photos/{id}" or "https://example.org/photos/{id}".
        everything: Write all examples, not the issues and those without a label alone.

    Raises:
        ValueError: Unless either texts or the address is given.
    """
    require(path.suffix == ".json", "path", "a file name ending in .json", str(path))
    require((texts is None) != (address is None), "address", "given, or else texts", address)
    require(address is None or "{id}" in address, "address", "a text with {id} in it", address)
    kind = "text" if address is None else "image"
    tasks = []
    for row in rows_of(found, everything):
        shown = str(texts[row.place]) if address is None and texts is not None else _at(str(address), row.sample_id)
        data = {kind: shown, "sample_id": row.sample_id, "given_label": row.given, "label_score": row.score}
        choice = {"from_name": CONTROL, "to_name": kind, "type": "choices", "value": {"choices": [str(row.suggested)]}}
        prediction = {"model_version": "lend", "score": row.probability, "result": [choice]}
        tasks.append({"data": data, "predictions": [] if row.suggested is None else [prediction]})
    write_text(path.with_suffix(".xml"), configuration(list(found.classes.index), kind))
    return write_json_list(path, tasks)


def configuration(names: Sequence[Any], kind: str) -> str:
    """Return the labeling configuration: the example, its given label, and one choice per class.

    Args:
        names: Classes.
        kind: "text" or "image".
    """
    tag = {"text": "Text", "image": "Image"}[kind]
    choices = "\n".join(f"    <Choice value={quoteattr(str(name))}/>" for name in names)
    return (
        f'<View>\n  <{tag} name="{kind}" value="${kind}"/>\n  <Header value="given label: $given_label"/>\n'
        f'  <Choices name="{CONTROL}" toName="{kind}" choice="single" showInline="true">\n{choices}\n  </Choices>\n'
        f"</View>\n"
    )


def read_label_studio(path: Path) -> pd.DataFrame:
    """Read the annotations in an export of the format JSON; cancelled ones do not count."""
    rows = []
    for number, task in enumerate(read_json_list(path), 1):
        data, annotations = task.get("data") or {}, task.get("annotations")
        valid = isinstance(data, dict) and "sample_id" in data and isinstance(annotations, list)
        require(valid, f"{path}: task {number}", "a task of ours, from an export in the format JSON", task)
        assert annotations is not None
        chosen = {choice for each in annotations if not each.get("was_cancelled") for choice in _choices(each)}
        rows.append((data["sample_id"], data.get("given_label"), chosen, data.get("label_score")))
    return answers_table(path, rows)


def _choices(annotation: dict[str, Any]) -> list[str]:
    """What an annotation chose."""
    parts = [part for part in annotation.get("result") or [] if part.get("from_name") == CONTROL]
    return [str(choice) for part in parts for choice in (part.get("value") or {}).get("choices") or []]


def _at(address: str, sample_id: str | int) -> str:
    return address.replace("{id}", quote(str(sample_id)))
