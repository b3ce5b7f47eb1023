"""Ids of examples, and arguments that have an index: they are put in the order of the labels, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from lend.inputs.arrays import to_numpy
from lend.inputs.errors import require, require_encodable
from lend.inputs.numbers import is_real


def index_of(labels: Any) -> pd.Index | None:  # noqa: ANN401 (a Series or anything else)
    """Return the index that the labels carry; None where there is none."""
    index = labels.index if isinstance(labels, pd.Series | pd.DataFrame) else None
    require(not isinstance(index, pd.MultiIndex), "labels", "indexed by one level", "several")
    return index


def as_ids(values: Any, n: int, index: pd.Index | None = None, name: str = "sample_ids") -> pd.Index:  # noqa: ANN401
    """Return the ids of n examples as the index of a table.

    Args:
        values: (n,) ids, all integers or all strings; a Series or dict is aligned with the index of the labels. None
            takes that index, or positions where it has an entry twice.
        n: Number of examples.
        index: Index of the labels, or None.
        name: Of the argument, for errors.

    Raises:
        ValueError: If the ids are of another number, of mixed kinds, missing, or not all different.
    """
    if values is None:
        return (pd.RangeIndex(n) if index is None or not index.is_unique else index).rename("sample_id")
    values = align(values, n, index, name)
    entries = list(values) if isinstance(values, list | tuple) else to_numpy(values, name)
    require(np.ndim(entries) == 1 or isinstance(entries, list), name, "of shape (n,)", np.shape(entries))
    require(len(entries) == n, name, f"of length {n}, one per label", len(entries))
    try:
        ids = pd.Index(entries, name="sample_id", tupleize_cols=False)
    except UnicodeEncodeError:
        require_encodable(entries, name)
        raise
    require(not ids.hasnans, name, "all known", "missing ones")
    kinds = {"text" if isinstance(entry, str) else type(entry).__name__ for entry in ids} if ids.dtype == object else {}
    require(len(kinds) <= 1, name, "all integers or all strings", " and ".join(sorted(kinds)))
    repeated = ids[ids.duplicated()].unique()
    require(not len(repeated), name, "all different", f"{list(repeated[:5])} more than once")
    return ids


def align_rows(values: Any, index: pd.Index | None, name: str = "embeddings") -> Any:  # noqa: ANN401
    """Put a frame of embeddings in the order of the labels, where both name the same examples.

    Frames are also made with an index that means nothing: one that shares no example with that of the labels goes by
    position, as in scikit-learn.

    Raises:
        ValueError: If the two indexes share some examples and not others, or one has an example twice and the other is
            not the same.
    """
    own = values.index if isinstance(values, pd.Series | pd.DataFrame) else None
    if own is None or index is None or not own.isin(index).any():
        return values
    return align(values, len(index), index, name)


def align(values: Any, n: int, index: pd.Index | None, name: str) -> Any:  # noqa: ANN401
    """Put an argument that has an index of its own in the order of the labels.

    Args:
        values: A Series, frame or dict, which have an index; anything else goes by position and is returned as it is.
        n: Number of examples.
        index: Index of the labels, or their ids; positions if None.
        name: Of the argument, for errors.

    Raises:
        ValueError: If an index does not hold the examples of the labels, each once.
    """
    if isinstance(values, Mapping) and not isinstance(values, pd.Series | pd.DataFrame):
        values = pd.Series(dict(values), dtype=object)
    if not isinstance(values, pd.Series | pd.DataFrame):
        return values
    wanted = pd.RangeIndex(n) if index is None else index
    if values.index.equals(wanted):
        return values
    by = "the index of the labels" if index is not None else f"positions 0 to {n - 1}, since the labels have no index"
    each_once = values.index.is_unique and wanted.is_unique
    fits = each_once and len(values) == len(wanted) and bool(wanted.isin(values.index).all())
    told = "" if wanted.is_unique else ", in which some are repeated, in the same order"
    require(fits, name, f"indexed by {by}{told}; .to_numpy() goes by position", _brief(values.index))
    return values.loc[wanted]


def _brief(index: pd.Index) -> str:
    shown = ", ".join(map(repr, index[:3].tolist()))
    return f"an index of {len(index)}{'' if index.is_unique else ', with repeated ones'}: {shown}, ..."


def as_shares(
    values: Any,  # noqa: ANN401
    names: Sequence[Any],
    name: str = "class_prior",
    words: tuple[str, ...] = ("balanced",),
) -> Float[np.ndarray, " c"] | str | None:
    """Return one share per class: a Series or dict by the names of the classes, anything else by position.

    Args:
        values: c shares that sum to one; None or one of the words is returned as it is.
        names: The c classes.
        name: Of the argument, for errors.
        words: What may stand in place of the shares.

    Raises:
        ValueError: If a class is missing or unknown, or there are not c shares that sum to one.
    """
    if values is None or isinstance(values, str):
        allowed = f"None, {', '.join(map(repr, words))} or one share per class"
        require(values is None or values in words, name, allowed, values)
        return values
    if isinstance(values, Mapping | pd.Series):
        given, known = dict(values), set(names)
        missing, unknown = [c for c in names if c not in given], [c for c in given if c not in known]
        got = f"missing {missing}, unknown {unknown}"
        require(not missing and not unknown, name, f"of the classes {list(names[:5])}", got)
        require(all(map(is_real, given.values())), name, "numbers", list(given.values()))
        values = [float(given[c]) for c in names]
    shares = to_numpy(values, name)
    numbers = shares.shape == (len(names),) and shares.dtype.kind in "fiu" and not np.ma.is_masked(shares)
    shares = np.asarray(shares, np.float64) if numbers else np.zeros(0)
    valid = bool((shares >= 0).all() and abs(shares.sum() - 1) < 1e-3)  # also false for NaN
    require(valid, name, f"{len(names)} shares that sum to 1", values)
    return shares
