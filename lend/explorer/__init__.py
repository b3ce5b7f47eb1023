"""The explorer: a run's maps, epoch by epoch, in a notebook.

The state is plain Python (``inspection``), pictures are drawn from it (``pictures``), and widgets only show both.
"""

from lend.explorer.app import Explorer, explore
from lend.explorer.inspection.inspection import Inspection
from lend.explorer.pictures.animation import animate

__all__ = ["Explorer", "Inspection", "animate", "explore"]
