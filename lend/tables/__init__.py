"""Saved runs as tables: every run in one line, and the cells of the paper's tables and curves over their trials.

Accuracies are fractions, of the test set. Four measures sum up a run, see MEASURES. A run that does not exist or is not
finished enters no mean.
"""

from lend.tables.cells import ENTRY_COLUMNS, collect, curves, long, selected, summary
from lend.tables.comparison import Comparison, compare
from lend.tables.leads import leads
from lend.tables.lines import COLUMNS, MEASURES, SETTINGS, scores, table
from lend.tables.markup import LATEX, NOTHING, markdown
from lend.tables.paper import beside
from lend.tables.plans import finished, missing, planned
from lend.tables.protocol import HELD_OUT, differences

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
    "missing",
    "planned",
    "scores",
    "selected",
    "summary",
    "table",
]
