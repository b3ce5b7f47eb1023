"""The explorer: a run's maps, epoch by epoch, in a notebook.

The state is plain Python (:mod:`lend.explorer.inspection`); the widgets (:mod:`lend.explorer.page`) only show it.
"""

from lend.explorer.app import Explorer, explore

__all__ = ["Explorer", "explore"]
