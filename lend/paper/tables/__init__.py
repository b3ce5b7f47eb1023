"""Saved runs as tables: every run in one line, and the cells of the paper's tables and curves over their trials.

Accuracies are fractions, of the test set. Four measures sum up a run, see MEASURES. A run that does not exist or is not
finished enters no mean.
"""

from lend.paper.tables.beside import beside
from lend.paper.tables.cells import ENTRY_COLUMNS, collect, curves, long, selected, summary
from lend.paper.tables.comparison import Comparison, compare
from lend.paper.tables.finished import finished, missing, planned
from lend.paper.tables.leads import leads
from lend.paper.tables.markup import LATEX, NOTHING, markdown, markdown_lines, markdown_text
from lend.paper.tables.protocol import HELD_OUT, differences
from lend.run import COLUMNS, MEASURES, SETTINGS, scores, table

__all__ = [
    "COLUMNS",
    "ENTRY_COLUMNS",
    "HELD_OUT",
    "LATEX",
    "MEASURES",
    "NOTHING",
    "SETTINGS",
    "Comparison",
    "beside",
    "collect",
    "compare",
    "curves",
    "differences",
    "finished",
    "leads",
    "long",
    "markdown",
    "markdown_lines",
    "markdown_text",
    "missing",
    "planned",
    "scores",
    "selected",
    "summary",
    "table",
]
