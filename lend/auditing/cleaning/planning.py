"""What is to be done with which row or file: corrections held against the data, before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from lend.auditing.cleaning.corrections import Correction, some
from lend.inputs import require

UNLABELLED = "-1"  # stands for a missing label among integers


def find_rows(corrections: Sequence[Correction], ids: Sequence[str], place: str) -> list[int]:
    """Return the row of each correction.

    Args:
        corrections: What is to be done.
        ids: Of all examples.
        place: Where they are, for errors.

    Raises:
        ValueError: If an id is not there, or there more than once; names the first of them.
    """
    index = pd.Index(ids, dtype=object)
    wanted = pd.Index([correction.sample_id for correction in corrections], dtype=object)
    missing = wanted[~wanted.isin(index)]
    like = f"; there, they are such as {some(ids[:2])}" if len(ids) else ""
    require(
        len(missing) == 0, "corrections", f"of examples in {place}{like}", f"{len(missing):,} others: {some(missing)}"
    )
    repeated = wanted[wanted.isin(index[index.duplicated()])]
    require(len(repeated) == 0, place, "of examples with ids of their own", f"more than one of {some(repeated)}")
    return index.get_indexer(wanted).tolist() if index.is_unique else [index.get_loc(name) for name in wanted]


def check_labels(corrections: Sequence[Correction], there: Sequence[str | None], place: str) -> None:
    """Raise a ValueError unless each example has the label that the correction says it has.

    Args:
        corrections: What is to be done.
        there: The label of each of these examples in the data; None without one.
        place: Where they are, for errors.
    """
    others = [
        (each, label)
        for each, label in zip(corrections, there, strict=True)
        if each.before != label and not (each.before is None and label == UNLABELLED)
    ]
    if others:
        each, label = others[0]
        more = f" (and {len(others) - 1:,} more)" if len(others) > 1 else ""
        raise ValueError(
            f"corrections: {each.sample_id!r} has the label {label!r} in {place}, not {each.before!r}{more}: "
            f"the data is not what was audited"
        )


def check_classes(corrections: Sequence[Correction], known: Collection[str], new_classes: bool) -> None:
    """Raise a ValueError if a correction names a class that is not there, unless that is allowed.

    Args:
        corrections: What is to be done.
        known: Classes of the data.
        new_classes: Whether others are allowed.
    """
    unknown = sorted({each.after for each in corrections if each.after is not None and each.after not in known})
    allowed = f"of classes that occur ({some(sorted(known))}); new_classes allows others"
    require(new_classes or not unknown, "corrections: suggested_label", allowed, unknown)
