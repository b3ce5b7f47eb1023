"""The explorer: a run's maps, epoch by epoch, in a notebook.

Three rooms, each of which imports only from those before it: ``inspection``, what is known of the run, as plain Python;
``pictures``, what is drawn from it; ``widgets``, what the user sees and does. ``app`` is what a notebook calls.
"""

from lend.explorer.app import Explorer, explore
from lend.explorer.inspection import Inspection
from lend.explorer.pictures import animate

__all__ = ["Explorer", "Inspection", "animate", "explore"]
