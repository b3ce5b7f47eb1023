"""One embedding from beginning to end: the parts are made, what was left out is told, the file is written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lend import storage
from lend.embedding.model import OFFLINE, Model, Wish
from lend.embedding.models import open_model
from lend.embedding.parts import Parts, folder_parts, parts_folder
from lend.embedding.running import embed_parts
from lend.embedding.source import Source
from lend.embedding.sources import open_source
from lend.embedding.sources.choosing import Columns
from lend.embedding.table import read_about
from lend.embedding.writing import write_table
from lend.inputs import as_count, require, require_name, safe_table

FORMAT = 1
ENDINGS = (".parquet", ".zarr")
PRECISIONS = ("float16", "float32")
NAMED = 3  # of what was left out, in a warning


@dataclass(frozen=True)
class Written:
    """What :func:`lend.embedding.embed_files` has written.

    Args:
        path: The table of embeddings.
        rows: Examples in it.
        width: Numbers of each embedding.
        classes: Labels that differ; 0 if none is known.
        left_out: Examples that could not be embedded.
        list: CSV that names them, with the reason of each; None if there are none.
        made: Whether the file was made now; False if it was there before.
        source: The images or texts, as :func:`lend.embedding.originals` takes them.
    """

    path: Path
    rows: int
    width: int
    classes: int
    left_out: int
    list: Path | None
    made: bool
    source: Any = field(repr=False, compare=False)

    def __str__(self) -> str:
        classes = "no labels" if not self.classes else f"{self.classes:,} {'class' if self.classes == 1 else 'classes'}"
        there = "" if self.made else " (there already)"
        left_out = f"; {self.left_out:,} left out, named in {self.list}" if self.left_out else ""
        return f"{self.path}: {self.rows:,} embeddings of {self.width:,} numbers, {classes}{there}{left_out}"


@dataclass(frozen=True, eq=False)
class Job:
    """A source and what embeds it.

    Args:
        source: Images or texts.
        model: Ready to embed them.
        precision: "float16" or "float32".
        batch_size: Images or texts of a batch.
        progress: Show a progress bar.
        out: File to write, or None.
    """

    source: Source
    model: Model
    precision: str
    batch_size: int
    progress: bool
    out: Path | None = None

    def run(self, parts: Parts) -> pd.DataFrame:
        """Embed what is not among the parts, and return what had to be left out: columns sample_id and reason."""
        embed_parts(self.source, self.model, parts, self.precision, self.batch_size, self.progress)
        left_out: dict[int, str] = {}
        notes: dict[str, list[int]] = {}
        for number in range(len(parts)):
            part = parts[number]
            left_out |= part.left_out
            for note, positions in part.notes.items():
                notes.setdefault(note, []).extend(positions)
        self._tell(left_out, notes)
        ids = [self.source.ids[position] for position in left_out]
        return pd.DataFrame({"sample_id": ids, "reason": list(left_out.values())})

    def _tell(self, left_out: Mapping[int, str], notes: Mapping[str, list[int]]) -> None:
        """Warn of what was left out, and of what a user should know about images."""
        source, n = self.source, len(self.source)
        for note, positions in notes.items():
            first = source.ids[positions[0]]
            warnings.warn(
                f"{source.place}: {len(positions):,} of {n:,} images {note}; the first is {first}", stacklevel=4
            )
        if not left_out:
            return
        named = [f"{source.ids[i]} ({reason[:80]})" for i, reason in list(left_out.items())[:NAMED]]
        more = f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
        said = f"{', '.join(named)}{more}"
        require(len(left_out) < n, source.place, f"{source.kind} that can be read", said)
        warnings.warn(f"{source.place}: left out {len(left_out):,} of {n:,} {source.kind}: {said}", stacklevel=4)

    def about(self, rows: int, width: int) -> dict[str, Any]:
        """What a file of these embeddings says of itself; the same for the same input and settings."""
        return {
            "format": FORMAT,
            "kind": self.source.kind,
            "rows": rows,
            "width": width,
            "left_out": len(self.source) - rows,
            "classes": len({label for label in self.source.labels or () if label is not None}),
            "precision": self.precision,
            "batch_size": self.batch_size,
            "model": dict(self.model.about),
            "source": self.source.place,
            "of": self.settings(),
        }

    def settings(self) -> dict[str, str]:
        """What tells this embedding from others, by what a user calls it."""
        model = hashlib.sha256(json.dumps(dict(self.model.about), sort_keys=True).encode()).hexdigest()
        batches = str(self.batch_size)
        return {"input": self.source.digest, "model": model, "precision": self.precision, "batch size": batches}

    def write(self) -> Written:
        """Write the table, unless it is there; go on from the parts of a process that was stopped.

        Raises:
            ValueError: If there is a file or parts of another input, model, precision or batch size.
        """
        assert self.out is not None  # who writes has named it
        out = self.out
        if out.exists():
            about = self._require_same(out)
            shutil.rmtree(parts_folder(out), ignore_errors=True)  # of a process killed after its last step
            return self._written(out, about, made=False)
        with folder_parts(out, self.settings()) as parts:
            left_out = self.run(parts)
            about = self.about(sum(len(parts[i].positions) for i in range(len(parts))), _width(parts))
            if len(left_out):
                storage.write_csv(_list_path(out), safe_table(left_out.set_index("sample_id")))
            write_table(out, self.source, parts, about["width"], self.precision, about)
        return self._written(out, about, made=True)

    def _require_same(self, out: Path) -> Mapping[str, Any]:
        about = read_about(out)
        there = about.get("of")
        require(isinstance(there, Mapping), "out", "a new file, or one of lend embed", f"{out}, which is neither")
        other = [name for name, value in self.settings().items() if there.get(name) != value]  # type: ignore[union-attr]
        if other:
            raise ValueError(f"out: {out} is there, of another {' and '.join(other)}; remove it, or name another out")
        return about

    def _written(self, out: Path, about: Mapping[str, Any], made: bool) -> Written:
        names = _list_path(out) if about["left_out"] else None
        rows, width, classes, left_out = (about[name] for name in ("rows", "width", "classes", "left_out"))
        return Written(out, rows, width, classes, left_out, names, made, self.source)


def make_job(
    data: Any,  # noqa: ANN401 (all as lend.embed takes them)
    labels: Any = None,  # noqa: ANN401
    *,
    sample_ids: Any = None,  # noqa: ANN401
    columns: Columns | None = None,
    model: str | None = None,
    weights: str = "default",
    image_size: int | None = None,
    precision: str = "float16",
    batch_size: int | None = None,
    device: str | None = None,
    progress: bool = True,
    out: str | Path | None = None,
) -> Job:
    """Return what is to be done, after all arguments have been checked; they are those of :func:`lend.embed`."""
    require_name(precision, PRECISIONS, "precision")
    batch_size = None if batch_size is None else as_count(batch_size, "batch_size")
    image_size = None if image_size is None else as_count(image_size, "image_size")
    path = None if out is None else _output(out, data)
    source = open_source(data, labels, sample_ids, columns)
    made = open_model(Wish(model or OFFLINE[source.kind], source.kind, weights, image_size, device), source)
    return Job(source, made, precision, batch_size or made.batch_size, progress, path)


def _output(out: str | Path, data: Any) -> Path:  # noqa: ANN401 (a path, or what is in memory)
    path = Path(os.path.abspath(os.path.expanduser(out)))
    ending = path.suffix.lower()
    fits = ending in ENDINGS and path.is_dir() <= (ending == ".zarr")  # a zarr group is a folder
    require(fits, "out", f"a file name ending in {' or '.join(ENDINGS)}", str(out))
    above = next(folder for folder in path.parents if folder.exists())
    require(above.is_dir(), "out", "in a folder", str(out))
    inside = isinstance(data, str | Path) and path.resolve().is_relative_to(Path(data).expanduser().resolve())
    require(not inside, "out", "a place outside of the data, which would be other data then", str(out))
    return path


def _list_path(out: Path) -> Path:
    return out.with_name(f"{out.name}.left_out.csv")


def _width(parts: Parts) -> int:
    """Numbers of an embedding, the same in all parts.

    Raises:
        ValueError: If a model returned embeddings of several lengths.
    """
    widths = {parts[i].embeddings.shape[1] for i in range(len(parts)) if len(parts[i].positions)}
    require(len(widths) == 1, "model", "one whose embeddings have one length", sorted(widths))
    return widths.pop()
