"""The transition matrix of a report: a table of few classes, a drawing of many, and the most frequent exchanges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lend.auditing.report.words import percent, shown
from lend.plots import LEGEND_CLASSES

MOST = 100  # classes that are drawn, or named in a table, one by one
LEVELS = 20  # shades of a cell, beside white
EXCHANGES = 12
LEAST = 0.005  # smallest share with a number, or a mark


@dataclass(frozen=True)
class Cell:
    """One share of the matrix.

    Args:
        level: Shade, 0 to ``LEVELS``.
        text: Per cent, empty below half of one.
        about: What it says, in words.
        row: Its row.
        column: Its column.
    """

    level: int
    text: str
    about: str
    row: int
    column: int


@dataclass(frozen=True)
class Exchange:
    """How many labels of one class were given to examples of another."""

    true: str
    given: str
    labels: str
    share: str


def cells(matrix: pd.DataFrame) -> list[list[Cell]]:
    """Return the cells of the matrix, row by row; of more than a few classes only those that are to be seen.

    Args:
        matrix: (c, c) P(given label | true class), row = true class.
    """
    names, few = [shown(name) for name in matrix.index], len(matrix) <= LEGEND_CLASSES
    return [
        [
            Cell(
                int(np.ceil(LEVELS * share - 1e-9)) if share >= LEAST else 0,
                f"{100 * share:.0f}" if share >= LEAST else "",
                f"true class {names[i]}, given label {names[j]}: {percent(share)}",
                i,
                j,
            )
            for j, share in enumerate(row)
            if few or share >= LEAST
        ]
        for i, row in enumerate(matrix.to_numpy())
    ]


def exchanges(matrix: pd.DataFrame, classes: pd.DataFrame) -> list[Exchange]:
    """Return the pairs of true class and given label with the most wrong labels, as estimated.

    Args:
        matrix: (c, c) P(given label | true class), row = true class.
        classes: Table ``Audit.classes``.
    """
    T, names = matrix.to_numpy(), list(matrix.index)
    labels = classes["true"].to_numpy()[:, None] * T
    np.fill_diagonal(labels, 0)
    order = np.argsort(-labels, axis=None, kind="stable")[:EXCHANGES]
    places = [divmod(int(place), len(names)) for place in order if labels.flat[place] >= 0.5]
    return [Exchange(shown(names[i]), shown(names[j]), f"{labels[i, j]:,.0f}", percent(T[i, j])) for i, j in places]
