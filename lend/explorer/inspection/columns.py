"""How the columns of a table colour its points: classes as codes, flags, and numbers as shares of their range."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.explorer.inspection.mapped import CLASSES, UNKNOWN, Kind
from lend.inputs import require

LABELS = (*CLASSES, "rediluted", "corrected")  # columns that must hold classes


@dataclass(frozen=True)
class Reader:
    """How a column that can colour points is read.

    Args:
        kind: What its values become: codes, flags or shares.
        read: Gives the values (m,) of the column, or of the part of it that belongs to an epoch.
        ends: The numbers that the shares 0 and 1 stand for; None unless the kind is "share".
    """

    kind: Kind
    read: Callable[[pd.Series], np.ndarray]
    ends: tuple[float, float] | None = None


def class_codes(
    labels: list[pd.Series], class_names: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[str | int | float, int]]:
    """Return class names, and the code of each value that a column of labels may hold.

    Args:
        labels: All columns of labels.
        class_names: One per class; taken from the columns if None.

    Raises:
        ValueError: If the columns mix class names and integers, or hold other numbers.
    """
    if class_names is not None:
        names = tuple(str(name) for name in class_names)
        return names, {name: code for code, name in enumerate(names)} | {code: code for code in range(len(names))}
    values = list(dict.fromkeys(value for column in labels for value in _distinct(column)))
    text = all(isinstance(value, str) for value in values)
    whole = all(not isinstance(value, str) and value == int(value) for value in values)
    require(text or whole, "labels", "all class names or all integers", sorted(map(str, values))[:10])
    ordered = any(isinstance(column.dtype, pd.CategoricalDtype) for column in labels)
    values = values if ordered and text else sorted(values)
    names = tuple(str(value) if text else str(int(value)) for value in values)
    return names, {value: code for code, value in enumerate(values)}


def _distinct(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.categories.tolist()
    return [value for value in column.dropna().unique().tolist() if isinstance(value, str) or value != UNKNOWN]


def column_reader(column: pd.Series, name: str, codes: Mapping[str | int | float, int]) -> Reader | None:
    """Return how a column colours points, or None where it cannot.

    Args:
        column: All of it, over all epochs.
        name: Its name; the columns of :data:`LABELS` must hold classes, and "kept" must hold flags.
        codes: The code of each class, as :func:`class_codes` gives it.

    Raises:
        ValueError: If "kept" holds anything but True and False.
    """
    if name in LABELS:
        return Reader("class", lambda part: _codes(part, name, codes))
    if name == "kept" or pd.api.types.is_bool_dtype(column):
        require(bool(column.isin([True, False]).all()), name, "a column of True and False", str(column.dtype))
        return Reader("flag", lambda part: part.to_numpy(bool))
    if pd.api.types.is_numeric_dtype(column):
        return _share_reader(column)
    known = column.notna().any() and column.dropna().isin(list(codes)).all()
    return Reader("class", lambda part: _codes(part, name, codes)) if known else None


def _share_reader(column: pd.Series) -> Reader | None:
    """Numbers become shares of their range; missing ones stay NaN. None where there is no range."""
    low, high = float(column.min()), float(column.max())
    if not np.isfinite([low, high]).all():
        return None
    low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
    width = max(high - low, 1e-12)

    def read(part: pd.Series) -> np.ndarray:
        return ((part.to_numpy(np.float64, na_value=np.nan) - low) / width).astype(np.float32)

    return Reader("share", read, (low, high))


def _codes(part: pd.Series, name: str, codes: Mapping[str | int | float, int]) -> Int[np.ndarray, " m"]:
    values = part.astype(object)
    found = values.map(codes)
    strange = found.isna() & values.notna() & (values != UNKNOWN)
    if strange.any():
        raise ValueError(
            f"column {name!r} must hold {', '.join(map(str, list(codes)[:20]))} or nothing, "
            f"got {values[strange].iloc[0]!r}"
        )
    return found.astype(float).fillna(UNKNOWN).to_numpy(np.int16)
