"""How the columns of a table colour its points: classes as codes, flags, and numbers as shares of their range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int, Shaped

from lend.explorer.inspection.mapped import CLASSES, UNKNOWN, Kind, shown_type
from lend.inputs import require

LABELS = (*CLASSES, "suggested", "rediluted", "corrected")  # columns that must hold classes
Label = str | int


@dataclass(frozen=True, eq=False)
class Column:
    """A column that colours points.

    Args:
        kind: What its values became: codes, flags or shares.
        values: (r,) one per row of the table.
        ends: The numbers that the shares 0 and 1 stand for; None unless the kind is "share".
        note: What the user must know about it; empty if nothing.
    """

    kind: Kind
    values: Shaped[np.ndarray, " r"]
    ends: tuple[float, float] | None = None
    note: str = ""


# --- Classes ----------------------------------------------------------------------------------------------------------


def class_codes(
    labels: Mapping[str, pd.Series], class_names: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[Label, int]]:
    """Return class names, and the code of each value that a column of labels may hold.

    Args:
        labels: All columns of labels, by name.
        class_names: One per class; taken from the columns if None.

    Raises:
        ValueError: If the columns mix class names and integers, or hold anything else, or a class name comes twice.
    """
    if class_names is not None:
        require(not isinstance(class_names, str), "class_names", "a list of names", class_names)
        names = tuple(str(name) for name in class_names)
        repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        require(not repeated, "class_names", "all different", repeated[:5])
        return names, {name: code for code, name in enumerate(names)} | {code: code for code in range(len(names))}
    found = {name: distinct(column, name)[1] for name, column in labels.items()}
    values = [value for value in dict.fromkeys(sum(found.values(), [])) if value != UNKNOWN]
    text = all(isinstance(value, str) for value in values)
    whole = not any(isinstance(value, str) for value in values)
    require(text or whole, "labels", "all class names or all integers", sorted(map(str, values))[:10])
    ordered = any(isinstance(column.dtype, pd.CategoricalDtype) for column in labels.values())
    values = values if ordered and text else sorted(values)
    return tuple(map(str, values)), {value: code for code, value in enumerate(values)}


def distinct(column: pd.Series, name: str) -> tuple[Int[np.ndarray, " r"], list[Label]]:
    """Return the different labels of a column, and the position of each row's label among them, -1 where it is missing.

    None, NaN, NaT and the missing values of pandas are missing. Categories keep their order.

    Raises:
        ValueError: If a value is neither a text nor an integer.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        positions, values = column.cat.codes.to_numpy(np.int64), column.cat.categories.tolist()
    else:
        try:
            positions, found = pd.factorize(column)
        except (TypeError, NotImplementedError):  # lists and arrays, which cannot be compared
            positions, values = np.zeros(len(column), np.int64), [column.dropna().iloc[0]]  # which is no label
        else:
            values = list(found)
    return positions, [_label(value, name) for value in values]


def _label(value: object, name: str) -> Label:
    if isinstance(value, str):
        return str(value)
    whole = isinstance(value, Integral) or (isinstance(value, Real | np.floating) and float(value).is_integer())
    got = f"{value!r} of type {type(value).__name__}"
    require(bool(whole), f"column {name!r}", "of class names or integers", got)
    return int(value)  # type: ignore[call-overload]  # a whole number


def _codes(column: pd.Series, name: str, codes: Mapping[Label, int], classes: int) -> Int[np.ndarray, " r"]:
    positions, values = distinct(column, name)
    used = np.unique(positions[positions >= 0])
    for value in (values[place] for place in used):
        if value not in codes and value != UNKNOWN:
            allowed = ", ".join(map(str, list(codes)[:20]))
            raise ValueError(f"column {name!r} must hold {allowed} or nothing, got {value!r}")
    table = np.array([*(codes.get(value, UNKNOWN) for value in values), UNKNOWN])
    return table[positions].astype(shown_type(classes))


# --- Any column -------------------------------------------------------------------------------------------------------


def read_column(column: pd.Series, name: str, codes: Mapping[Label, int], classes: int) -> Column | str:
    """Return how a column colours points, or why it cannot.

    Args:
        column: All of it, over all epochs.
        name: Its name; the columns of :data:`LABELS` must hold classes, and "kept" must hold flags.
        codes: The code of each class, as :func:`class_codes` gives it.
        classes: How many classes there are.

    Raises:
        ValueError: If a column of labels holds something else, or "kept" anything but True and False.
    """
    if name in LABELS:
        return Column("class", _codes(column, name, codes, classes))
    if name == "kept" or pd.api.types.is_bool_dtype(column):
        flags = not column.isna().any() and bool(column.isin([True, False]).all())
        if not flags and name != "kept":
            return "True and False, but some are missing"
        require(flags, name, "a column of True and False", str(column.dtype))
        return Column("flag", column.to_numpy(bool))
    if pd.api.types.is_numeric_dtype(column):
        return _shares(column, name)
    try:
        positions, values = distinct(column, name)
    except ValueError:
        return f"values that are no classes, of type {type(column.dropna().iloc[0]).__name__}"
    if not values or not (positions >= 0).any():
        return "no value at all"
    strange = next((value for value in values if value not in codes and value != UNKNOWN), None)
    return (
        Column("class", _codes(column, name, codes, classes))
        if strange is None
        else f"no class is called {_cut(strange)!r}"
    )


def _cut(value: Any) -> Any:  # noqa: ANN401 (a text or an integer)
    return f"{value[:20]}…" if isinstance(value, str) and len(value) > 20 else value


def _shares(column: pd.Series, name: str) -> Column | str:
    """Numbers become shares of the range of those that are finite; missing and infinite ones become NaN."""
    if pd.api.types.is_complex_dtype(column):
        return "complex numbers"
    numbers = column.to_numpy(np.float64, na_value=np.nan)
    infinite, known = np.isinf(numbers), numbers[np.isfinite(numbers)]
    if not len(known):
        return "no finite number"
    low, high = float(known.min()), float(known.max())
    low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
    if not np.isfinite(high - low):
        return f"numbers too far apart, {low:.3g} to {high:.3g}"
    shares = np.where(infinite, np.nan, numbers - low) / max(high - low, np.finfo(float).tiny)
    note = f"column {name!r}: {infinite.sum():,} infinite values are shown as unknown" if infinite.any() else ""
    return Column("share", shares.astype(np.float32), (low, high), note)
