"""What people hand to the explorer: an inspection, a run or its folder, a table, a data set, embeddings, an audit."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from lend.explorer.inspection.inspection import Inspection
from lend.explorer.inspection.media import Media
from lend.explorer.inspection.options import OF_ARRAYS, Options, require_options
from lend.explorer.inspection.sources.audits import is_audit, of_audit
from lend.explorer.inspection.sources.tables import EMBEDDINGS, is_table_file, of_table, read_parquet
from lend.inputs import require
from lend.run import Run

Data: TypeAlias = Run | pd.DataFrame | Inspection | str | Path | Any  # anything else is refused with advice
ALLOWED = (
    "a run with maps or the path of its folder, a pandas DataFrame or a .parquet file with coordinates or embeddings "
    "and labels, an xarray Dataset with embeddings, embeddings with their labels, an audit, or an Inspection (that of "
    "an Explorer is its .inspection)"
)
LABELLING = ("true_labels", "predicted")  # options that bring labels to embeddings, as labels do


def inspect(
    data: Data,
    argument: str,
    labels: Any = None,  # noqa: ANN401 (arrays of any library)
    media: Media | None = None,
    options: Options | None = None,
) -> Inspection:
    """Return the inspection of what was given.

    Args:
        data: What :func:`lend.explore` takes.
        argument: What the caller calls the data, for the message of an error.
        labels: Given labels, with embeddings only.
        media: Images and texts; none, if not given.
        options: The other named arguments of :func:`lend.explore`.

    Raises:
        ValueError: If it is something else, or shows nothing.
        FileNotFoundError: If the path is no run; the message lists the runs beside it.
    """
    given: dict[str, Any] = dict(options or {})
    media = media or Media()
    labelling = ["labels"] * (labels is not None) + [name for name in LABELLING if given.get(name) is not None]
    if labelling:
        require(
            not brings_labels(data, given), labelling[0], f"given with embeddings: {_kind(data)} brings its own", "some"
        )
        from lend.explorer.inspection.sources.arrays import of_arrays

        require_options(given, OF_ARRAYS, "embeddings")
        return of_arrays(data, labels, media=media, **given)
    source: Any = data
    if isinstance(data, pd.DataFrame) or is_table_file(data):
        return of_table(data if isinstance(data, pd.DataFrame) else read_parquet(source), media, given)
    if _is_dataset(data):
        from lend.explorer.inspection.sources.datasets import of_dataset

        return of_dataset(source, media, given)
    if is_audit(data):
        return of_audit(source, media, given)
    if isinstance(data, Inspection):
        require_options(given, (), "an inspection")
        for name, found in vars(media).items():
            require(found is None, name, "given when the inspection is made", type(found).__name__)
        return data
    require(isinstance(data, Run | str | PathLike), argument, ALLOWED, _told(data))
    require_options(given, (), "a run")
    return Inspection.of_run(data if isinstance(data, Run) else Run.open(data), images=media.images, texts=media.texts)


def brings_labels(data: Data, options: Mapping[str, Any]) -> bool:
    """Whether this has labels of its own, as all have but embeddings in an array, or in a frame of numbers alone."""
    if isinstance(data, pd.DataFrame):
        located = {"x", "y"} <= set(data.columns) or bool({"x", "y", "epoch"} & set(options))
        return located or EMBEDDINGS in data
    return isinstance(data, Run | Inspection | str | PathLike) or _is_dataset(data) or is_audit(data)


def _is_dataset(data: object) -> bool:
    """Whether this is a data set of xarray, asked without importing it."""
    return type(data).__module__.startswith("xarray") and type(data).__name__ == "Dataset"


def _kind(data: object) -> str:
    return f"{type(data).__module__}.{type(data).__qualname__}".removeprefix("builtins.")


def _told(data: object) -> str:
    advice = "; its to_pandas() gives a table" if hasattr(data, "to_pandas") else ""
    array = isinstance(data, Mapping) or len(getattr(data, "shape", ())) == 2
    advice = "; embeddings come with their labels: lend.explore(embeddings, labels)" if array else advice
    return f"{_kind(data)}{advice}"
