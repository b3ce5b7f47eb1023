"""The points of maps and their labels, from a saved run or from a table: what an inspection reads.

Labels are codes, int16, -1 where unknown. All arrays are of the mapped points, in one order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lend.config import require
from lend.explorer.inspection.recent import Recent
from lend.run import ALIGNED, MAP_POINTS, Run

CLASSES = ("true", "noisy", "predicted", "diluted")  # kinds of labels, as columns are called
UNKNOWN = -1
FIXED = ("true", "noisy")  # those that no epoch changes
MAPS_KEPT = 4  # of which neighbours and scores are kept


class NoMapsError(ValueError):
    """A run that has snapshots, but no maps yet.

    Args:
        run: The run.
        seconds: That the maps will take, roughly.
    """

    def __init__(self, run: Run, seconds: float) -> None:
        self.run, self.seconds = run, seconds
        super().__init__(
            f"run {run.path.name} has no maps yet. Make them with: lend tsne {run.path}, or in Python with "
            f"lend.maps.make_maps(run); {len(run.epochs)} maps will take {duration(seconds)}"
        )


class MappedRun:
    """The mapped examples of a saved run.

    Raises:
        NoMapsError: If it has no maps.
        KeyError: If it has no snapshots to make maps of; the message says how to get some.
    """

    def __init__(self, run: Run) -> None:
        self.map_epochs = tuple(epoch for epoch in run.epochs if run.map_path(epoch, ALIGNED).exists())
        if not run.epochs:
            run.snapshot(run.config.epochs)  # says what is missing, and how to make it
        if not self.map_epochs:
            raise NoMapsError(run, seconds_of_maps(run))
        self.run, self.title = run, run_title(run)
        self.positions = run.map_samples()
        given = run.labels.iloc[self.positions]
        self.sample_ids = given.index.to_numpy()
        self.class_names = run.class_names
        self.epochs = tuple(range(1, run.epochs_done + 1))
        self.fixed = {name: given[name].to_numpy().astype(np.int16) for name in FIXED}
        if (self.fixed["true"] < 0).all():
            del self.fixed["true"]
        self.by_epoch = ("predicted", "diluted", "kept")
        self.corrected = None
        self.ranges = {"agreement": (0.0, 1.0), "score": (0.0, 1.0)}
        self._shares: Recent[np.ndarray] = Recent(2 * MAPS_KEPT)
        self._neighbors: Recent[np.ndarray] = Recent(MAPS_KEPT)

    def places(self, map_epoch: int) -> Float[np.ndarray, "m 2"]:
        return self.run.map(map_epoch)

    def labels(self, epoch: int) -> dict[str, np.ndarray]:
        """Predicted and diluted codes and the kept mask of an epoch's training passes."""
        run, chosen = self.run, self.positions
        labels = {name: values[chosen] for name, values in run.epoch_labels(epoch).items()}
        return {name: labels[name].astype(np.int16) for name in ("predicted", "diluted")} | {"kept": labels["kept"]}

    def share(self, name: str, epoch: int, map_epoch: int) -> Float[np.ndarray, " m"]:
        """Agreement or score after the snapshot of a map."""
        make = {"agreement": self._agreement, "score": self._score}[name]
        return self._shares.get((name, map_epoch), lambda: make(map_epoch))

    def _agreement(self, map_epoch: int) -> Float[np.ndarray, " m"]:
        noisy = self.fixed["noisy"]
        return (noisy[self.neighbors(map_epoch)] == noisy[:, None]).mean(axis=1, dtype=np.float32)

    def _score(self, map_epoch: int) -> Float[np.ndarray, " m"]:
        rows = self.run.snapshot_rows(self.positions)
        diluted = self.run.snapshot(map_epoch)["diluted"].values[rows].astype(np.float32)
        return diluted[np.arange(len(diluted)), self.fixed["noisy"]].clip(0, 1)

    def neighbors(self, map_epoch: int) -> Int[np.ndarray, "m k"] | None:
        return self._neighbors.get(map_epoch, lambda: self.run.map_neighbors(map_epoch).astype(np.int32))

    def embeddings(self, map_epoch: int) -> Float[np.ndarray, "m d"]:
        return self.run.embeddings(map_epoch)[self.run.snapshot_rows(self.positions)]


def run_title(run: Run) -> str:
    """What tells a run from others, in a line: data, noise, method, seed."""
    config = run.config
    data = config.dataset.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    data += f" ({run.note})" if run.note else ""
    return f"{data}: {config.noise_title}, {config.method}, seed {config.seed}"


def seconds_of_maps(run: Run) -> float:
    """Roughly how long the maps of all snapshots take on two cores; measured at 128 features."""
    n = min(MAP_POINTS, len(run.snapshot_samples))
    cold, warm = 3e-3 * n, 1.5e-3 * n
    return cold + warm * (len(run.epochs) - 1)


def duration(seconds: float) -> str:
    """A rough time in words."""
    if seconds < 90:
        return f"about {max(round(seconds, -1), 5):.0f} seconds"
    return f"about {round(seconds / 60)} minutes"


# --- Tables -----------------------------------------------------------------------------------------------------------


