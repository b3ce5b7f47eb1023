"""What people hand to the explorer: an inspection, a run, the folder of a run, or a table."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.mapped import Columns
from lend.explorer.inspection.pixels import Images
from lend.inputs import require
from lend.run import Run

Data: TypeAlias = Run | pd.DataFrame | Inspection | str | Path | Any  # anything else is refused with advice
ALLOWED = (
    "a run with maps or the path of its folder, a pandas DataFrame with coordinates and labels, or an Inspection (that "
    "of an Explorer is its .inspection)"
)


def inspect(data: Data, argument: str, images: Images = None, columns: Columns | None = None) -> Inspection:
    """Return the inspection of what was given.

    Args:
        data: A run with maps or its folder, a table as :meth:`Inspection.of_frame` takes it, or an inspection.
        argument: What the caller calls the data, for the message of an error.
        images: As in :meth:`Inspection.of_frame`.
        columns: Further arguments of :meth:`Inspection.of_frame`, for a table only.

    Raises:
        ValueError: If it is something else, or shows nothing.
        FileNotFoundError: If the path is no run; the message lists the runs beside it.
    """
    if isinstance(data, pd.DataFrame):
        return Inspection.of_frame(data, images=images, **(columns or {}))
    require(not columns, "columns", "given for a table only", list(columns or {}))
    if isinstance(data, Inspection):
        require(images is None, "images", "given when the inspection is made", type(images).__name__)
        return data
    require(isinstance(data, Run | str | PathLike), argument, ALLOWED, _told(data))
    return Inspection.of_run(data if isinstance(data, Run) else Run.open(data), images=images)


def _told(data: object) -> str:
    kind = type(data)
    advice = "; its to_pandas() gives a table" if hasattr(data, "to_pandas") else ""
    advice = "; its issues joined with coordinates x and y are a table" if hasattr(data, "issues") else advice
    return f"{kind.__module__}.{kind.__qualname__}{advice}".removeprefix("builtins.")
