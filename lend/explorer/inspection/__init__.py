"""What is known of a run at an epoch: labels, histories, selections, corrections. Plain Python, no widget."""

from lend.explorer.inspection.inspection import FILTERS, History, Inspection, NoMapsError

__all__ = ["FILTERS", "History", "Inspection", "NoMapsError"]
