"""Texts of examples as HTML: escaped, shortened, and kept to themselves where they are read from right to left."""

from __future__ import annotations

import re
from html import escape

from lend.inputs import printable

CARD = 700  # characters of a text on a card
ROW = 90  # in a row of a table
SIDE_MARKS = "\u200e\u200f\u061c"  # say the side of what stands beside them, and turn nothing around
HIDDEN = re.compile("[\u00ad\u200b\u2060\ufeff]")  # soft hyphens, and spaces of no width


def block(text: str, most: int = CARD) -> str:
    """Return a text as a block of lines; its first letter says from which side it is read."""
    lines = "<br>".join(map(_line, _cut(text.strip(), most).splitlines()))
    return f'<div class="lend-text" dir="auto">{lines}</div>'


def inline(text: str, most: int = ROW) -> str:
    """Return a text as a part of a line, which does not turn the words around it."""
    return f"<bdi>{_line(_cut(' '.join(text.split()), most))}</bdi>"


def _cut(text: str, most: int) -> str:
    """Shorten a text at the end of a word, where there is one near."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    end = head.rfind(" ", most - 25)
    return (head[:end] if end > 0 else head) + "…"


def _line(text: str) -> str:
    text = HIDDEN.sub("", text).replace("\t", " ")
    return re.sub(f"[^{SIDE_MARKS}]+", lambda part: escape(printable(part[0])), text)
