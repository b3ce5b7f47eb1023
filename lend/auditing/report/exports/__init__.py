"""An audit in the formats of other tools, and the answers that people gave there, back; a file each.

Ids and class names go over as they are, so that answers find their examples again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from lend.auditing.report.audited import Audited
from lend.auditing.report.exports.argilla import read_argilla, write_argilla
from lend.auditing.report.exports.cleanlab import cleanlab_issues, write_cleanlab
from lend.auditing.report.exports.fiftyone import write_fiftyone
from lend.auditing.report.exports.label_studio import read_label_studio, write_label_studio
from lend.inputs import require_name

Writer = Callable[..., Path]
FORMATS: dict[str, Writer] = {
    "argilla": write_argilla,
    "cleanlab": write_cleanlab,
    "fiftyone": write_fiftyone,
    "label-studio": write_label_studio,
}
READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "argilla": read_argilla,
    "label-studio": read_label_studio,
}

__all__ = ["FORMATS", "READERS", "cleanlab_issues", "export", "read_answers"]


def export(found: Audited, tool: str, path: str | Path, **options: Any) -> Path:  # noqa: ANN401 (those of the writer)
    """Write an audit for another tool; arguments and errors are those of :meth:`lend.Audit.export`."""
    require_name(tool, FORMATS, "tool")
    return FORMATS[tool](found, Path(path).expanduser(), **options)


def read_answers(tool: str, path: str | Path) -> pd.DataFrame:
    """Read what people answered in another tool to what :meth:`lend.Audit.export` wrote for it.

    Args:
        tool: "label-studio", for its export in the format JSON, or "argilla", for what its ``records.to_json`` wrote.
        path: The file.

    Returns:
        One row for each example with an answer, as :func:`lend.apply` takes it: index ``sample_id``, ``given_label``,
        ``suggested_label``, which is the answer, and ``label_score``. An example whose answers contradict each other is
        left out, and a warning counts such.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file; names the first record that is not as expected.
    """
    require_name(tool, READERS, "tool")
    return READERS[tool](Path(path).expanduser())
