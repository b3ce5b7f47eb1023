"""The rows of a table: which belongs to which example at which epoch, and where its point is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lend.inputs import require

Rows = dict[int, Int[np.ndarray, " m"]]  # of each epoch, in the order of the examples


def with_index_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn named levels of the index into columns.

    Raises:
        ValueError: If two columns have the same name.
    """
    require(frame.columns.nlevels == 1, "frame", "a table with one name per column", f"{frame.columns.nlevels} names")
    repeated = frame.columns[frame.columns.duplicated()].tolist()
    require(not repeated, "frame", "a table of columns with different names", repeated)
    named = [name for name in frame.index.names if name is not None and name not in frame]
    return frame.reset_index(named) if named else frame


def require_columns(frame: pd.DataFrame, x: str, y: str, epoch: str | None) -> None:
    """Raise a ValueError unless these columns and a row are there."""
    missing = [name for name in (x, y, epoch) if name is not None and name not in frame]
    if missing or not len(frame):
        have = ", ".join(map(str, frame.columns)) or "none"
        want = f"columns {x!r} and {y!r}" + (f" and {epoch!r}" if epoch else "")
        raise ValueError(f"frame must have {want} and at least one row, got {len(frame)} rows with columns {have}")


def rows_by_epoch(frame: pd.DataFrame, epoch: str | None) -> tuple[pd.Index, Rows]:
    """Return the sample ids, and the rows of each epoch in the order of these ids.

    Args:
        frame: The table; its ids are the column "sample_id", or the index.
        epoch: Column of the epochs; None for a table of one epoch, which is 0.

    Raises:
        ValueError: If an id is missing or comes twice in an epoch, an epoch is no integer, or the epochs are not of the
            same examples.
    """
    ids = _ids(frame)
    parts = {0: np.arange(len(frame))} if epoch is None else _parts(frame[epoch], epoch)
    order = ids[next(iter(parts.values()))]
    rows = {}
    for number, part in parts.items():
        where = "" if epoch is None else f" in epoch {number}"
        repeated = ids[part][ids[part].duplicated()].unique()
        require(not len(repeated), "sample_id", "all different" + where, f"{list(repeated[:3])} more than once")
        places = ids[part].get_indexer(order)
        same = len(part) == len(order) and bool((places >= 0).all())
        require(same, "sample_id", f"the same {len(order)} samples in every epoch", f"others{where}")
        rows[number] = part[places]
    return order, rows


def _ids(frame: pd.DataFrame) -> pd.Index:
    levels = 1 if "sample_id" in frame else frame.index.nlevels
    require(levels == 1, "frame", "a table with a column sample_id, or an index of one level", f"{levels} levels")
    ids = pd.Index(frame["sample_id"]) if "sample_id" in frame else frame.index
    try:
        missing = int(pd.factorize(ids)[0].min(initial=0)) < 0
    except (TypeError, NotImplementedError):
        missing, got = True, type(ids[0]).__name__
    else:
        got = "missing ones"
    require(not missing, "sample_id", "a text, a number or a time in each row", got)
    return ids


def _parts(numbers: pd.Series, epoch: str) -> Rows:
    """Return the rows of each epoch, in the order of the table; the epochs ascend."""
    whole = pd.api.types.is_numeric_dtype(numbers) and not pd.api.types.is_complex_dtype(numbers)
    whole = whole and bool(numbers.notna().all() and (numbers.astype(float) % 1 == 0).all())
    require(whole, epoch, "a column of integers", str(numbers.dtype))
    codes = numbers.to_numpy(np.int64)
    return {int(number): np.flatnonzero(codes == number) for number in np.unique(codes)}


def finite_places(frame: pd.DataFrame, x: str, y: str) -> Float[np.ndarray, "r 2"]:
    """Return the coordinates of all rows.

    Raises:
        ValueError: If a column holds anything but finite numbers; the message counts them and names a row.
    """
    columns = []
    for name in (x, y):
        column, allowed = frame[name], "a column of finite numbers"
        real = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)
        require(real, name, allowed, str(column.dtype))
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        with np.errstate(over="ignore"):
            strange = np.flatnonzero(~np.isfinite(numbers.astype(np.float32)))  # what is drawn is float32
        got = "" if not len(strange) else f"{len(strange):,} others, such as {numbers[strange[0]]} in row {strange[0]}"
        require(not len(strange), name, f"{allowed}; leave out the rows without a place", got)
        columns.append(numbers)
    return np.column_stack(columns)
