"""Markdown and LaTeX: a printed number, a line of a table, characters that need an escape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

NOTHING = "–"
LATEX = {
    "\\": r"\textbackslash{}",
    **{character: rf"\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
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
    header = [str(frame.index.name or ""), *map(str, frame.columns)]
    return markdown_lines(header, ([str(name), *map(str, cells)] for name, *cells in frame.itertuples()))


def markdown_lines(header: list[str], body: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(word.replace('|', '&#124;') for word in line)} |" for line in lines)


def markdown_number(number: Number) -> str:
    text = f"{number.mean} ± {number.std}" if number.std else number.mean
    return f"**{text}**" if number.bold else text


def latex_number(number: Number) -> str:
    text = rf"{number.mean} $\pm$ {number.std}" if number.std else number.mean
    return rf"\textbf{{{text}}}" if number.bold else text


def escaped(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text)
