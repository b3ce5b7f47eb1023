"""Text of people on its way out: cells that no spreadsheet takes for a formula, and characters that can be seen.

A spreadsheet runs a cell of a CSV that begins with = + - @, a tab or a line break. :func:`safe_cell` puts an apostrophe
before such a text, :func:`plain_cell` takes it away. Numbers are no text: they stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")  # with apostrophes before it, so that the way back is exact
JOINERS = "\u200c\u200d"  # scripts and emoji need them


def safe_cell(text: str) -> str:
    """Return the text as a cell of a CSV: with an apostrophe before it where a spreadsheet would run it."""
    return f"'{text}" if FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """Return the text that :func:`safe_cell` made this cell of."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def safe_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts, names of columns and index are safe cells."""
    return _each_text(table, safe_cell)


def plain_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table that :func:`safe_table` made this one of, after it was read from a CSV."""
    return _each_text(table, plain_cell)


def _each_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    def cell(value: Any) -> Any:  # noqa: ANN401 (any value of a table)
        return change(value) if isinstance(value, str) else value

    def names(index: Any) -> Any:  # noqa: ANN401 (an index of any kind)
        if index.nlevels > 1:
            rows = [tuple(map(cell, row)) for row in index]
            return type(index).from_tuples(rows, names=list(map(cell, index.names))) if rows else index
        index = index.rename(cell(index.name))
        return index.map(cell) if len(index) and _holds_text(index.dtype) else index

    whole = table.set_axis(range(table.shape[1]), axis=1)  # two columns may have the same name
    texts = [i for i in whole if _holds_text(whole[i].dtype)]
    whole = whole.astype(dict.fromkeys(texts, object))
    for i in texts:
        whole[i] = whole[i].map(cell)
    return whole.set_axis(names(table.columns), axis=1).set_axis(names(table.index))


def _holds_text(dtype: Any) -> bool:  # noqa: ANN401 (a type of NumPy or pandas)
    return dtype.kind not in "biufcmM"


def printable(text: object) -> str:
    """Return a text whose every character can be seen and encoded: others as Python writes them, such as ``\\n``.

    These are control characters, lone surrogates, and marks that turn the direction of the text around them.

    Args:
        text: A text, or anything that has one.
    """
    return "".join(char if _visible(char) else char.encode("unicode_escape").decode() for char in str(text))


def _visible(char: str) -> bool:
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"
