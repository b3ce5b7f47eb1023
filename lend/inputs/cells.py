"""Text of people on its way out: cells that no spreadsheet takes for a formula, and characters that can be seen.

A spreadsheet runs a cell of a CSV that begins with = + - @, a tab or a line break. :func:`safe_cell` puts an apostrophe
before such a text, :func:`plain_cell` takes it away. Numbers are no text: they stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")  # with apostrophes before it, so that the way back is exact
Cell = TypeVar("Cell", str, str | None)
JOINERS = "\u200c\u200d"  # scripts and emoji need them


def safe_cell(text: str) -> str:
    """Return the text as a cell of a CSV: with an apostrophe before it where a spreadsheet would run it."""
    return f"'{text}" if FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """Return the text that :func:`safe_cell` made this cell of."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def plain_cells(texts: Sequence[Cell]) -> list[Cell]:
    """Return the texts that :func:`safe_cell` made these of: a column of a file that may have been written so or not.

    Where one of them would still be run, the column was not written so, and its texts stay as they are. In either case
    different texts stay different.
    """
    signs = [text for text in texts if text is not None and FORMULA.match(text)]
    written = all(text.startswith("'") for text in signs)
    return [plain_cell(text) if text is not None and written else text for text in texts]


def safe_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts, names of columns and index are safe cells."""
    return _each_text(table, safe_cell)


def plain_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table that :func:`safe_table` made this one of, after it was read from a CSV."""
    return _each_text(table, plain_cell)


def _each_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    import pandas as pd

    def cells(values: Iterable[Any]) -> list[Any]:
        return [change(value) if isinstance(value, str) else value for value in values]

    def names(index: pd.Index) -> pd.Index:
        if isinstance(index, pd.MultiIndex):
            changed = index.set_levels([names(level) for level in index.levels])
            return changed.set_names(cells(index.names))
        index = index.rename(*cells([index.name]))
        return pd.Index(cells(index), dtype=object, name=index.name) if _holds_text(index.dtype) else index

    whole = table.set_axis(range(table.shape[1]), axis=1)  # two columns may have the same name
    for i in whole:
        if _holds_text(whole[i].dtype):  # as objects: the texts of pandas hold no lone surrogate
            whole[i] = pd.Series(cells(whole[i]), index=whole.index, dtype=object)
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
