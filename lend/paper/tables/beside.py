"""Our numbers beside those of the paper."""

from __future__ import annotations

import pandas as pd

from lend.paper import published
from lend.paper.tables.cells import long
from lend.paper.tables.comparison import Comparison


def beside(collected: pd.DataFrame, paper: str) -> Comparison:
    """Our numbers and the paper's in turn, column by column; on other data they are not comparable, see differences.

    Args:
        collected: From :func:`collect`.
        paper: table1, table2 or table3.
    """
    theirs = published.numbers(paper)
    frames = {"here": long(collected, published.SCORES[paper]), "paper": theirs}
    columns = dict.fromkeys(column for frame in frames.values() for column in frame["column"])
    parts = [
        frame[frame["column"] == column].assign(column=f"{column}, {where}")
        for column in columns
        for where, frame in frames.items()
    ]
    filled = [part for part in parts if len(part)]
    note = f"The paper's numbers: {published.SOURCE}, {published.TRIALS} trials, standard deviations not shown."
    return Comparison(pd.concat(filled, ignore_index=True), decimals=published.DECIMALS[paper], note=note)
