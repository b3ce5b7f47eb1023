"""What was measured, kept as small files: finished runs come in, tables and pictures are drawn from them again.

A result is a run's settings, what it ran on, and its history; no image and no label. :func:`add` takes runs in,
:func:`draw` makes every table and picture of a folder of results, without a run and without data.
"""

from lend.results.adding import Added, add
from lend.results.drawing import RUNS, draw
from lend.results.files import Result, read, results
from lend.results.originals import ORIGINALS, TITLES
from lend.results.pays import margins
from lend.results.studies import Study, studies

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
