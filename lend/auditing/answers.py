"""Answers of people about labels: read from a table, a file or two lists, and held against the given labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lend.auditing.tables import named
from lend.inputs import nearest_name, read_table, require

UNSURE, OTHER = "unsure", "other"  # answers that are no class, unless a class has that name
COLUMNS = ("sample_id", "true_label")


def read_answers(
    ids: Any,  # noqa: ANN401 (ids, a table or a file)
    labels: Any,  # noqa: ANN401
    labelled: pd.DataFrame,
    names: Sequence[Any],
) -> pd.DataFrame:
    """Read answers: see :meth:`lend.Audit.add_checked`.

    Args:
        ids: Sample ids; without labels a table with the columns ``sample_id`` (or it is the index) and ``true_label``,
            or the path of one.
        labels: True labels of these, or None.
        labelled: Rows of ``Audit.issues`` of all labelled examples.
        names: The classes.

    Returns:
        One row per answer, index ``sample_id``: ``true_label``, missing where it is unsure or none of the classes;
        ``is_wrong``, missing where unsure.

    Raises:
        ValueError: If an id is not one of a labelled example, comes twice, or its answer is no class.
    """
    ids, labels = _columns(ids) if labels is None else (list(ids), list(labels))
    require(len(ids) == len(labels), "labels", f"of length {len(ids)}, one per id", len(labels))
    given = [(i, label) for i, label in zip(ids, labels, strict=True) if not _is_empty(label)]
    places = _places([i for i, _ in given], labelled.index)
    codes = _codes([label for _, label in given], names)
    classes = {name: code for code, name in enumerate(names)}
    wrong = codes != np.array([classes[name] for name in labelled["given_label"].iloc[places]], np.int64)
    unsure = codes == -2
    return pd.DataFrame(
        {
            "true_label": named(codes.clip(min=-1), list(names)),
            "is_wrong": pd.arrays.BooleanArray(wrong & ~unsure, unsure),
        },
        index=labelled.index[places],
    )


def require_unanswered(path: Path) -> None:
    """Raise FileExistsError if this is a table with answers, which whoever writes it anew would lose."""
    if not path.exists():
        return
    try:
        answered = sum(not _is_empty(label) for label in _columns(path)[1])
    except ValueError:  # no such table
        return
    if answered:
        raise FileExistsError(f"{path} holds {answered} answers: give them to add_checked, or name another file")


def _columns(table: Any) -> tuple[list[Any], list[Any]]:  # noqa: ANN401 (a frame or a path)
    """Return the ids and the answers of a table."""
    if not isinstance(table, pd.DataFrame):
        is_path = isinstance(table, str) or hasattr(table, "__fspath__")
        require(is_path, "ids", "a table or a path, or with labels", table)
        table = read_table(table, name="ids")
    if table.index.name == COLUMNS[0]:
        table = table.reset_index()
    allowed = f"of a table with the columns {' and '.join(COLUMNS)}"
    require(set(COLUMNS) <= set(table.columns), "ids", allowed, list(table.columns))
    return table[COLUMNS[0]].tolist(), table[COLUMNS[1]].tolist()


def _is_empty(label: Any) -> bool:  # noqa: ANN401
    require(np.ndim(label) == 0, "labels", "one label per id", label)
    return bool(pd.isna(label)) or (isinstance(label, str) and not label.strip())


def _places(ids: Sequence[Any], index: pd.Index) -> np.ndarray:
    """Return the positions of ids, which a file holds as texts, among those of the labelled examples."""
    texts = pd.Index([str(i) for i in ids], dtype=object)
    places = pd.Index([str(i) for i in index], dtype=object).get_indexer(texts)
    strange = [i for i, place in zip(ids, places, strict=True) if place < 0]
    require(not strange, "ids", "those of labelled examples", strange[:5])
    repeated = texts[texts.duplicated()].tolist()
    require(not repeated, "ids", "all different", f"{repeated[:5]} more than once")
    return places


def _codes(labels: Sequence[Any], names: Sequence[Any]) -> np.ndarray:
    """Return the code of each answer: of its class, -1 of none of them, -2 unsure."""
    words = {UNSURE: -2, OTHER: -1} | {str(name): code for code, name in enumerate(names)}
    words |= {name: code for code, name in enumerate(names)}
    codes = [words.get(label.strip() if isinstance(label, str) and label not in words else label) for label in labels]
    for label, code in zip(labels, codes, strict=True):
        if code is None:
            hint = nearest_name(str(label), [*map(str, names[:20]), UNSURE, OTHER])
            raise ValueError(f"labels must be classes, {UNSURE!r} or {OTHER!r}, got {label!r}; {hint}")
    return np.array(codes, np.int64)
