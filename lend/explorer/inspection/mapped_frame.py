"""The points of a table: its rows matched by sample id over the epochs, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from lend.explorer.inspection.columns import LABELS, Column, Label, class_codes, read_column
from lend.explorer.inspection.mapped import CLASSES, FIXED, Mapped
from lend.explorer.inspection.rows import finite_places, require_columns, rows_by_epoch, with_index_levels
from lend.inputs import require


class MappedFrame(Mapped):
    """The points of a table: one row per example, or one row per example and epoch.

    Args:
        frame: A pandas DataFrame; its columns are those of `Inspection.of_frame`.
        x: Column of the first coordinate.
        y: Column of the second.
        epoch: Column of the epochs, integers; "epoch", where there is such a column, if not given.
        class_names: In the order of the colours; integers in the table are positions in it. Categories of a
            categorical column, or sorted labels, if not given.

    Raises:
        ValueError: Naming the column, what is allowed and what came.

    Attributes:
        notes: Which columns cannot colour points, and what else is not shown as it is.
    """

    def __init__(
        self, frame: object, x: str, y: str, epoch: str | None = None, class_names: Sequence[str] | None = None
    ) -> None:
        require(isinstance(frame, pd.DataFrame), "frame", "a pandas DataFrame", type(frame).__name__)
        table = with_index_levels(frame)
        require_columns(table, x, y, epoch)
        epoch = "epoch" if epoch is None and "epoch" in table else epoch
        ids, rows = rows_by_epoch(table, epoch)
        self.epochs = self.map_epochs = tuple(rows)
        self.sample_ids = ids.to_numpy()
        self.title = f"table of {len(ids):,} points"
        places = finite_places(table, x, y)
        self._places = {number: places[part] for number, part in rows.items()}
        others = [name for name in table.columns if name not in (x, y, epoch, "sample_id")]
        if {*FIXED, "wrong"} <= set(others):
            others.remove("wrong")  # true and noisy labels tell which are wrong
        self.class_names, codes = class_codes({name: table[name] for name in LABELS if name in others}, class_names)
        columns, self.notes = _columns(table, others, codes, len(self.class_names))
        require(bool(columns), "frame", f"a table with a column of labels, such as {', '.join(CLASSES)}", others)
        values = {
            name: {number: column.values[part] for number, part in rows.items()} for name, column in columns.items()
        }
        self.fixed = {name: _constant(name, values.pop(name)) for name in (*FIXED, "corrected") if name in values}
        self.corrected = self.fixed.pop("corrected", None)
        self.ranges = {name: column.ends for name, column in columns.items() if column.ends is not None}
        self.by_epoch = {name: columns[name].kind for name in values if name not in self.ranges}
        self._values = values

    def places(self, map_epoch: int) -> Float[np.ndarray, "m 2"]:
        return self._places[map_epoch]

    def labels(self, epoch: int) -> dict[str, np.ndarray]:
        return {name: self._values[name][epoch] for name in self.by_epoch}

    def share(self, name: str, epoch: int, map_epoch: int) -> Float[np.ndarray, " m"]:
        return self._values[name][epoch]


def _columns(
    table: pd.DataFrame, names: Sequence[Any], codes: Mapping[Label, int], classes: int
) -> tuple[dict[str, Column], tuple[str, ...]]:
    """Return the columns that colour points, by name, and notes on those that cannot."""
    columns, out, notes = {}, [], []
    for name in names:
        found = read_column(table[name], name, codes, classes) if isinstance(name, str) else "its name is no text"
        if isinstance(found, str):
            out.append(f"{name!r} ({found})")
            continue
        columns[name] = found
        notes += [found.note] if found.note else []
    left = f"columns that cannot colour points are left out: {', '.join(out)}"
    return columns, (*([left] if out else []), *notes)


def _constant(name: str, parts: Mapping[int, np.ndarray]) -> np.ndarray:
    """Return the values that are the same in every epoch."""
    first = next(iter(parts.values()))
    same = all(np.array_equal(first, part) for part in parts.values())
    require(same, name, "the same in every epoch", "different ones")
    return first
