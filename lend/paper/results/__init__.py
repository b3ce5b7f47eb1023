"""What was measured, kept as small files: finished runs come in, tables and pictures are drawn from them again.

A result is a run's settings, what it ran on, and its history; no image and no label. :func:`add` takes runs in,
:func:`draw` makes every table and picture of a folder of results, without a run and without data.
"""

from lend.paper.results.adding import Added, add
from lend.paper.results.drawing import RUNS, draw
from lend.paper.results.files import Result, read, results
from lend.paper.results.originals import ORIGINALS, TITLES
from lend.paper.results.pays import margins
from lend.paper.results.studies import Study, studies

__all__ = [
    "ORIGINALS",
    "RUNS",
    "TITLES",
    "Added",
    "Result",
    "Study",
    "add",
    "draw",
    "margins",
    "read",
    "results",
    "studies",
]
