"""Labels of people as codes 0..c-1 and sorted class names; a missing label is -1, never a class of its own."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lend.inputs.arrays import as_tensor, is_tensor, to_numpy
from lend.inputs.errors import require
from lend.inputs.numbers import as_count

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 1 << 32  # entries of a table (n, c) of distributions, 16 GB in float32: more is a label that is no code
KINDS = "all integers or all strings"
COLLECTIONS = (list, tuple, set, frozenset, dict, np.ndarray)
SINGLE = "of shape (n,), one class per example: several of one example (multi-label) are not supported"


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as numbers.

    Args:
        codes: (n,) code of each label, 0 to c-1; -1 where it is missing.
        names: The c classes that the codes stand for, sorted: Python integers, booleans or strings.
    """

    codes: Int[np.ndarray, " n"]
    names: list[Any]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def missing(self) -> np.ndarray:
        """Which labels are missing, (n,) bool."""
        return self.codes < 0


def as_labels(values: Any, name: str = "labels") -> Labels:  # noqa: ANN401 (arrays of any library)
    """Encode the labels of people.

    A label is missing where it is None, NaN, NA, NaT, masked or without a category; and so is the integer -1 where the
    others are 0 and above, as in scikit-learn's semi-supervised estimators, which a warning says. A text such as "nan"
    or "None" is a class like any other. Only classes that have an example count.

    Args:
        values: (n,) or (n, 1) integers of any type (floats, if all are whole: pandas makes them of integers with gaps),
            booleans or strings: an array of any library, a tensor, a Series, a categorical or a list.
        name: Of the argument, for errors.

    Raises:
        ValueError: If they are of another kind or shape, of several kinds, or all missing.
    """
    column = _as_column(values, name)
    missing = column.isna().to_numpy(bool)
    present = column[~missing]
    require(len(present) > 0, name, "of shape (n,), with at least one that is known", f"{len(column)} missing")
    codes = np.full(len(column), -1, np.int64)
    codes[~missing], names = _encode(present, name)
    if names[:2] == [-1, 0]:
        count = int((codes == 0).sum())
        warnings.warn(f"{name}: -1, in {count:,} of {len(codes):,}, is taken as unlabelled", stacklevel=3)
        codes, names = np.maximum(codes - 1, -1), names[1:]
    return Labels(codes, names)


def _as_column(values: Any, name: str) -> pd.Series:  # noqa: ANN401
    """One column of labels, as pandas knows missing ones, with positions as index."""
    if type(values).__module__.startswith("pyarrow") and hasattr(values, "to_pandas"):
        values = values.to_pandas()
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        column = pd.Series(values).reset_index(drop=True)
        return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    if isinstance(values, list | tuple | range):
        entries = [row[0] if isinstance(row, list | tuple) and len(row) == 1 else row for row in values]
        require(all(np.ndim(entry) == 0 for entry in entries), name, SINGLE, "a list of lists")
        # NumPy would turn the numbers of a mixed list into text
        return pd.Series(entries, dtype=object)
    array = to_numpy(values, name)
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    require(flat.ndim == 1, name, SINGLE if flat.ndim == 2 else "of shape (n,)", array.shape)
    if isinstance(flat, np.ma.MaskedArray):
        flat, mask = flat.data.astype(object), np.ma.getmaskarray(flat)
        flat[mask] = None
    return pd.Series(flat, dtype=object) if flat.dtype.kind in "USO" else pd.Series(flat)


def _encode(present: pd.Series, name: str) -> tuple[Int[np.ndarray, " m"], list[Any]]:
    """Codes of labels of which none is missing, and their sorted names."""
    if present.dtype == object:
        return _encode_objects(present.to_numpy(), name)
    if pd.api.types.is_float_dtype(present.dtype):
        return _encode_numbers(_whole(present.to_numpy(np.float64), name))
    if pd.api.types.is_bool_dtype(present.dtype):
        return _encode_numbers(present.to_numpy(bool))
    if pd.api.types.is_integer_dtype(present.dtype):
        return _encode_numbers(present.to_numpy(np.uint64 if bool((present >= 0).all()) else np.int64))
    return _encode_objects(present.to_numpy(object), name)


def _encode_numbers(numbers: np.ndarray) -> tuple[Int[np.ndarray, " m"], list[Any]]:
    found, codes = np.unique(numbers, return_inverse=True)
    return codes.astype(np.int64), found.tolist()


