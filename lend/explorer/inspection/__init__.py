"""What is known of a run or a table at an epoch: labels, histories, a selection, corrections. No widget, no picture.

:class:`Inspection` holds the state. It reads through ``mapped`` (a run or a table), knows every coloring by one record
(``colorings``), and leaves filters, names, places, corrections and re-dilution to a file each.
"""

from lend.explorer.inspection.chronicle import History
from lend.explorer.inspection.filters import FILTERS
from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.mapped_run import NoMapsError

__all__ = ["FILTERS", "History", "Inspection", "NoMapsError"]
