"""Names of people in figures: drawn as they are written, in one line, and no longer than there is room."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from lend.inputs import printable

LONGEST = 40  # columns of a name, if nothing else is asked for
LINE = 110  # columns of a line across a page


def literal(name: object, most: int = LONGEST) -> str:
    """Return a name as matplotlib has to get it to draw it as it is written.

    A dollar sign begins no formula, characters that cannot be seen are written as Python writes them, and a long name
    ends in "…". An empty one is drawn as two quotes.

    Args:
        name: A name, or anything that has one.
        most: Columns that it may take; a wide character takes two.
    """
    text = printable(name) or '""'
    if columns(text) > most:
        used, end = 1, 0
        while used + columns(text[end]) <= most:
            used, end = used + columns(text[end]), end + 1
        text = f"{text[:end]}…"
    return text.replace("$", r"\$")


def heading(text: str) -> str:
    """Return a title of one or more lines, each as :func:`literal` gives it."""
    return "\n".join(literal(line, LINE) if line else "" for line in text.split("\n"))


def columns(text: str) -> int:
    """Return how many columns a text takes: two for a wide character, none for a mark on the one before it."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def legend_columns(words: Sequence[str], inches: float, handle: int = 5) -> int:
    """Return the number of columns of a legend: all entries in a line if they fit, or as many as fit of the longest.

    Args:
        words: The entries.
        inches: Width of the figure.
        handle: Characters that the line or dot before an entry takes, with the room around it.
    """
    room = 15 * inches  # characters
    lengths = [columns(word) + handle for word in words]
    if sum(lengths) <= room:
        return len(words)
    most = max(1, int(room / max(lengths)))
    return -(-len(words) // -(-len(words) // most))  # lines of about the same length
