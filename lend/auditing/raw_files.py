"""From raw files to a report and corrections in one call."""

from __future__ import annotations

import shlex
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lend import storage
from lend.auditing.detection import audit
from lend.auditing.inputs import NEIGHBORS
from lend.auditing.result import CHECKED, Audit
from lend.embedding import embed_files, originals, read_embeddings
from lend.inputs import require, safe_table

USES = ("image", "text", "label", "id")  # of columns


@dataclass(frozen=True)
class Cleaned:
    """What :func:`clean` found and wrote; as text, three lines.

    Args:
        audit: The audit, with the images or texts.
        folder: Folder of all that was written.
        corrections: Number of labels that have a better suggestion.
        command: Shell command that applies the corrections to a copy of the data.
    """

    audit: Audit
    folder: Path
    corrections: int
    command: str

    def __str__(self) -> str:
        last = self.command if self.corrections else "no label has a better suggestion: nothing to apply"
        return (
            f"{self.audit}\n{self.folder / 'report.html'}: look at it first; {self.corrections:,} corrections\n{last}"
        )


def clean(
    data: str | Path,
    out: str | Path | None = None,
    *,
    image_column: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
    progress: bool = True,
    **options: Any,  # noqa: ANN401 (those of lend.embed)
) -> Cleaned:
    """Embed images or texts, audit their labels, and write a report and the corrections; the data stays as it is.

    Called again after it was stopped, it goes on from the embeddings that are there.

    Args:
        data: A path, as :func:`lend.embed` takes it.
        out: Folder to write to; if not given, that of the data with "-audit" behind its name. It gets
            embeddings.parquet, issues.csv, corrections.csv, report.html, and audit/, which :meth:`lend.Audit.load`
            reads.
        image_column: Of the images in a table; found by its name or type if not given, as the next two.
        text_column: Of the texts.
        label_column: Of the labels.
        id_column: Of the ids; rows are counted from 0 if not given.
        progress: Show progress bars.
        options: Further arguments of :func:`lend.embed`, such as ``model``.

    Raises:
        ValueError: As :func:`lend.embed` and :func:`lend.audit`; or if the data has no labels.
        FileNotFoundError: If there is no such file, or no image in a folder.
        MissingExtraError: If a package is missing.
    """
    path = Path(data).expanduser()
    path = path if path.name not in ("", "..") else path.resolve()
    folder = Path(out).expanduser() if out is not None else path.with_name(f"{path.name}-audit")
    inside = path.is_dir() and folder.resolve().is_relative_to(path.resolve())
    require(not inside, "out", "a folder outside of the data", str(folder))
    require(not folder.exists() or folder.is_dir(), "out", "a folder", str(folder))
    columns = dict(zip(USES, (image_column, text_column, label_column, id_column), strict=True))
    named = {f"{use}_column": name for use, name in columns.items()}
    written = embed_files(path, folder / "embeddings.parquet", progress=progress, **named, **options)
    table = read_embeddings(written.path)
    labels = table.labels
    if labels is None:
        got = "none" if label_column is None else f"none in the column {label_column!r}"
        raise ValueError(f"{path}: labels must be class folders, or a column that is named; got {got}")
    images = originals(written.source, table.ids.tolist())
    shown: dict[str, Any] = {"sample_ids": table.ids, "images": images, "texts": table.texts}
    found = audit(table.embeddings, labels, k=min(NEIGHBORS, max(1, len(table) - 1)), progress=progress, **shown)
    found = _with_answers(found, folder / "audit")
    found.save(folder / "audit")
    storage.write_csv(folder / "issues.csv", safe_table(found.issues))
    found.report(folder / "report.html", title=path.name, progress=progress)
    found.patch(folder / "corrections.csv")
    return Cleaned(found, folder, len(found.corrections), _apply_command(path, folder, columns))


def _with_answers(found: Audit, folder: Path) -> Audit:
    """Return the audit with the answers that lie in its folder; those of an audit of other labels are moved aside."""
    if not (folder / f"{CHECKED}.parquet").exists():
        return found
    try:
        before = Audit.load(folder)
    except storage.DamagedFileError:  # a save that was stopped
        before = None
    if before is not None and before.checked is not None and before.labelled.equals(found.labelled):
        return replace(found, checked=before.checked)
    kept = storage.moved_aside(folder)
    warnings.warn(f"{folder} held answers on other labels or scores: they are in {kept.name} now", stacklevel=3)
    return found


def _apply_command(path: Path, folder: Path, columns: dict[str, str | None]) -> str:
    target = path.with_name(f"{path.stem}-cleaned{path.suffix}" if path.is_file() else f"{path.name}-cleaned")
    words = ["lend", "apply", str(folder / "corrections.csv"), "--to", str(path), "--out", str(target)]
    for option, use in (("--column", "label"), ("--id-column", "id")):
        name = columns[use]
        words += [option, name] if name is not None else []
    return shlex.join(words)
