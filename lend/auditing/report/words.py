"""Names, ids and texts of strangers in one line of visible characters; the template escapes them for HTML."""

from __future__ import annotations

from lend.inputs import printable

NAME = 60  # characters of a name or an id
TEXT = 320  # characters of a text


def shown(value: object, most: int = NAME) -> str:
    """Return a text in one line, its invisible characters written as Python writes them, a long one ending in "…".

    Marks that turn the direction of a text are among the invisible ones. Letters of scripts from right to left stay;
    the page keeps each text apart from what is around it.

    Args:
        value: A text, or anything that has one.
        most: Characters that it may have.
    """
    text = printable(" ".join(str(value).split())[: most + 1]) or '""'
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def percent(share: float) -> str:
    """Return a share as per cent: a whole number from 10 on, below it with one decimal place."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %"
