"""The points of a table: its rows matched by sample id over the epochs, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from lend.explorer.inspection.columns import LABELS, class_codes, column_reader
from lend.explorer.inspection.mapped import CLASSES, FIXED, Mapped
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
    """

    def __init__(
        self, frame: object, x: str, y: str, epoch: str | None = None, class_names: Sequence[str] | None = None
    ) -> None:
        require(isinstance(frame, pd.DataFrame), "frame", "a pandas DataFrame", type(frame).__name__)
        table = _with_index_levels(frame)
        _require_columns(table, x, y, epoch)
        epoch = "epoch" if epoch is None and "epoch" in table else epoch
        parts = _by_epoch(table, epoch)
        first = next(iter(parts.values()))
        self.epochs = self.map_epochs = tuple(parts)
        self.sample_ids = first.index.to_numpy()
        self.title = f"table of {len(first):,} points"
        self._places = {number: _places(part, x, y) for number, part in parts.items()}
        names = [name for name in table.columns if name not in (x, y, epoch, "sample_id") and isinstance(name, str)]
        if {*FIXED, "wrong"} <= set(names):
            names.remove("wrong")  # true and noisy labels tell which are wrong
        self.class_names, codes = class_codes([table[name] for name in LABELS if name in names], class_names)
        readers = {name: reader for name in names if (reader := column_reader(table[name], name, codes)) is not None}
        require(bool(readers), "frame", f"a table with a column of labels, such as {', '.join(CLASSES)}", names)
        values = {
            name: {number: reader.read(part[name]) for number, part in parts.items()}
            for name, reader in readers.items()
        }
        self.fixed = {name: _constant(name, values.pop(name)) for name in (*FIXED, "corrected") if name in values}
        self.corrected = self.fixed.pop("corrected", None)
        self.ranges = {name: reader.ends for name, reader in readers.items() if reader.ends is not None}
        self.by_epoch = {name: readers[name].kind for name in values if name not in self.ranges}
        self._values = values

    def places(self, map_epoch: int) -> Float[np.ndarray, "m 2"]:
        return self._places[map_epoch]

    def labels(self, epoch: int) -> dict[str, np.ndarray]:
        return {name: self._values[name][epoch] for name in self.by_epoch}

    def share(self, name: str, epoch: int, map_epoch: int) -> Float[np.ndarray, " m"]:
        return self._values[name][epoch]


def _with_index_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn named levels of the index into columns."""
    repeated = frame.columns[frame.columns.duplicated()].tolist()
    require(not repeated, "frame", "a table of columns with different names", repeated)
    named = [name for name in frame.index.names if name is not None and name not in frame]
    return frame.reset_index(named) if named else frame


def _require_columns(frame: pd.DataFrame, x: str, y: str, epoch: str | None) -> None:
    missing = [name for name in (x, y, epoch) if name is not None and name not in frame]
    if missing or not len(frame):
        have = ", ".join(map(str, frame.columns)) or "none"
        want = f"columns {x!r} and {y!r}" + (f" and {epoch!r}" if epoch else "")
        raise ValueError(f"frame must have {want} and at least one row, got {len(frame)} rows with columns {have}")


def _by_epoch(frame: pd.DataFrame, epoch: str | None) -> dict[int, pd.DataFrame]:
    """Split the table into one part per epoch, each indexed by sample id and in the order of the first."""
    ids = pd.Index(frame["sample_id"], name="sample_id") if "sample_id" in frame else frame.index.rename("sample_id")
    frame = frame.set_axis(ids)
    if epoch is None:
        parts = {0: frame}
    else:
        numbers = frame[epoch]
        whole = pd.api.types.is_numeric_dtype(numbers) and numbers.notna().all() and (numbers % 1 == 0).all()
        require(bool(whole), epoch, "a column of integers", str(numbers.dtype))
        parts = {int(number): part for number, part in frame.groupby(epoch)}
    order = next(iter(parts.values())).index
    for number, part in parts.items():
        where = "" if epoch is None else f" in epoch {number}"
        repeated = part.index[part.index.duplicated()].unique()
        require(not len(repeated), "sample_id", "all different" + where, f"{list(repeated[:3])} more than once")
        same = len(part) == len(order) and part.index.isin(order).all()
        require(bool(same), "sample_id", f"the same {len(order)} samples in every epoch", f"others{where}")
    return {number: part.loc[order] for number, part in parts.items()}


def _places(part: pd.DataFrame, x: str, y: str) -> Float[np.ndarray, "m 2"]:
    for name in (x, y):
        numbers = pd.api.types.is_numeric_dtype(part[name])
        require(numbers and bool(np.isfinite(part[name]).all()), name, "a column of finite numbers", "others")
    return part[[x, y]].to_numpy(np.float32)


def _constant(name: str, parts: Mapping[int, np.ndarray]) -> np.ndarray:
    """Return the values that are the same in every epoch."""
    first = next(iter(parts.values()))
    same = all(np.array_equal(first, part) for part in parts.values())
    require(same, name, "the same in every epoch", "different ones")
    return first
