"""A table as in a paper: rows by columns, a cell's mean and deviation over its trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lend.inputs import safe_table
from lend.paper.tables.cells import long
from lend.paper.tables.markup import (
    NOTHING,
    Number,
    escaped,
    latex_number,
    markdown_lines,
    markdown_number,
    markdown_text,
)
from lend.run import MEASURES
from lend.storage import write_text


@dataclass(frozen=True, repr=False)
class Comparison:
    """Rows by columns in the paper's layout, as Markdown, LaTeX and CSV; a notebook shows it as it is.

    A cell holds the mean ± standard deviation of each measure, in per cent. The highest printed mean of a measure in a
    column is bold, and so are all that tie with it.

    Args:
        frame: From :func:`long`.
        decimals: Decimals of the printed numbers.
        note: Added to the caption.
    """

    frame: pd.DataFrame
    decimals: int = 1
    note: str = ""

    @property
    def rows(self) -> list[str]:
        return list(dict.fromkeys(self.frame["row"]))

    @property
    def columns(self) -> list[str]:
        return [str(column) for column in dict.fromkeys(self.frame["column"])]

    @property
    def measures(self) -> list[str]:
        return list(dict.fromkeys(self.frame["measure"]))

    @property
    def caption(self) -> str:
        """What the numbers are."""
        if self.frame.empty:
            return "No runs are planned for this table."
        meaning = "; ".join(f"{name}: {MEASURES[name]}" for name in self.measures)
        text = f"Test accuracy in per cent, {' / '.join(self.measures)} ({meaning}). {_trials(self.frame)} {self.note}"
        return text.rstrip()

    def markdown(self) -> str:
        """The table in Markdown, its caption below it."""
        body = ([markdown_text(name), *cells] for name, *cells in self._lines(markdown_number, NOTHING))
        lines = markdown_lines(["method", *map(markdown_text, self.columns)], body)
        return f"{lines}\n\n{self.caption}\n"

    __repr__ = _repr_markdown_ = markdown

    def latex(self) -> str:
        """The table in LaTeX, for the package booktabs."""
        header = [escaped(word) for word in ("method", *self.columns)]
        body = [[escaped(name), *cells] for name, *cells in self._lines(latex_number, "--")]
        lines = [" & ".join(line) + r" \\" for line in (header, *body)]
        return "\n".join(
            [
                r"% needs \usepackage{booktabs}",
                r"\begin{table}",
                r"\centering",
                rf"\caption{{{escaped(self.caption)}}}",
                rf"\begin{{tabular}}{{l{'c' * len(self.columns)}}}",
                r"\toprule",
                lines[0],
                r"\midrule",
                *lines[1:],
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
                "",
            ]
        )

    def save(self, name: str, folder: str | Path) -> list[Path]:
        """Write NAME.md, NAME.tex and NAME.csv; the last has the numbers unrounded, as fractions. The files back."""
        folder = Path(folder)
        texts = {"md": self.markdown(), "tex": self.latex(), "csv": safe_table(self.frame).to_csv(index=False)}
        files = [folder / f"{name}.{ending}" for ending in texts]
        for file, text in zip(files, texts.values(), strict=True):
            write_text(file, text)
        return files

    def _lines(self, show: Callable[[Number], str], nothing: str) -> Iterator[list[str]]:
        """Row by row: its name, and a cell for each column."""
        numbers = self._numbers()
        for row in self.rows:
            cells = [[numbers.get((row, column, measure)) for measure in self.measures] for column in self.columns]
            yield [row, *(" / ".join(show(n) if n else nothing for n in c) if any(c) else nothing for c in cells)]

    def _numbers(self) -> dict[tuple[str, str, str], Number]:
        frame = self.frame[self.frame["n"] > 0].astype({"column": str})
        mean, std = ([f"{100 * value:.{self.decimals}f}" for value in frame[name]] for name in ("mean", "std"))
        printed = pd.Series(mean, index=frame.index, dtype=float)
        bold = printed == printed.groupby([frame["column"], frame["measure"]]).transform("max")
        places = zip(frame["row"], frame["column"], frame["measure"], strict=True)
        shown = [Number(m, "" if s == "nan" else s, b) for m, s, b in zip(mean, std, bold, strict=True)]
        return dict(zip(places, shown, strict=True))


def compare(collected: pd.DataFrame, measures: Sequence[str] = ("best", "last")) -> Comparison:
    """The table of some measures, from :func:`collect`."""
    return Comparison(long(collected, measures))


def _trials(frame: pd.DataFrame) -> str:
    """What a cell's numbers are taken over, and what bold means."""
    known = (frame["n"] == 1) | frame["std"].notna()  # of several trials without deviation no ± is printed
    found = frame.loc[known & (frame["n"] > 0), "n"]
    if not len(found):
        return "No finished trial yet."
    fewest, most = found.min(), found.max()
    count = f"{most}" if fewest == most else f"{fewest} to {most}"
    over = "One trial" if most == 1 else f"Mean ± standard deviation over {count} trials"
    return f"{over}; bold: the highest mean of its column."
