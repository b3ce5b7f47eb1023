"""Markdown and LaTeX: a printed number, a line of a table, characters that need an escape."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from lend.inputs import printable

NOTHING = "–"
LATEX = {
    "\\": r"\textbackslash{}",
    **{character: rf"\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # at the beginning of a line it would belong to the \\ before it, and so would a star
    "*": "{*}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "–": "--",
}


class Number(NamedTuple):
    """A mean over trials as it is printed, in per cent; no deviation for one trial."""

    mean: str
    std: str
    bold: bool


def markdown(frame: pd.DataFrame) -> str:
    """A frame of texts as a table in Markdown, which wraps long cells where pandas cuts them."""
    header = [markdown_text(name) for name in (frame.index.name or "", *frame.columns)]
    return markdown_lines(header, (list(map(markdown_text, (name, *cells))) for name, *cells in frame.itertuples()))


def markdown_lines(header: list[str], body: Iterable[list[str]]) -> str:
    """A table in Markdown from its header and lines, cells that are Markdown already; bars in them stay bars."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(word.replace('|', '&#124;') for word in line)} |" for line in lines)


def markdown_number(number: Number) -> str:
    text = f"{number.mean} ± {number.std}" if number.std else number.mean
    return f"**{text}**" if number.bold else text


def latex_number(number: Number) -> str:
    text = rf"{number.mean} $\pm$ {number.std}" if number.std else number.mean
    return rf"\textbf{{{text}}}" if number.bold else text


def escaped(text: str) -> str:
    """A text in LaTeX that prints as it is written; hyphens in a row stay hyphens."""
    special = rf"(?<=-)-|[{re.escape(''.join(LATEX))}]"
    return re.sub(special, lambda found: LATEX.get(found[0], "{}-"), printable(text))


def markdown_text(text: object) -> str:
    """A text in Markdown that shows as it is written: no emphasis, link, formula, HTML or end of a cell."""
    shown = re.sub(r"&(?=#?\w+;)", "&amp;", printable(text)).replace("<", "&lt;").replace("$", "&#36;")
    return re.sub(r"[\\`*_\[\]~]", r"\\\g<0>", shown)
