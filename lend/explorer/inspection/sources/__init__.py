"""What people hand to the explorer: an inspection, a run or its folder, a table, a data set, or embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.options import OF_ARRAYS, Options, require_options
from lend.explorer.inspection.pixels import Images
from lend.explorer.inspection.sources.tables import EMBEDDINGS, is_table_file, of_table, read_parquet
from lend.inputs import require
from lend.run import Run

Data: TypeAlias = Run | pd.DataFrame | Inspection | str | Path | Any  # anything else is refused with advice
ALLOWED = (
    "a run with maps or the path of its folder, a pandas DataFrame or a .parquet file with coordinates or embeddings "
    "and labels, an xarray Dataset with embeddings, embeddings with their labels, or an Inspection (that of an "
    "Explorer is its .inspection)"
)
LABELLING = ("true_labels", "predicted")  # options that bring labels to embeddings, as labels do


def inspect(
    data: Data,
    argument: str,
    labels: Any = None,  # noqa: ANN401 (arrays of any library)
    images: Images = None,
    options: Options | None = None,
) -> Inspection:
    """Return the inspection of what was given.

    Args:
        data: What :func:`lend.explore` takes.
        argument: What the caller calls the data, for the message of an error.
        labels: Given labels, with embeddings only.
        images: As in :meth:`Inspection.of_frame`.
        options: The other named arguments of :func:`lend.explore`.

    Raises:
        ValueError: If it is something else, or shows nothing.
        FileNotFoundError: If the path is no run; the message lists the runs beside it.
    """
    given: dict[str, Any] = dict(options or {})
    if any(values is not None for values in (labels, *map(given.get, LABELLING))):
        name = "labels" if labels is not None else next(filter(given.get, LABELLING))
        require(not brings_labels(data, given), name, f"given with embeddings: {_kind(data)} brings its own", "some")
        from lend.explorer.inspection.sources.arrays import of_arrays

        require_options(given, OF_ARRAYS, "embeddings")
        return of_arrays(data, labels, images=images, **given)
    source: Any = data
    if isinstance(data, pd.DataFrame) or is_table_file(data):
        return of_table(data if isinstance(data, pd.DataFrame) else read_parquet(source), images, given)
    if _is_dataset(data):
        from lend.explorer.inspection.sources.datasets import of_dataset

        return of_dataset(source, images, given)
    if isinstance(data, Inspection):
        require_options(given, (), "an inspection")
        require(images is None, "images", "given when the inspection is made", type(images).__name__)
        return data
    require(isinstance(data, Run | str | PathLike), argument, ALLOWED, _told(data))
    require_options(given, (), "a run")
    return Inspection.of_run(data if isinstance(data, Run) else Run.open(data), images=images)


def brings_labels(data: Data, options: Mapping[str, Any]) -> bool:
    """Whether this has labels of its own, as all have but embeddings in an array, or in a frame of numbers alone."""
    if isinstance(data, pd.DataFrame):
        located = {"x", "y"} <= set(data.columns) or bool({"x", "y", "epoch"} & set(options))
        return located or EMBEDDINGS in data
    return isinstance(data, Run | Inspection | str | PathLike) or _is_dataset(data)


def _is_dataset(data: object) -> bool:
    """Whether this is a data set of xarray, asked without importing it."""
    return type(data).__module__.startswith("xarray") and type(data).__name__ == "Dataset"


def _kind(data: object) -> str:
    return f"{type(data).__module__}.{type(data).__qualname__}".removeprefix("builtins.")


def _told(data: object) -> str:
    advice = "; its to_pandas() gives a table" if hasattr(data, "to_pandas") else ""
    advice = "; its issues joined with coordinates x and y are a table" if hasattr(data, "issues") else advice
    array = isinstance(data, Mapping) or len(getattr(data, "shape", ())) == 2
    advice = "; embeddings come with their labels: lend.explore(embeddings, labels)" if array else advice
    return f"{_kind(data)}{advice}"