def _encode_objects(entries: np.ndarray, name: str) -> tuple[Int[np.ndarray, " m"], list[Any]]:
    kinds = set(map(type, entries))

    def all_are(*wanted: type) -> bool:
        return all(issubclass(kind, wanted) for kind in kinds)

    if all_are(bool, np.bool_):
        return _encode_numbers(entries.astype(bool))
    if all_are(bytes):
        entries = np.array([entry.decode("utf-8", "surrogateescape") for entry in entries], dtype=object)
        kinds = {str}
    if all_are(str):
        codes, found = pd.factorize(entries, use_na_sentinel=False)
        names = [str.__str__(entry) for entry in found]  # of an enumeration, too
        ordered = sort_names(names)
        place = {entry: code for code, entry in enumerate(ordered)}
        return np.array([place[entry] for entry in names], np.int64)[codes], ordered
    require(not any(issubclass(kind, COLLECTIONS) for kind in kinds), name, SINGLE, f"{_listed(kinds)} as a label")
    require(not kinds & {bool, np.bool_}, name, KINDS, _listed(kinds))
    if all_are(int, np.integer):
        low, high = min(entries), max(entries)
        fits = -(2**63) <= int(low) and int(high) < (2**64 if low >= 0 else 2**63)
        require(fits, name, "inside 64 bits", f"{low}..{high}")
        return _encode_numbers(entries.astype(np.uint64 if low >= 0 else np.int64))
    require(all_are(int, np.integer, float, np.floating), name, KINDS, _listed(kinds))
    return _encode_numbers(_whole(entries.astype(np.float64), name))


def _listed(kinds: set[type]) -> str:
    return " and ".join(sorted(kind.__name__ for kind in kinds))


def _whole(numbers: np.ndarray, name: str) -> Int[np.ndarray, " m"]:
    # above 2^53 a float does not say which integer it was
    whole = (np.rint(numbers) == numbers) & (np.abs(numbers) <= 2**53)
    require(bool(whole.all()), name, KINDS, numbers[~whole][:1].tolist())
    return numbers.astype(np.int64)


def sort_names(names: Iterable[str]) -> list[str]:
    """Sort class names; where all are made of digits, as numbers: "2" before "10"."""
    names = list(names)
    digits = all(name.isascii() and name.isdigit() for name in names)
    # int() refuses more than 4,300 digits: a longer number without its zeros is the larger one
    return sorted(names, key=(lambda name: (len(name.lstrip("0")), name.lstrip("0"), name)) if digits else None)


def as_codes(
    values: Any,  # noqa: ANN401
    n: int,
    num_classes: Any = None,  # noqa: ANN401
    name: str = "labels",
    any_known: bool = True,
) -> tuple[Int[Tensor, " n"], int]:
    """Labels that are codes already, as a tensor on their device, and the number of classes.

    Args:
        values: (n,) integers 0..c-1 of any kind that :func:`as_labels` takes; -1 or missing where unlabelled.
        n: How many there must be.
        num_classes: c; the largest label plus one if not given.
        name: Of the argument, for errors.
        any_known: Whether one must be known.

    Raises:
        ValueError: If they are of another number, kind or range, or all missing.
    """
    import torch

    if is_tensor(values) and values.dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        y = values.detach()
    elif isinstance(values, np.ndarray) and values.dtype.kind == "i" and not isinstance(values, np.ma.MaskedArray):
        y = as_tensor(to_numpy(values, name))
    else:
        y = _codes_of_others(values, name)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    require(y.shape == (n,) and n > 0, name, f"of shape ({n},), one per embedding", tuple(y.shape))
    low, high = int(y.min()), int(y.max())
    require(high >= 0 or not any_known, name, "inside 0..c-1, with at least one that is known", f"{low}..{high}")
    c = high + 1 if num_classes is None else as_count(num_classes, "num_classes")
    require(low >= -1 and high < c, name, f"inside 0..{c - 1}, or -1 where unlabelled", f"{low}..{high}")
    require(n * c <= LARGEST, name, "codes 0..c-1 of classes that occur", f"{high}, the largest, of {n} labels")
    return y.long(), c


def _codes_of_others(values: Any, name: str) -> Tensor:  # noqa: ANN401
    import torch

    column = _as_column(values, name)
    missing = column.isna().to_numpy(bool)
    codes = np.full(len(column), -1, np.int64)
    if not missing.all():
        inverse, names = _encode(column[~missing], name)
        text = isinstance(names[0], str)
        require(not text, name, "integers 0..c-1; lend.audit and lend.LabelDilution take names", names[:3])
        require(names[-1] < 2**62, name, "codes 0..c-1 of classes that occur", names[-1])
        codes[~missing] = np.array(names, np.int64)[inverse]
    return torch.from_numpy(codes)