class MappedFrame:
    """The points of a table: one row per sample, or one row per sample and epoch.

    Args:
        frame: Columns x, y, and any of true, noisy, predicted and diluted (class names, or integers; missing values and
            -1 are unknown), kept (bool) and others: a bool column is a flag, numbers are shares of their range (as
            they are, if all lie in [0, 1]), class names are a class. Other columns do not show.
        x: Column of the first coordinate.
        y: Column of the second.
        epoch: Column of the epochs, integers; "epoch", where there is such a column, if not given.
        class_names: In the order of the colours; integers are positions in it. Categories of a categorical column, or
            sorted labels, if not given.

    Raises:
        ValueError: Naming the column, what is allowed and what came.
    """

    def __init__(
        self,
        frame: Any,  # noqa: ANN401
        x: str,
        y: str,
        epoch: str | None,
        class_names: Sequence[str] | None,
    ) -> None:
        require(isinstance(frame, pd.DataFrame), "frame", "a pandas DataFrame", type(frame).__name__)
        frame = _with_columns(frame)
        _require_columns(frame, x, y, epoch)
        epoch = "epoch" if epoch is None and "epoch" in frame else epoch
        parts = _by_epoch(frame, epoch)
        first = next(iter(parts.values()))
        self.epochs = self.map_epochs = tuple(parts)
        self.sample_ids = first.index.to_numpy()
        self.title = f"table of {len(first):,} points"
        self._places = {number: _places(part, x, y) for number, part in parts.items()}
        names = [name for name in frame.columns if name not in (x, y, epoch, "sample_id") and isinstance(name, str)]
        if {"true", "noisy"} <= set(names) and "wrong" in names:
            names.remove("wrong")  # which the two tell
        self.class_names, codes = _classes(
            [frame[name] for name in (*CLASSES, "rediluted", "corrected") if name in names], class_names
        )
        columns = {name: column for name in names if (column := _column(frame[name], name, codes)) is not None}
        require(bool(columns), "frame", f"a table with a column of labels, such as {', '.join(CLASSES)}", names)
        read = {
            name: {number: column.read(part[name]) for number, part in parts.items()}
            for name, column in columns.items()
        }
        self.fixed = {name: _constant(name, read.pop(name)) for name in (*FIXED, "corrected") if name in read}
        self.corrected = self.fixed.pop("corrected", None)
        self.ranges = {name: column.ends for name, column in columns.items() if column.ends is not None}
        self.by_epoch = tuple(name for name in read if name not in self.ranges)
        self._read = read

    def places(self, map_epoch: int) -> Float[np.ndarray, "m 2"]:
        return self._places[map_epoch]

    def labels(self, epoch: int) -> dict[str, np.ndarray]:
        return {name: self._read[name][epoch] for name in self.by_epoch}

    def share(self, name: str, epoch: int, map_epoch: int) -> Float[np.ndarray, " m"]:
        return self._read[name][epoch]

    def neighbors(self, map_epoch: int) -> None:
        return None

    def embeddings(self, map_epoch: int) -> None:
        return None


@dataclass(frozen=True)
class _Column:
    """A column that can colour points: how it is read, and for shares the numbers that stand for 0 and 1."""

    read: Callable[[pd.Series], np.ndarray]
    ends: tuple[float, float] | None = None


def _with_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Named levels of the index become columns."""
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
    """One part per epoch, indexed by sample id, in the order of the first."""
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


def _classes(labels: list[pd.Series], class_names: Sequence[str] | None) -> tuple[tuple[str, ...], dict[Any, int]]:
    """Class names, and the code of each value of a label."""
    if class_names is not None:
        names = tuple(str(name) for name in class_names)
        return names, {name: code for code, name in enumerate(names)} | {code: code for code in range(len(names))}
    found = [_distinct(column) for column in labels]
    values = list(dict.fromkeys(value for column in found for value in column))
    text = all(isinstance(value, str) for value in values)
    whole = all(not isinstance(value, str) and value == int(value) for value in values)
    require(text or whole, "labels", "all class names or all integers", sorted(map(str, values))[:10])
    ordered = any(isinstance(column.dtype, pd.CategoricalDtype) for column in labels)
    values = values if ordered and text else sorted(values)
    return tuple(str(value) if text else str(int(value)) for value in values), {v: i for i, v in enumerate(values)}


def _distinct(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.categories.tolist()
    return [value for value in column.dropna().unique().tolist() if isinstance(value, str) or value != UNKNOWN]


def _column(column: pd.Series, name: str, codes: Mapping[Any, int]) -> _Column | None:
    """How a column colours points; None where it cannot."""
    if name in (*CLASSES, "rediluted", "corrected"):
        return _Column(lambda part: _codes(part, name, codes))
    if name == "kept" or pd.api.types.is_bool_dtype(column):
        require(bool(column.isin([True, False]).all()), name, "a column of True and False", str(column.dtype))
        return _Column(lambda part: part.to_numpy(bool))
    if pd.api.types.is_numeric_dtype(column):
        return _share(column)
    known = column.notna().any() and column.dropna().isin(list(codes)).all()
    return _Column(lambda part: _codes(part, name, codes)) if known else None


def _share(column: pd.Series) -> _Column | None:
    """Numbers as shares of their range; None where there is no range. Missing ones stay NaN."""
    low, high = float(column.min()), float(column.max())
    if not np.isfinite([low, high]).all():
        return None
    low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
    width = max(high - low, 1e-12)
    return _Column(
        lambda part: ((part.to_numpy(np.float64, na_value=np.nan) - low) / width).astype(np.float32), (low, high)
    )


def _codes(part: pd.Series, name: str, codes: Mapping[Any, int]) -> Int[np.ndarray, " m"]:
    values = part.astype(object)
    found = values.map(codes)
    strange = found.isna() & values.notna() & (values != UNKNOWN)
    if strange.any():
        raise ValueError(
            f"column {name!r} must hold {', '.join(map(str, list(codes)[:20]))} or nothing, "
            f"got {values[strange].iloc[0]!r}"
        )
    return found.astype(float).fillna(UNKNOWN).to_numpy(np.int16)


def _constant(name: str, parts: Mapping[int, np.ndarray]) -> np.ndarray:
    """What is the same in every epoch."""
    first = next(iter(parts.values()))
    same = all(np.array_equal(first, part) for part in parts.values())
    require(same, name, "the same in every epoch", "different ones")
    return first
