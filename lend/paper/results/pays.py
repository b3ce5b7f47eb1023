"""When does it pay: the margin of each method over cross entropy against the share of wrong labels."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lend.paper.results.cells import BASE, over_standard
from lend.paper.results.studies import Study

COMPARED = ("cifar10-thin-10k", "cifar10-thin-10k-augmented")  # one protocol, without and with augmentation
NOISES = {"symmetric_rates": "symmetric", "asymmetric_rates": "asymmetric", "human": "human"}
COLUMNS = ("noise", "augment", "row", "column", "wrong", "margin", "margin_std", "n")


def compared(found: Sequence[Study]) -> list[Study]:
    """The studies that :func:`margins` is taken from."""
    return [study for study in found if study.profile in COMPARED and study.name in NOISES]


def margins(found: Sequence[Study]) -> pd.DataFrame:
    """Test accuracy of the last ten epochs over that of Standard, for the same noise and seed.

    Args:
        found: From :func:`studies`.

    Returns:
        A line for each noise (symmetric, asymmetric, human), augment (whether images were augmented), row and column
        that has a result beside one of Standard: wrong (share of the labels), mean margin and its margin_std over the
        seeds, fractions, and n, the seeds.
    """
    parts = [_of_study(study) for study in compared(found)]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(COLUMNS))


def _of_study(study: Study) -> pd.DataFrame:
    scores = over_standard(study)
    scores = scores[(scores["row"] != BASE) & scores["margin"].notna()]
    grouped = scores.groupby(["row", "column"], sort=False)
    found = grouped.agg(
        wrong=("wrong", "mean"), margin=("margin", "mean"), margin_std=("margin", "std"), n=("seed", "count")
    )
    augment = study.entries[0].config.augment
    return found.reset_index().assign(noise=NOISES[study.name], augment=augment)[list(COLUMNS)]
